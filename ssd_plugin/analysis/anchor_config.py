"""Write fitted default boxes as a config."""

import os
from pathlib import Path
from typing import Any

from ssd_plugin.shipped_configs import configs_folder


def anchor_lines(settings: dict[str, list[Any]], indent: str) -> str:
    """Write the settings of an anchor generator as keyword arguments.

    Args:
        settings: Lists with an entry for each level.
        indent: Blanks before each line.

    Returns:
        A line for each setting, with a comma at its end.
    """
    return '\n'.join(f'{indent}{name}={values},' for name, values in settings.items())


def variant_config(base: Path, target: Path, settings: dict[str, list[Any]], recalls: tuple[float, ...]) -> str:
    """Write the config that differs from another one in its default boxes.

    Args:
        base: The other config.
        target: Where the new one will lie.
        settings: Of ``SSDAnchorGenerator``.
        recalls: Recall of the training data before and after, for the comment.

    Returns:
        Its text.
    """
    shipped = configs_folder().resolve()
    if shipped in base.resolve().parents:
        name = f'ssd_plugin::{base.resolve().relative_to(shipped).as_posix()}'
    else:
        name = Path(os.path.relpath(base.resolve(), target.resolve().parent)).as_posix()
    return (
        f'# Default boxes fitted to the training data: recall of gt boxes {recalls[0]:.3f} -> {recalls[1]:.3f}.\n'
        f'_base_ = {name!r}\n'
        'anchor_generator = dict(  # an entry for each level\n'
        f'{anchor_lines(settings, "    ")}\n'
        ')\n'
        'model = dict(bbox_head=dict(anchor_generator=anchor_generator))\n'
    )
