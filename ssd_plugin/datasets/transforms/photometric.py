"""The colour distortion of SSD."""

from typing import Any, Optional

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from ssd_plugin.errors import UserError
from ssd_plugin.registry import TRANSFORMS

from .augment_params import Distortion, draw_distortion
from .checks import check_interval, check_probability
from .loading import check_image

Image = NDArray[np.uint8]
HUE, SATURATION = 0, 1
LEVELS = np.arange(256, dtype=np.float32)
# Factors this close to 1 change no level: the authors skip them.
NEUTRAL_CONTRAST = 1e-3


def level_table(scale: float = 1.0, offset: float = 0.0) -> Image:
    """Tabulate ``level * scale + offset`` in 8 bits.

    Args:
        scale: Factor, >= 0.
        offset: Summand in levels.

    Returns:
        (256,) uint8: single-precision result, rounded half to even, saturated to 0..255, as OpenCV's ``convertTo``.
    """
    table = LEVELS * np.float32(scale) + np.float32(offset)
    return np.clip(np.rint(table), 0, 255).astype(np.uint8)


def _change_hsv(image: Image, channel: int, table: Image) -> Image:
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    changed = cv2.LUT(cv2.extractChannel(hsv, channel), table)
    cv2.insertChannel(changed, hsv, channel)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR, dst=hsv)


def distort(image: Image, distortion: Distortion) -> Image:
    """Apply a distortion in 8 bits, every operation rounded and saturated by itself.

    Order: brightness, contrast, saturation, hue; or brightness, saturation, hue, contrast. Results of the hue below 0
    saturate to 0, results of 180 and more wrap on the way back to BGR. Neighbouring brightness and contrast share one
    pass over the pixels, which changes no value: their tables are chained.

    Args:
        image: (H, W, 3) uint8 BGR; left untouched.
        distortion: What to do.

    Returns:
        (H, W, 3) uint8 BGR; ``image`` itself where nothing is to be done.

    Source: weiliu89/caffe: src/caffe/util/im_transforms.cpp (AdjustBrightness, AdjustContrast, AdjustSaturation,
    AdjustHue).
    """
    early: Optional[Image] = None if distortion.brightness is None else level_table(offset=distortion.brightness)
    late: Optional[Image] = None
    if distortion.contrast is not None and abs(distortion.contrast - 1) > NEUTRAL_CONTRAST:
        late = level_table(scale=distortion.contrast)
    in_hsv = distortion.saturation is not None or distortion.hue is not None
    if late is not None and not (in_hsv and distortion.contrast_last):
        early, late = late if early is None else late[early], None
    if early is not None:
        image = cv2.LUT(image, early)
    if distortion.saturation is not None:
        image = _change_hsv(image, SATURATION, level_table(scale=distortion.saturation))
    if distortion.hue is not None:
        image = _change_hsv(image, HUE, level_table(offset=distortion.hue))
    if late is not None:
        image = cv2.LUT(image, late)
    return image


@TRANSFORMS.register_module()
class SSDPhotometricDistort(BaseTransform):
    """Distort brightness, contrast, saturation and hue as the authors do; it comes first, before any filler exists.

    Required keys: img. Modified keys: img.

    Args:
        brightness_delta: Brightness is shifted by up to +-delta levels.
        contrast_range: Bounds of the contrast factor.
        saturation_range: Bounds of the saturation factor.
        hue_delta: Hue is shifted by up to +-delta units of 2 degrees; the authors' 18 are 36 degrees.
        prob: Probability of each of the four operations.

    Raises:
        UserError: An argument is out of its range.

    Source: weiliu89/caffe: examples/ssd/ssd_pascal.py (distort_param).
    Differs: no second JPEG compression of the result; the authors' channel shuffle has probability 0 and is left out.
    """

    def __init__(
        self,
        brightness_delta: float = 32,
        contrast_range: tuple[float, float] = (0.5, 1.5),
        saturation_range: tuple[float, float] = (0.5, 1.5),
        hue_delta: float = 18,
        prob: float = 0.5,
    ) -> None:
        for name, delta, limit in (('brightness_delta', brightness_delta, 255), ('hue_delta', hue_delta, 90)):
            if not 0 <= delta <= limit:
                raise UserError(f'SSDPhotometricDistort.{name} = {delta!r}: expected a number from 0 to {limit}')
        check_interval('SSDPhotometricDistort.contrast_range', contrast_range, low=0)
        check_interval('SSDPhotometricDistort.saturation_range', saturation_range, low=0)
        check_probability('SSDPhotometricDistort.prob', prob)
        self.brightness_delta = brightness_delta
        self.contrast_range = contrast_range
        self.saturation_range = saturation_range
        self.hue_delta = hue_delta
        self.prob = prob

    def draw(self) -> Distortion:
        """Draw the distortion of one image.

        Returns:
            The distortion.
        """
        return draw_distortion(
            self.prob, self.brightness_delta, self.contrast_range, self.saturation_range, self.hue_delta
        )

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Distort ``results['img']``.

        Args:
            results: mmdet's result dict with ``img`` (H, W, 3) uint8 BGR.

        Returns:
            The same dict.
        """
        results['img'] = distort(check_image(results), self.draw())
        return results
