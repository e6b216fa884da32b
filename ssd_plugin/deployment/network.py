"""The part of a detector that an exported file holds: from images to a box and scores of every default box."""

import copy
from typing import Any

import torch
from mmcv.cnn import fuse_conv_bn
from torch import Tensor, nn

from ssd_plugin.errors import UserError
from ssd_plugin.models.dense_heads import SSDHead
from ssd_plugin.models.dense_heads.levels import split_by_prior
from ssd_plugin.models.detectors import SSD
from ssd_plugin.models.task_modules import DeltaBoxCoder


class ExportableSSD(nn.Module):
    """A detector without suppression, of plain tensors alone; every constant is a buffer, so that it moves along.

    Args:
        detector: With its trained weights, on the CPU; it is copied.
        preprocess: 'inside': take (B, H, W, 3) uint8 BGR. 'outside': take (B, 3, H, W) float32, normalised.

    Raises:
        UserError: The detector is none of this package.
    """

    priors: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, detector: Any, preprocess: str) -> None:
        super().__init__()
        if not (isinstance(detector, SSD) and isinstance(detector.bbox_head, SSDHead)):
            raise UserError(
                f'model.type: {type(detector).__name__} with {type(getattr(detector, "bbox_head", None)).__name__}, '
                'expected ssd_plugin.SSD with ssd_plugin.SSDHead to export'
            )
        self.preprocess = preprocess
        preprocessor = detector.data_preprocessor
        self.swap_channels: bool = preprocessor._channel_conversion
        normalizes = preprocessor._enable_normalize
        self.register_buffer('mean', preprocessor.mean.flatten() if normalizes else torch.zeros(3))
        self.register_buffer('std', preprocessor.std.flatten() if normalizes else torch.ones(3))
        self.detector = copy.deepcopy(detector).eval().requires_grad_(False)
        self.detector.data_preprocessor = nn.Identity()
        # An order of memory is the runtime's own affair.
        self.detector.memory_format = torch.contiguous_format
        fuse_conv_bn(self.detector)
        self.head = self.detector.bbox_head
        sizes = self.detector.map_sizes
        self.register_buffer('priors', self.head.priors([torch.empty(1, 1, *size) for size in sizes]))
        self.level_priors = [h * w * boxes for (h, w), boxes in zip(sizes, self.head.num_base_priors)]
        if isinstance(self.head.bbox_coder, DeltaBoxCoder):
            # Plain constants would stay on the device of the export.
            means, stds = self.head.bbox_coder._constants(torch.device('cpu'))
            self.register_buffer('coder_means', means)
            self.register_buffer('coder_stds', stds)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Predict for every default box.

        Args:
            images: As ``preprocess`` says.

        Returns:
            Boxes (B, N, 4) xyxy in pixels of the input, and scores (B, N, C).
        """
        if self.preprocess == 'inside':
            images = images.permute(0, 3, 1, 2)
            # Whole planes: to reverse the channels inside every pixel takes OpenVINO milliseconds.
            images = (images[:, [2, 1, 0]] if self.swap_channels else images).float()
            images = (images - self.mean[:, None, None]) / self.std[:, None, None]
        cls_scores, bbox_preds = self.head(self.detector.extract_feat(images))
        logits = torch.cat(split_by_prior(cls_scores, self.head.cls_out_channels), 1)
        deltas = torch.cat(split_by_prior(bbox_preds, 4), 1)  # (B, N, 4)
        scores = logits.sigmoid() if self.head.use_sigmoid_cls else logits.softmax(2)[..., :-1]
        priors = self.priors.expand_as(deltas).flatten(0, 1)
        bboxes = self.head.bbox_coder.decode(priors, deltas.flatten(0, 1)).view_as(deltas)
        if self.head.bbox_coder.clip_border:
            width, height = self.detector.input_size
            bboxes = torch.stack(
                [part.clamp(0, limit) for part, limit in zip(bboxes.unbind(2), (width, height, width, height))], 2
            )
        return bboxes, scores

    def example(self, batch: int = 2) -> Tensor:
        """Make a batch of images of the right type and size, of zeros."""
        width, height = self.detector.input_size
        if self.preprocess == 'inside':
            return torch.zeros(batch, height, width, 3, dtype=torch.uint8)
        return torch.zeros(batch, 3, height, width)
