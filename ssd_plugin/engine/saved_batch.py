"""A training batch as a file of tensors and plain values, which loads without running code."""

from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from ssd_plugin.whole_file import whole_file

_INSTANCES = ('gt_instances', 'ignored_instances')


def pack_batch(batch: Any) -> Any:
    """Turn a batch of mmdet's loaders into tensors and plain values.

    Args:
        batch: ``inputs`` and ``data_samples``, nested in any way. Of a sample, its description and the tensors and
            boxes of its objects are kept.

    Returns:
        The same nesting; a sample is a dict.
    """
    if isinstance(batch, Tensor):
        return batch.detach().cpu().clone()
    if isinstance(batch, dict):
        return {key: pack_batch(value) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return [pack_batch(value) for value in batch]
    if not hasattr(batch, 'metainfo'):
        return batch
    sample = {'metainfo': dict(batch.metainfo)}
    for name in _INSTANCES:
        if name in batch:
            # Boxes are wrapped by mmdet.
            fields = ((key, getattr(value, 'tensor', value)) for key, value in batch.get(name).items())
            sample[name] = {key: pack_batch(value) for key, value in fields if isinstance(value, Tensor)}
    return sample


def unpack_batch(packed: dict[str, Any]) -> dict[str, Any]:
    """Make a batch for a detector's ``data_preprocessor`` again.

    Args:
        packed: From :func:`pack_batch`.

    Returns:
        ``inputs``, list of (3, H, W) tensors, and ``data_samples``.
    """
    # Imports mmdet, which this module's importers can do without.
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData

    samples = []
    for fields in packed['data_samples']:
        sample = DetDataSample(metainfo=fields['metainfo'])
        for name in _INSTANCES:
            if name in fields:
                setattr(sample, name, InstanceData(**fields[name]))
        samples.append(sample)
    return {**packed, 'data_samples': samples}


def describe_samples(packed: Any) -> list[str]:
    """Name the images of a batch and their boxes.

    Args:
        packed: From :func:`pack_batch`.

    Returns:
        A line for each image: its file, and its boxes in pixels of the network's input.
    """
    samples = packed.get('data_samples', []) if isinstance(packed, dict) else []
    return [
        f'{sample["metainfo"].get("img_path", "image without a file")}: boxes '
        f'{[[round(number, 1) for number in box] for box in sample["gt_instances"]["bboxes"].tolist()]}'
        for sample in samples
    ]


def save_batch(path: Path, **content: Any) -> None:
    """Write a batch and what belongs to it whole.

    Args:
        path: The file.
        **content: Tensors and plain values.
    """
    with whole_file(path, 'wb') as file:
        torch.save(content, file)


def replay(model: Any, optim_wrapper: OptimWrapper, packed: dict[str, Any]) -> tuple[dict[str, float], Optional[str]]:
    """Compute the loss of a batch as in training, in the precision of the optimizer wrapper.

    Args:
        model: A detector with the weights of the moment.
        optim_wrapper: Of that model.
        packed: From :func:`pack_batch`.

    Returns:
        The terms of the loss, and the name of the first layer whose output is not finite, if there is one.
    """
    found: list[str] = []

    def look(name: str) -> Any:
        def hook(_: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and not torch.isfinite(output).all():
                found.append(name)

        return hook

    for name, module in model.named_modules():
        module.register_forward_hook(look(name))
    model.train()
    with torch.no_grad(), optim_wrapper.optim_context(model):
        losses = model(**model.data_preprocessor(unpack_batch(packed), True), mode='loss')
    terms = model.parse_losses(losses)[1]
    return {name: float(value) for name, value in terms.items()}, next(iter(found), None)
