"""Build what predicts on images: one way for every tool, so that they find the same."""

import warnings
from typing import Any, Optional

from ssd_plugin.engine.inference_optimization import optimize_for_inference

from .checkpoint_fit import check_fit
from .config_types import refusals_in_one_line
from .exported_file import is_exported, predict_with_file
from .read_config import read_config
from .validate_config import validate_config


def build_inferencer(
    config_path: str,
    checkpoint: str,
    device: Optional[str],
    *,
    fuse: bool = False,
    amp: bool = False,
    compiled: bool = False,
    **arguments: Any,
) -> Any:
    """Build mmdet's inferencer, with the weights checked and the network made fast.

    Args:
        config_path: Config file.
        checkpoint: Checkpoint file, or an exported one.
        device: 'cpu', 'cuda', 'cuda:1', ...; None = the best there is.
        fuse: See :func:`~ssd_plugin.engine.inference_optimization.optimize_for_inference`, as for the next two.
        amp: Run the network in 16 bits.
        compiled: Compile the network.
        arguments: What else ``DetInferencer`` takes.

    Returns:
        The ``DetInferencer``.

    Raises:
        UserError: The config, the checkpoint or both together are wrong.
    """
    config = read_config(config_path, None, None, 'none')
    config.load_from = checkpoint
    validate_config(config, 'infer')

    # Seconds, which a mistake in the config need not wait for.
    from mmdet.apis import DetInferencer
    from mmengine.runner import CheckpointLoader

    if is_exported(checkpoint):
        predict_with_file(config, checkpoint, {'--fuse-conv-bn': fuse, '--amp': amp, '--compile': compiled})
        with refusals_in_one_line(config), warnings.catch_warnings():
            # It misses a checkpoint, and would take the classes of COCO.
            warnings.filterwarnings('ignore', '(Checkpoint is not loaded|weights is None)')
            inferencer = DetInferencer(config, None, device=device, **arguments)
        inferencer.model.dataset_meta['classes'] = tuple(inferencer.model.metadata.classes)
        return inferencer
    with refusals_in_one_line(config):
        inferencer = DetInferencer(config, checkpoint, device=device, **arguments)
    check_fit(inferencer.model, CheckpointLoader.load_checkpoint(checkpoint, 'cpu'), checkpoint)
    optimize_for_inference(inferencer.model, fuse, amp, compiled)
    return inferencer
