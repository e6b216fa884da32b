"""Read image files, and say in one line which one cannot be read."""

from typing import Any, Optional

import cv2
import mmcv
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine.fileio import get
from numpy.typing import NDArray

from ssd_plugin.datasets.quarantine import add_image
from ssd_plugin.errors import UserError, printable
from ssd_plugin.registry import TRANSFORMS

_MOST_IN_A_ROW = 100

EXPECTED = 'a JPEG, PNG, BMP, WebP or TIFF file'
JPEG_START, JPEG_SCAN, JPEG_END = b'\xff\xd8', b'\xff\xda', b'\xff\xd9'


def is_truncated_jpeg(data: bytes) -> bool:
    """Tell whether a JPEG file ends before its pixels do.

    Neither marker occurs inside compressed pixels, so a complete file has an end marker after its last scan begins; the
    end of an embedded thumbnail lies before it, and bytes after the end do no harm.

    Args:
        data: Contents of a file of any format.

    Returns:
        True for a JPEG without its end.
    """
    return data.startswith(JPEG_START) and not data.endswith(JPEG_END) and data.rfind(JPEG_END) < data.rfind(JPEG_SCAN)


def check_image(results: dict[str, Any]) -> NDArray[np.uint8]:
    """Get the image of a result dict, refusing what is no 8-bit colour image.

    Args:
        results: mmdet's result dict.

    Returns:
        ``results['img']``, (H, W, 3) uint8.

    Raises:
        UserError: It is no 8-bit colour image.
    """
    image = results['img']
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise UserError(
            f'{results.get("img_path")}: image of shape {image.shape} and type {image.dtype}: '
            'expected (H, W, 3) uint8; load it in colour and without to_float32'
        )
    return image


@TRANSFORMS.register_module()
class LoadImage(LoadImageFromFile):
    """Load an image as 8-bit BGR, and refuse in one line a file that is missing, empty, broken, cut short or mistaken.

    OpenCV decodes a truncated JPEG and paints the missing part grey, which would teach the network that grey is an
    object. mmcv's ``LoadImageFromFile`` accepts such files: put it in this one's place where that is wanted, and in
    pipelines for testing, where mmdet's inferencer looks for its name.

    An image that Exif turns on its side, and that was annotated as it is stored, is loaded as it is stored: the
    annotated size tells. On an image of any other size than annotated, the boxes lie wrong.

    Required keys: img_path; optional: width, height. Added keys: img, img_shape, ori_shape.

    Args:
        imdecode_backend: mmcv's decoder: cv2, turbojpeg, pillow or tifffile.
        backend_args: mmengine's arguments for reading from other places than the disk.
        quarantine: The list that a refused image is added to; the data set then takes another image at random in its
            place. Training through ``tools/train.py`` sets it, see ``QuarantineHook``. None stops at the first one.
    """

    def __init__(
        self,
        imdecode_backend: str = 'cv2',
        backend_args: Optional[dict[str, Any]] = None,
        quarantine: Optional[str] = None,
    ) -> None:
        super().__init__(imdecode_backend=imdecode_backend, backend_args=backend_args)
        self.quarantine = quarantine
        self._refused_in_a_row = 0

    def transform(self, results: dict[str, Any]) -> Optional[dict[str, Any]]:
        """Load ``results['img_path']``.

        Args:
            results: mmdet's result dict.

        Returns:
            The same dict with ``img`` (H, W, 3) uint8 BGR; None for an image that went into quarantine.

        Raises:
            UserError: The file cannot be read, is no image, is a truncated JPEG, or is of another size than annotated,
                and there is no quarantine, or only such images are met.
        """
        path = results['img_path']
        try:
            image = self._read(path, results.get('height'), results.get('width'))
        except UserError as error:
            self._refused_in_a_row += 1
            # A disk that went away, say: the data set would try other images for long.
            if self.quarantine is None or self._refused_in_a_row > _MOST_IN_A_ROW:
                raise
            add_image(self.quarantine, path, str(error))
            return None
        self._refused_in_a_row = 0
        results['img'] = image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results

    def _read(self, path: str, height: Optional[float], width: Optional[float]) -> NDArray[np.uint8]:
        try:
            data = get(path, backend_args=self.backend_args)
        except (OSError, ValueError) as error:
            # ValueError: a name that no file can have.
            found = printable(getattr(error, 'strerror', None) or str(error))
            raise UserError(f'{printable(path)}: {found}: expected {EXPECTED}') from error
        return self.decode(data, path, height, width)

    def decode(
        self, data: bytes, name: str, height: Optional[float] = None, width: Optional[float] = None
    ) -> NDArray[np.uint8]:
        """Decode the contents of a file.

        Args:
            data: The contents.
            name: What the message calls them.
            height: In pixels, as the image was annotated; None if that is unknown.
            width: As the height.

        Returns:
            (H, W, 3) uint8 BGR.

        Raises:
            UserError: They are no image, a truncated JPEG, or of another size than annotated.
        """
        if is_truncated_jpeg(data):
            raise UserError(f'{printable(name)}: JPEG cut short after {len(data)} bytes: expected the whole file')
        try:
            image = self._decode(data, self.color_type) if data else None
            # Exif turned it, but it was annotated as it is stored.
            if image is not None and image.shape[:2] != (height, width) and image.shape[1::-1] == (height, width):
                image = self._decode(data, 'color_ignore_orientation')
        except (cv2.error, OSError, SyntaxError, ValueError) as error:
            raise UserError(f'{printable(name)}: {len(data)} bytes that do not decode: expected {EXPECTED}') from error
        if image is None:
            raise UserError(f'{printable(name)}: {len(data)} bytes that are no image: expected {EXPECTED}')
        if height is not None and width is not None and image.shape[:2] != (height, width):
            found = f'{image.shape[1]} x {image.shape[0]} pixels'
            raise UserError(
                f'{printable(name)}: {found}: expected {width:g} x {height:g}, on which its boxes were annotated'
            )
        return image

    def _decode(self, data: bytes, flag: str) -> Optional[NDArray[np.uint8]]:
        return mmcv.imfrombytes(data, flag=flag, backend=self.imdecode_backend)
