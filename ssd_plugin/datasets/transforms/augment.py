"""SSD's augmentation in one pass over the pixels."""

from collections.abc import Sequence
from typing import Any, Optional, Union

import cv2
from mmcv.transforms import BaseTransform

from ssd_plugin.registry import TRANSFORMS

from .augment_params import Distortion, PixelRectangle, draw_flip
from .checks import check_probability
from .geometric import MEAN_COLOUR, SSDBatchSampleCrop, SSDExpand, SSDResize
from .gt_fields import get_boxes, keep_labels, mirror, project_to_crop, rescale, set_boxes, shift
from .loading import check_image
from .photometric import SSDPhotometricDistort
from .render_crop import render

#: True, False, or the arguments of the step.
Setting = Union[bool, dict[str, Any]]

UNDISTORTED = Distortion(contrast_last=False, brightness=None, contrast=None, saturation=None, hue=None)


@TRANSFORMS.register_module()
class SSDAugment(BaseTransform):
    """Distort, expand, crop, resize and mirror in one pass, several times as fast as one after the other.

    The geometry is drawn on the boxes alone; then the part of the image that shows is cut, resized straight into the
    output and distorted once. Boxes, labels and flags equal those of ``SSDPhotometricDistort``, ``SSDExpand``,
    ``SSDBatchSampleCrop``, ``SSDResize`` and mmdet's ``RandomFlip`` under the same random state, to the last bit; the
    pixels are the same up to rounding.

    Required keys: img, gt_bboxes. Modified keys: img, img_shape, gt_bboxes, gt_bboxes_labels, gt_ignore_flags. Added
    keys: scale_factor, flip, flip_direction.

    Args:
        scale: (width, height) of the output in pixels.
        distort: Distort the colours. Arguments of ``SSDPhotometricDistort`` may be given instead of True.
        expand_prob: Probability of expanding; 0 leaves the step out, as in the models without a star.
        expand_ratio_range: Bounds of the ratio of canvas to image.
        fill: Colour around an expanded image, BGR.
        crop: Sample crops. Arguments of ``SSDBatchSampleCrop`` may be given instead of True.
        random_interpolation: Draw one of five interpolations instead of bilinear.
        flip_prob: Probability of mirroring left to right.

    Raises:
        UserError: An argument is out of its range.

    Source: sections 2.2 and 3.6 of the paper; weiliu89/caffe: examples/ssd/ssd_pascal.py.
    Differs: the distortion may follow the resizing; an image on a canvas is placed with an error of at most half of
    its own pixels.
    """

    def __init__(
        self,
        scale: Sequence[int],
        distort: Setting = True,
        expand_prob: float = 0.5,
        expand_ratio_range: tuple[float, float] = (1.0, 4.0),
        fill: Sequence[int] = MEAN_COLOUR,
        crop: Setting = True,
        random_interpolation: bool = True,
        flip_prob: float = 0.5,
    ) -> None:
        check_probability('SSDAugment.flip_prob', flip_prob)
        self.distort = _step(SSDPhotometricDistort, distort)
        self.expand = SSDExpand(expand_prob, expand_ratio_range, fill)
        self.crop = _step(SSDBatchSampleCrop, crop)
        self.resize = SSDResize(scale, random_interpolation)
        self.flip_prob = flip_prob

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Augment the image and its objects.

        Args:
            results: mmdet's result dict with ``img`` (H, W, 3) uint8 BGR.

        Returns:
            The same dict with ``img`` (scale[1], scale[0], 3) uint8 BGR.
        """
        image = check_image(results)
        boxes = get_boxes(results)
        height, width = image.shape[:2]
        distortion = self.distort.draw() if self.distort else UNDISTORTED
        left = top = 0
        expansion = self.expand.draw(width, height) if self.expand.prob > 0 else None
        if expansion is not None:
            width, height = expansion.canvas_width, expansion.canvas_height
            left, top = expansion.left, expansion.top
            boxes = shift(boxes, left, top)
        cut = PixelRectangle(0, 0, width, height)
        if self.crop:
            crop = self.crop.draw(boxes, width, height)
            cut = crop.pixels(width, height)
            boxes, keep = project_to_crop(boxes, crop, width, height)
            keep_labels(results, keep)
        scale = self.resize.scale
        scale_factor = (scale[0] / cut.width, scale[1] / cut.height)
        boxes = rescale(boxes, scale_factor, *scale)
        place = (left - cut.left, top - cut.top)
        interpolation = self.resize.draw()
        image = render(image, place, (cut.width, cut.height), scale, interpolation, self.expand.fill, distortion)
        flip = draw_flip(self.flip_prob)
        if flip:
            image = cv2.flip(image, 1)
            boxes = mirror(boxes, scale[0])
        set_boxes(results, boxes)
        results['img'] = image
        results['img_shape'] = image.shape[:2]
        results['scale_factor'] = scale_factor
        results['flip'] = flip
        results['flip_direction'] = 'horizontal' if flip else None
        return results


def _step(kind: Any, setting: Setting) -> Optional[Any]:
    if isinstance(setting, dict):
        return kind(**setting)
    return kind() if setting else None
