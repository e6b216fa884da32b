"""An exported file in the place of a detector."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, Optional

import cv2
import numpy as np
import torch
from mmdet.models.detectors import BaseDetector
from mmengine.structures import InstanceData
from numpy.typing import NDArray
from torch import Tensor

from ssd_plugin.errors import UserError
from ssd_plugin.models.dense_heads.post_processor import SSDPostProcessor
from ssd_plugin.registry import MODELS

from .runtimes import Runtime


class _DecodedAlready:
    """The coder of boxes that need no decoding."""

    clip_border = False

    def decode(self, _: Tensor, bboxes: Tensor) -> Tensor:
        return bboxes


@MODELS.register_module()
class ExportedDetector(BaseDetector):
    """Predicts with a file of ``tools/export.py``, as the detector that was exported.

    Preprocessing and suppression are those that the file says, in it or here. ONNX and OpenVINO files run on the CPU.

    Args:
        file: The file.
        classes: Names that the file's have to be. None: any.
        input_size: (W, H) that the file's has to be. None: any.

    Raises:
        UserError: The file cannot be run, or is of other classes or of another input size.
    """

    def __init__(
        self, file: str, classes: Optional[Sequence[str]] = None, input_size: Optional[Sequence[int]] = None
    ) -> None:
        runtime = Runtime(Path(file))
        metadata = runtime.metadata
        for name, asked, found in (
            ('classes', classes, metadata.classes),
            ('input_size', input_size, metadata.input_size),
        ):
            if asked is not None and list(asked) != list(found):
                raise UserError(f'{file}: {name} is {list(found)}, expected that of the config, {list(asked)}')
        settings: dict[str, Any] = {}
        if metadata.preprocess == 'outside':
            swaps = metadata.channel_order == 'RGB'
            settings = dict(mean=list(metadata.mean), std=list(metadata.std), bgr_to_rgb=swaps)
        super().__init__(data_preprocessor=dict(type='DetDataPreprocessor', _scope_='mmdet', **settings))
        self.file = file
        self.runtime = runtime
        self.metadata = metadata
        self.input_size = tuple(metadata.input_size)
        self.dataset_meta = dict(classes=tuple(metadata.classes))

    def predict(self, batch_inputs: Tensor, batch_data_samples: list, rescale: bool = True) -> list:
        """Detect in a batch.

        Args:
            batch_inputs: (B, 3, H, W) float, of the data preprocessor.
            batch_data_samples: Of every image, with ``img_shape`` and, to rescale, ``scale_factor``.
            rescale: Give boxes in pixels of the original image instead of the network's input.

        Returns:
            The samples, with ``pred_instances``.

        Raises:
            UserError: The images are not of the file's size.
        """
        height, width = batch_inputs.shape[-2:]
        if (width, height) != self.input_size:
            raise UserError(
                f'{self.file}: takes images of {self.input_size[0]}x{self.input_size[1]}, but the pipeline gives '
                f'{width}x{height} (width x height), expected one size: set the scale of its resizing steps'
            )
        metas = [sample.metainfo for sample in batch_data_samples]
        detections = self._detections(self._forward(batch_inputs), metas, rescale)
        return self.add_pred_to_datasample(batch_data_samples, detections)

    @torch.no_grad()
    def detect(self, image: NDArray[np.uint8]) -> InstanceData:
        """Detect in an image, by the shortest way: without a config and its pipeline.

        Args:
            image: (H, W, 3) uint8 BGR of any size, as ``cv2.imread`` gives it.

        Returns:
            ``bboxes`` (D, 4) xyxy in pixels of the image, ``scores`` and ``labels`` (D,), best first.
        """
        resized = torch.from_numpy(cv2.resize(image, self.input_size))
        if self.metadata.preprocess == 'outside':
            inputs = self.data_preprocessor(dict(inputs=[resized.permute(2, 0, 1)]))['inputs']
        else:
            inputs = resized[None]
        (width, height), size = self.input_size, image.shape
        meta = dict(img_shape=(height, width), scale_factor=(width / size[1], height / size[0]))
        return self._detections(self.runtime(inputs), [meta], rescale=True)[0]

    def _detections(self, outputs: Sequence[Tensor], metas: list[dict], rescale: bool) -> list[InstanceData]:
        detections = self._suppress(outputs, metas) if self.metadata.nms == 'outside' else self._unpad(outputs)
        if rescale:
            for found, meta in zip(detections, metas):
                found.bboxes = found.bboxes / found.bboxes.new_tensor(tuple(meta['scale_factor'])[:2] * 2)
        return detections

    def _suppress(self, outputs: Sequence[Tensor], metas: list[dict]) -> list[InstanceData]:
        bboxes, scores = outputs
        # It begins with logits.
        logits = torch.split(torch.logit(scores), list(self.metadata.level_priors), 1)
        post_process = SSDPostProcessor(self.metadata.test_cfg, _DecodedAlready(), use_sigmoid=True)
        return post_process(logits, bboxes, bboxes[0], metas)

    def _unpad(self, outputs: Sequence[Tensor]) -> list[InstanceData]:
        return [
            InstanceData(bboxes=bboxes[:count], scores=scores[:count], labels=labels[:count])
            for count, bboxes, scores, labels in zip(outputs[0].tolist(), *outputs[1:])
        ]

    def _forward(self, batch_inputs: Tensor, batch_data_samples: Any = None) -> Sequence[Tensor]:
        """Give the outputs of the file for (B, 3, H, W) images of the data preprocessor."""
        return self.runtime(self.file_input(batch_inputs))

    def file_input(self, batch_inputs: Tensor) -> Tensor:
        """Give (B, 3, H, W) images of the data preprocessor the type and order that the file takes."""
        if self.metadata.preprocess == 'inside':
            return batch_inputs.permute(0, 2, 3, 1).to(torch.uint8).contiguous()
        return batch_inputs

    def loss(self, batch_inputs: Tensor, batch_data_samples: Any) -> NoReturn:
        """Refuse to train."""
        raise UserError(f'{self.file}: an exported file predicts alone, expected a checkpoint to train from')

    def extract_feat(self, batch_inputs: Tensor) -> NoReturn:
        """Refuse to give maps, of which a file has none."""
        raise ValueError('an exported file gives no feature maps')
