"""Builds the parts of a model so that what does not fit is one line with the entry to change."""

import traceback
from collections.abc import Mapping
from typing import Any

from mmengine.registry import Registry

from ssd_plugin.errors import UserError


def build_part(registry: Registry, config: Mapping[str, Any], where: str) -> Any:
    """Build a part from its config.

    Args:
        registry: Where its type is looked up.
        config: With ``type``.
        where: Key path in the model's config, for the message.

    Raises:
        UserError: The part refuses its settings.
        KeyError: Its type is in no registry; the message of MMEngine names it.
    """
    try:
        return registry.build(config)
    except UserError:
        raise
    except (AssertionError, TypeError, ValueError) as error:
        # Many assertions of mmdet have no message: the condition itself says more than none.
        reason = str(error).strip() or traceback.extract_tb(error.__traceback__)[-1].line or ''
        raise UserError(
            f'{where}: {config["type"]} refuses its settings ({type(error).__name__}: {reason.splitlines()[0]}), '
            f'expected others than {sorted(set(config) - {"type"})}'
        ) from error
