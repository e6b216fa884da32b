"""The geometric steps of SSD's augmentation, one transform each; mmdet's ``RandomFlip`` follows them."""

from collections.abc import Sequence
from typing import Any, Optional

import cv2
from mmcv.transforms import BaseTransform
from mmdet.datasets.transforms import Resize
from numpy.typing import NDArray

from ssd_plugin.errors import UserError
from ssd_plugin.registry import TRANSFORMS

from .augment_params import Crop, Expansion, draw_crop, draw_expansion, draw_interpolation
from .checks import check_colour, check_interval, check_probability, check_scale
from .gt_fields import get_boxes, keep_labels, project_to_crop, set_boxes, shift
from .loading import check_image

#: Mean colour of ImageNet in BGR, which the network's input subtracts: filler becomes 0.
MEAN_COLOUR = (104, 117, 123)


@TRANSFORMS.register_module()
class SSDExpand(BaseTransform):
    """Put the image somewhere on a larger canvas of the mean colour: the "zoom out" that makes objects small.

    Required keys: img, gt_bboxes. Modified keys: img, img_shape, gt_bboxes.

    Args:
        prob: Probability of expanding.
        ratio_range: Bounds of the ratio of canvas to image, the same for width and height; at least 1.
        fill: Colour of the canvas, BGR.

    Raises:
        UserError: An argument is out of its range.

    Source: section 3.6 of the paper; weiliu89/caffe: examples/ssd/ssd_pascal.py (expand_param).
    Differs: no second JPEG compression of the result.
    """

    def __init__(
        self,
        prob: float = 0.5,
        ratio_range: tuple[float, float] = (1.0, 4.0),
        fill: Sequence[int] = MEAN_COLOUR,
    ) -> None:
        check_probability('SSDExpand.prob', prob)
        check_interval('SSDExpand.ratio_range', ratio_range, low=1)
        self.prob = prob
        self.ratio_range = ratio_range
        self.fill = check_colour('SSDExpand.fill', fill)

    def draw(self, width: int, height: int) -> Optional[Expansion]:
        """Draw the expansion of one image.

        Args:
            width: Image width in pixels.
            height: Image height in pixels.

        Returns:
            The expansion, or None where the image stays as it is.
        """
        return draw_expansion(width, height, self.prob, self.ratio_range)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Expand the image with the drawn probability.

        Args:
            results: mmdet's result dict.

        Returns:
            The same dict.
        """
        image = check_image(results)
        height, width = image.shape[:2]
        expansion = self.draw(width, height)
        if expansion is None:
            return results
        right = expansion.canvas_width - width - expansion.left
        bottom = expansion.canvas_height - height - expansion.top
        border = (expansion.top, bottom, expansion.left, right)
        results['img'] = cv2.copyMakeBorder(image, *border, cv2.BORDER_CONSTANT, value=self.fill)
        results['img_shape'] = results['img'].shape[:2]
        set_boxes(results, shift(get_boxes(results), expansion.left, expansion.top))
        return results


@TRANSFORMS.register_module()
class SSDBatchSampleCrop(BaseTransform):
    """Cut one of up to seven rectangles: the whole image, and one for every sampler that finds one.

    Objects stay if their centre lies in the rectangle. A rectangle without objects is as good as any other.

    Required keys: img, gt_bboxes. Modified keys: img, img_shape, gt_bboxes, gt_bboxes_labels, gt_ignore_flags.

    Args:
        min_ious: One sampler each: the IoU its rectangle must reach with at least one object; 0 takes any rectangle.
        trials: Rectangles tried by a sampler.
        scale_range: Bounds of the square root of the rectangle's area, as a fraction of the image.
        aspect_range: Bounds of the rectangle's width-to-height ratio, relative to the image's own.

    Raises:
        UserError: An argument is out of its range.

    Source: section 2.2 of the paper; weiliu89/caffe: examples/ssd/ssd_pascal.py (batch_sampler).
    Differs: no second JPEG compression of the result.
    """

    def __init__(
        self,
        min_ious: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9, 0.0),
        trials: int = 50,
        scale_range: tuple[float, float] = (0.3, 1.0),
        aspect_range: tuple[float, float] = (0.5, 2.0),
    ) -> None:
        for min_iou in min_ious:
            check_probability('SSDBatchSampleCrop.min_ious', min_iou)
        if trials < 1:
            raise UserError(f'SSDBatchSampleCrop.trials = {trials!r}: expected a whole number above 0')
        check_interval('SSDBatchSampleCrop.scale_range', scale_range, low=0.01, high=1)
        check_interval('SSDBatchSampleCrop.aspect_range', aspect_range, low=0.01)
        self.min_ious = tuple(min_ious)
        self.trials = trials
        self.scale_range = scale_range
        self.aspect_range = aspect_range

    def draw(self, boxes: NDArray[Any], width: int, height: int) -> Crop:
        """Draw the crop of one image.

        Args:
            boxes: (M, 4) xyxy in pixels, every object, ignored ones too.
            width: Image width in pixels.
            height: Image height in pixels.

        Returns:
            The crop.
        """
        return draw_crop(boxes, width, height, self.min_ious, self.trials, self.scale_range, self.aspect_range)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Crop the image and its objects.

        Args:
            results: mmdet's result dict.

        Returns:
            The same dict.
        """
        image = check_image(results)
        height, width = image.shape[:2]
        boxes = get_boxes(results)
        crop = self.draw(boxes, width, height)
        cut = crop.pixels(width, height)
        results['img'] = image[cut.top : cut.top + cut.height, cut.left : cut.left + cut.width]
        results['img_shape'] = results['img'].shape[:2]
        boxes, keep = project_to_crop(boxes, crop, width, height)
        set_boxes(results, boxes)
        keep_labels(results, keep)
        return results


@TRANSFORMS.register_module()
class SSDResize(Resize):
    """Resize to the network's size, whatever the ratio of sides, each image with an interpolation drawn from five.

    All but the choice of interpolation is mmdet's ``Resize``.

    Args:
        scale: (width, height) in pixels.
        random_interpolation: Draw the interpolation; otherwise it is bilinear, as in testing.

    Raises:
        UserError: ``scale`` is not two whole numbers above 0.

    Source: weiliu89/caffe: examples/ssd/ssd_pascal.py (resize_param).
    """

    def __init__(self, scale: Sequence[int], random_interpolation: bool = True) -> None:
        super().__init__(scale=check_scale('SSDResize.scale', scale), keep_ratio=False)
        self.random_interpolation = random_interpolation

    def draw(self) -> str:
        """Draw the interpolation of one image.

        Returns:
            mmcv's name of it.
        """
        return draw_interpolation() if self.random_interpolation else 'bilinear'

    def _resize_img(self, results: dict[str, Any]) -> None:
        self.interpolation = self.draw()
        super()._resize_img(results)
