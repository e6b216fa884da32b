"""Say in a few lines what was trained, on what and where, and how two recipes differ."""

import re
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ssd_plugin.cli.config_types import walk

from .work_folder import WorkFolder

# What MMEngine's log says of the machine that trained, of all it says.
_ENVIRONMENT = ('Python', 'CUDA available', 'GPU 0', 'PyTorch', 'TorchVision', 'OpenCV', 'MMEngine')


def describe_recipe(config: Config, model: Any, checkpoint: str, evaluated_on: str) -> dict[str, str]:
    """Pick the few numbers of a config that decide.

    Args:
        config: A whole config.
        model: The detector that it describes.
        checkpoint: Its weights, in words.
        evaluated_on: The data, in words.

    Returns:
        Text by name; what a config does not have is left out.
    """
    optimizer = config.get('optim_wrapper', {}).get('optimizer', {})
    loop = config.get('train_cfg') or {}
    loader = config.get('train_dataloader') or {}
    found = {
        'method': method_name(config),
        'input resolution': ' \N{MULTIPLICATION SIGN} '.join(map(str, getattr(model, 'input_size', ()))),
        'default boxes': f'{count_boxes(model):,}' if count_boxes(model) else '',
        'parameters': f'{sum(one.numel() for one in model.parameters()):,}',
        'trained on': ', '.join(_annotations(loader)),
        'length': ' '.join(f'{loop[key]} {unit}' for key, unit in _LENGTHS.items() if key in loop),
        'batch size': str(config.get('total_batch_size') or loader.get('batch_size') or ''),
        'optimizer': ', '.join([optimizer.get('type', ''), *_settings(optimizer, 'lr', 'momentum', 'weight_decay')]),
        'learning rate': ', then '.join(_schedule(one) for one in _listed(config.get('param_scheduler'))),
        'starts from': ', '.join(_weights(config)) or 'random weights',
        'seed': str((config.get('randomness') or {}).get('seed', '')),
        'checkpoint': checkpoint,
        'evaluated on': ', '.join([evaluated_on, *_annotations(config.test_dataloader)]),
    }
    return {name: text for name, text in found.items() if text.strip(', ')}


_LENGTHS = {'max_epochs': 'epochs', 'max_iters': 'iterations'}


def checkpoint_text(folder: WorkFolder, meta: dict[str, Any]) -> str:
    """Name the checkpoint and, from its metadata, the epoch it is of; empty for none."""
    if folder.checkpoint is None:
        return ''
    return f'{folder.checkpoint.name}, epoch {meta["epoch"]}' if 'epoch' in meta else folder.checkpoint.name


def method_name(config: Config) -> str:
    """Name the detector and its backbone: 'SSD, ResNet-18'."""
    model = config.model
    backbone = model.get('backbone', {})
    depth = f'-{backbone.depth}' if 'depth' in backbone else ''
    return ', '.join(filter(None, [_bare(model.type), _bare(backbone.get('type', '')) + depth]))


def count_boxes(model: Any) -> int:
    """Count the default boxes of an image of the network's input size; 0 for a detector that does not say."""
    sizes = getattr(model, 'map_sizes', ())
    return sum(height * width * priors for (height, width), priors in zip(sizes, model.bbox_head.num_base_priors))


def training_environment(work_dir: Path) -> dict[str, str]:
    """Read from the log of the last start where the run was trained.

    Args:
        work_dir: Of the run.

    Returns:
        Text by name; empty without a log.
    """
    logs = sorted(work_dir.glob('*/*.log'))
    head = logs[-1].read_text(errors='replace')[:20000] if logs else ''
    lines = dict(re.findall(r'^    ([\w ]+): (.*)$', head, re.M))
    return {name: lines[name] for name in _ENVIRONMENT if name in lines}


def difference(first: WorkFolder, second: WorkFolder) -> list[str]:
    """Compare two configs line by line.

    Returns:
        Lines as of ``diff -u``, without its head; empty if they are the same.
    """
    before, after = (folder.config.read_text().splitlines() for folder in (first, second))
    return list(unified_diff(before, after, lineterm='', n=2))[2:]


def _bare(name: Any) -> str:
    return str(name).rpartition('.')[2]


def _annotations(loader: Any) -> list[str]:
    parts = [part for _, part in walk(loader.get('dataset', {}), 'dataset') if 'ann_file' in part]
    return [f'{_bare(part["type"])} {part["ann_file"]}' for part in parts]


def _settings(part: Any, *keys: str) -> list[str]:
    return [f'{key} {part[key]:g}' for key in keys if key in part]


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value] if value else []


def _schedule(part: Any) -> str:
    numbers = [f'{key} {part[key]}' for key in ('begin', 'end', 'milestones', 'T_max', 'power') if key in part]
    return ' '.join([_bare(part['type']), *numbers])


def _weights(config: Config) -> list[str]:
    named = [part for path, part in walk(config.model, 'model') if 'init_cfg' in path]
    named += [part for _, part in walk(config.get('custom_hooks'), 'custom_hooks')]
    found = [part['checkpoint'] for part in named if isinstance(part.get('checkpoint'), str)]
    if config.get('load_from') and not config.get('resume'):  # resumed: its own checkpoint
        found.append(config.load_from)
    return [Path(name).name for name in found]
