"""Change what many configs change, each in one call that edits a config in place.

A config names its base first (MMEngine takes a file whose first statement imports a package for a lazy config) and then
edits it::

    _base_ = './ssd300_r18_bccd.py'
    from ssd_plugin.config_edits import at_size

    at_size(_base_, (400, 300))

MMEngine merges what a file assigns into its ``_base_`` when the file is done. So several calls may follow each other,
and assignments such as ``model = dict(...)`` may stand before or after them. A loaded ``Config`` can be edited as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union

from mmengine.config import Config

from .errors import UserError

ConfigLike = Union[Config, dict[str, Any]]

# Without `meta_keys` mmdet's PackDetInputs packs these, and whether the image is mirrored.
_PACKED = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')


def at_size(config: ConfigLike, size: Union[int, Sequence[int]]) -> None:
    """Set the input size of the network and of every pipeline.

    Args:
        config: A base with a model that has an ``input_size`` and pipelines with steps that have a ``scale``.
        size: Side of a square or (width, height), pixels.

    Raises:
        UserError: This is no size, or the config has no model or no pipeline step that takes one.
    """
    sides = tuple(size) if isinstance(size, (list, tuple)) else (size, size)
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise UserError(f'at_size: {size!r}, expected a side or (width, height), whole numbers of pixels above 0')
    if 'input_size' not in config.get('model', {}):
        raise UserError('at_size: model.input_size is missing, expected a model such as ssd_plugin.SSD that has one')
    steps = [step for step in _pipeline_steps(config) if 'scale' in step]
    if not steps:
        raise UserError('at_size: no step of any pipeline has a scale, expected one such as ssd_plugin.SSDResize')
    for step in steps:
        step['scale'] = sides
    config['model']['input_size'] = config['input_size'] = sides


def with_step(config: ConfigLike, step_type: str, **options: Any) -> None:
    """Set options of every step of a type, in all pipelines.

    Args:
        config: A base with pipelines.
        step_type: The step as the config names it, such as ``ssd_plugin.SSDAugment``.
        options: What to set.

    Raises:
        UserError: No pipeline has such a step.
    """
    steps = [step for step in _pipeline_steps(config) if step.get('type') == step_type]
    if not steps:
        raise UserError(f'with_step: {step_type!r} is in no pipeline of the config, expected one that has it')
    for step in steps:
        step.update(options)


def without_expansion(config: ConfigLike) -> None:
    """Leave out the expansion ("zoom out"), as the paper's models without a star do (section 3.6).

    Args:
        config: A base with pipelines.

    Raises:
        UserError: No pipeline has a step ``ssd_plugin.SSDAugment``.
    """
    with_step(config, 'ssd_plugin.SSDAugment', expand_prob=0.0)


def trained_for(config: ConfigLike, iterations: int, milestones: Sequence[int]) -> None:
    """Set the iterations of the run and those after which the learning rate falls.

    Args:
        config: A base with a schedule that counts iterations.
        iterations: Number of iterations of the run.
        milestones: Iterations after which the rate falls, ascending.

    Raises:
        UserError: The milestones do not ascend within the run, or the config has no ``max_iters`` or no
            ``MultiStepLR``.
    """
    if list(milestones) != sorted({*milestones, iterations})[:-1]:
        raise UserError(f'trained_for: milestones {milestones!r}, expected ascending numbers below {iterations}')
    schedulers = [one for one in config.get('param_scheduler', []) if one['type'] == 'MultiStepLR']
    if 'max_iters' not in config.get('train_cfg', {}) or not schedulers:
        raise UserError('trained_for: no train_cfg.max_iters or no MultiStepLR in param_scheduler, expected both')
    config['train_cfg']['max_iters'] = iterations
    for scheduler in schedulers:
        scheduler['milestones'] = list(milestones)


def fine_tuned_from(config: ConfigLike, checkpoint: str) -> None:
    """Start from the weights of another run, classes mapped by name, in place of those named before.

    Args:
        config: A base.
        checkpoint: File or address of the checkpoint.
    """
    hooks = [hook for hook in config.get('custom_hooks', []) if hook['type'] != 'ssd_plugin.PartialLoadHook']
    config['custom_hooks'] = [*hooks, {'type': 'ssd_plugin.PartialLoadHook', 'checkpoint': checkpoint}]


def with_tta(config: ConfigLike) -> None:
    """Set ``tta_model`` and ``tta_pipeline``: an image is predicted as it is and mirrored, without double detections.

    ``tools/test.py --tta`` of this package and of mmdet read them; what the config has of them stays.

    Args:
        config: A base with a model and a data set to test on.
    """
    limits = config['model']['test_cfg']
    merged = {'nms': limits['nms'], 'max_per_img': limits['max_per_img']}
    config.setdefault('tta_model', {'type': 'DetTTAModel', 'tta_cfg': merged})
    *steps, pack = innermost_dataset(config['test_dataloader']['dataset'])['pipeline']
    # What the metric needs, which mmdet's own default leaves out, and what the merger asks for.
    packed = {**pack, 'meta_keys': (*pack.get('meta_keys', _PACKED), 'flip', 'flip_direction')}
    # The plain image first: the merged detections keep its gt boxes.
    flips = [{'type': 'RandomFlip', 'prob': 0.0}, {'type': 'RandomFlip', 'prob': 1.0}]
    config.setdefault('tta_pipeline', [*steps, {'type': 'TestTimeAug', 'transforms': [flips, [packed]]}])


def innermost_dataset(dataset: dict[str, Any]) -> dict[str, Any]:
    """Look through what wraps a data set.

    Args:
        dataset: Config of a data set, or of one in others such as ``RepeatDataset``.

    Returns:
        The part of it that has the pipeline.
    """
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def _pipeline_steps(config: ConfigLike) -> list[dict[str, Any]]:
    """List the steps of the pipelines at the top, of all data sets however nested, and the steps within steps."""
    return [step for key in config for step in _steps(config[key], key.endswith('pipeline'))]


def _steps(node: Any, in_pipeline: bool) -> Iterator[dict[str, Any]]:
    if isinstance(node, Mapping):
        if in_pipeline and 'type' in node:
            yield node  # type: ignore[misc]  # a config's mappings are dicts
        for key, value in node.items():
            yield from _steps(value, in_pipeline or key.endswith('pipeline'))
    elif isinstance(node, (list, tuple)):
        for item in node:
            yield from _steps(item, in_pipeline)
