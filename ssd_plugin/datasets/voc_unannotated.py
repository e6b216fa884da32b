"""VOC's test images whose annotations are not published."""

from typing import Any

from mmdet.datasets import VOCDataset
from mmengine.fileio import get_local_path, join_path, list_from_file
from PIL import Image, UnidentifiedImageError

from ssd_plugin.errors import UserError
from ssd_plugin.registry import DATASETS


@DATASETS.register_module()
class VOCTestDataset(VOCDataset):
    """The images of a VOC list, without objects: VOC2012 test has no annotation files.

    Arguments are those of mmdet's ``VOCDataset``. Only the head of each image file is read, for its size.

    Source: VOC2012 development kit, section 2.1.
    """

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the images.

        Returns:
            Per image ``img_id`` (the name in the list), ``img_path``, ``height``, ``width`` and no ``instances``.

        Raises:
            UserError: An image of the list is missing or is no image file.
        """
        names = (line.strip() for line in list_from_file(self.ann_file, backend_args=self.backend_args))
        return [self._describe(name) for name in names if name]

    def _describe(self, name: str) -> dict[str, Any]:
        path = join_path(self.sub_data_root, self.img_subdir, f'{name}.jpg')
        try:
            with get_local_path(path, backend_args=self.backend_args) as local, Image.open(local) as image:
                width, height = image.size
        except FileNotFoundError as error:
            raise UserError(f'{path}: no such file, expected an image for {name!r} of {self.ann_file}') from error
        except UnidentifiedImageError as error:
            raise UserError(f'{path}: not decodable, expected an image that OpenCV reads') from error
        return {'img_id': name, 'img_path': path, 'height': height, 'width': width, 'instances': []}
