"""Predict parts of a list of images, each into one Parquet file."""

import json
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Optional

import pyarrow
from mmdet.datasets.transforms import InferencerLoader
from numpy.typing import NDArray
from pyarrow import parquet

from ssd_plugin.cli.build_inferencer import build_inferencer
from ssd_plugin.datasets.transforms import LoadImage
from ssd_plugin.errors import UserError
from ssd_plugin.whole_file import whole_file

from .image_parts import ImagePart

# One row for each image. Of an image that cannot be read there is the error alone.
FIELDS = (
    ('image', pyarrow.string()),
    ('bboxes', pyarrow.list_(pyarrow.list_(pyarrow.float32()))),
    ('scores', pyarrow.list_(pyarrow.float32())),
    ('labels', pyarrow.list_(pyarrow.int64())),
    ('error', pyarrow.string()),
)
# A worker may die with its machine; a part whose workers all died is what killed them.
MAX_TRIES = 4


class PartPredictor:
    """Predict parts; a part that is done twice, because a worker died, is written twice the same.

    Args:
        out_dir: Folder of the parts.
        batch_size: Images that go through the network at once.
        build: Arguments of :func:`~ssd_plugin.cli.build_inferencer.build_inferencer`.
    """

    def __init__(self, out_dir: Path, batch_size: int, build: dict[str, Any]) -> None:
        self.out_dir = out_dir
        self.batch_size = batch_size
        self.build = build

    @cached_property
    def inferencer(self) -> Any:
        """The model and its test pipeline, built for the first part."""
        return build_inferencer(**self.build, show_progress=False)

    @cached_property
    def reader(self) -> LoadImage:
        """What decodes as the test pipeline does, and refuses what it would fill up or die of."""
        loaders = (step for step in self.inferencer.pipeline.transforms if isinstance(step, InferencerLoader))
        return LoadImage(next(loaders).from_file.imdecode_backend)

    def __call__(self, part: dict[str, Any]) -> dict[str, Any]:
        """Predict a part and write it.

        Args:
            part: The values of an :class:`~ssd_plugin.prediction.image_parts.ImagePart`.

        Returns:
            ``failure``: why no part can be written, in one line, or None. A part that killed its workers is left out.
        """
        images = ImagePart(**part)
        path = self.out_dir / images.file_name
        tries = path.with_name(f'.{path.name}.tries')
        try:
            with tries.open('a') as file:
                file.write('x')
                if file.tell() > MAX_TRIES:
                    return {'failure': None}
            table = self._predict(images)
            with whole_file(path, 'wb') as file:
                parquet.write_table(table, file)
            tries.unlink(missing_ok=True)
        except UserError as error:
            return {'failure': str(error)}
        except OSError as error:
            return {'failure': f'{path}: {error.strerror or error}, expected a folder with room to write in'}
        return {'failure': None}

    def _predict(self, part: ImagePart) -> pyarrow.Table:
        classes = json.dumps(self.inferencer.model.dataset_meta['classes'])
        return pyarrow.Table.from_pylist(list(self._rows(part)), pyarrow.schema(FIELDS, metadata={'classes': classes}))

    def _rows(self, part: ImagePart) -> Iterator[dict[str, Any]]:
        images = zip(part.names, part.contents())
        while batch := list(islice(images, self.batch_size)):
            read = [self._read(name, content) for name, content in batch]
            sound = [image for image, _ in read if image is not None]
            found = iter(self.inferencer(sound, batch_size=self.batch_size)['predictions'] if sound else [])
            for (name, _), (_, error) in zip(batch, read):
                yield {'image': name, 'error': error} if error else {'image': name, **next(found)}

    def _read(self, name: str, content: Optional[bytes]) -> tuple[Optional[NDArray], Optional[str]]:
        try:
            if content is None:
                return self.reader({'img_path': name})['img'], None
            return self.reader.decode(content, name), None
        except UserError as error:
            return None, str(error)
