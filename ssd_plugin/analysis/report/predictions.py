"""Get the detections of a run: predict now, or read what ``tools/test.py --out`` wrote."""

import pickle
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from rich import progress

from ssd_plugin.engine.checkpoint_types import allowed_globals
from ssd_plugin.errors import UserError


def predict(model: Any, loader: Any) -> list[dict[str, Any]]:
    """Detect in all images of a loader, with a bar of the progress.

    Args:
        model: The detector, in evaluation mode.
        loader: PyTorch's.

    Returns:
        Per image ``img_id``, ``bboxes`` (D, 4) xyxy in pixels of the original image, ``scores`` and ``labels`` (D,),
        numpy.
    """
    found: list[dict[str, Any]] = []
    with torch.no_grad():
        for batch in progress.track(loader, 'Detecting', total=len(loader)):
            found += (_plain(sample.img_id, sample.pred_instances.cpu().to_dict()) for sample in model.test_step(batch))
    return found


def read_predictions(path: Path, img_ids: Iterable[Any]) -> list[dict[str, Any]]:
    """Read the file of ``tools/test.py --out``; nothing in it is run.

    Args:
        path: The pickle.
        img_ids: The images it has to be about.

    Returns:
        As :func:`predict`.

    Raises:
        UserError: It is missing, no such file, or about other images.
    """
    if not path.is_file():
        raise UserError(f'--predictions: {path} does not exist, expected a file of tools/test.py --out')
    try:
        with path.open('rb') as file:
            samples = _PlainUnpickler(file).load()
        found = [_plain(sample['img_id'], sample['pred_instances']) for sample in samples]
    except Exception as error:
        # A damaged pickle can fail with nearly any exception.
        raise UserError(
            f'--predictions: {path} is not readable ({type(error).__name__}), expected a file of tools/test.py --out'
        ) from error
    expected, given = set(img_ids), {one['img_id'] for one in found}
    if expected != given or len(found) != len(given):
        raise UserError(
            f'--predictions: {path} is about {len(found)} images, {len(expected & given)} of them of this data set, '
            f'expected its {len(expected)} images, each once: see --split'
        )
    return found


def _plain(img_id: Any, instances: dict[str, Any]) -> dict[str, Any]:
    return dict(img_id=img_id, **{key: instances[key].numpy() for key in ('bboxes', 'scores', 'labels')})


def _tensors(data: bytes) -> Any:
    return torch.load(BytesIO(data), weights_only=True)


class _PlainUnpickler(pickle.Unpickler):
    """Makes tensors, arrays and plain values, and refuses all else."""

    _allowed = {
        **allowed_globals(),
        'collections.OrderedDict': dict,
        'torch._utils._rebuild_tensor_v2': torch._utils._rebuild_tensor_v2,
        'torch.storage._load_from_bytes': _tensors,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._allowed[f'{module}.{name}']
        except KeyError:
            raise pickle.UnpicklingError(f'{module}.{name} is not allowed') from None
