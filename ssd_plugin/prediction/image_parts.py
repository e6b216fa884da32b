"""Cut a list of images into parts: what one worker predicts at a time, and writes into one file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Optional

from ssd_plugin.cli.find_images import find_images, read_list
from ssd_plugin.errors import UserError

EXPECTED = 'a folder of images, a text file of their paths, or Parquet'
# A column is read in pieces of this many bytes, for it may hold more than the memory does.
_BUFFER = 1 << 20


@dataclass(frozen=True)
class ImagePart:
    """Neighbouring images; which they are depends on the input alone, so that a part can be done again.

    Attributes:
        number: Position among the parts.
        names: Paths of the images; or FILE:ROW for rows that hold their contents.
        file: The Parquet file with the contents; '' for paths, as for the next three.
        column: Where in the file, as the next two.
        row_group: Its number in the file.
        start: The first row in the row group.
    """

    number: int
    names: list[str]
    file: str = ''
    column: str = ''
    row_group: int = 0
    start: int = 0

    @property
    def file_name(self) -> str:
        """What its detections are written into."""
        return f'part-{self.number:06d}.parquet'

    def contents(self) -> Iterator[Optional[bytes]]:
        """Read the contents of the images that are stored in a Parquet file.

        Yields:
            For each name what its file would hold, or None for a path, which is still to be read.

        Raises:
            UserError: The Parquet file cannot be read.
        """
        if not self.file:
            yield from (None for _ in self.names)
            return
        with _open(self.file) as file:
            batches = file.iter_batches(len(self.names), row_groups=[self.row_group], columns=[self.column])
            cells = (cell for batch in batches for cell in batch.column(0))
            yield from (cell.as_py() or b'' for cell in islice(cells, self.start, self.start + len(self.names)))


def find_parts(place: Path, column: str, size: int) -> list[ImagePart]:
    """Cut what is to be predicted into parts.

    Args:
        place: A folder of images, a text file with a path on each line, a Parquet file or a folder of such.
        column: Of Parquet: paths as text, or contents of image files as bytes.
        size: Images in a part; less at the end of the input and, for contents, of a row group.

    Returns:
        The parts, in the order of the images.

    Raises:
        UserError: The input is missing, empty or something else.
    """
    files = sorted(place.glob('*.parquet')) if place.is_dir() else [place]
    if files and files[0].suffix == '.parquet':
        found = _parquet(files, column, size)
    elif place.is_dir():
        found = _cut([str(image) for image in find_images([place])], size)
    else:
        found = _cut(read_list(place, EXPECTED), size)
    parts = [ImagePart(number, **part) for number, part in enumerate(found)]
    if not parts:
        raise UserError(f'{place}: names no image, expected {EXPECTED}')
    return parts


def _cut(paths: list[str], size: int) -> list[dict[str, Any]]:
    # Other machines, and Ray's processes on this one, have another current folder.
    names = [path and os.path.abspath(path) for path in paths]
    return [{'names': names[first : first + size]} for first in range(0, len(names), size)]


@contextmanager
def _open(path: str) -> Iterator[Any]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, buffer_size=_BUFFER) as file:
            yield file
    except (OSError, pyarrow.ArrowException) as error:
        raise UserError(f'{path}: cannot be read ({error}), expected a Parquet file') from error


def _parquet(files: list[Path], column: str, size: int) -> list[dict[str, Any]]:
    from pyarrow import types

    paths: list[str] = []
    parts: list[dict[str, Any]] = []
    for path in map(os.path.abspath, files):
        with _open(path) as file:
            if column not in file.schema_arrow.names:
                names = ', '.join(file.schema_arrow.names)
                raise UserError(f'--column {column}: {path} has none of this name, expected one of {names}')
            kind = file.schema_arrow.field(column).type
            if types.is_string(kind) or types.is_large_string(kind):
                paths += [cell or '' for cell in file.read([column]).column(0).to_pylist()]
            elif types.is_binary(kind) or types.is_large_binary(kind):
                rows = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
                parts += _slices(path, column, rows, size)
            else:
                raise UserError(f'--column {column}: {path} has {kind}, expected paths (string) or contents (binary)')
    if paths and parts:
        raise UserError(
            f'--column {column}: paths and contents in {files[0].parent}, expected one of them in all files'
        )
    return parts or _cut(paths, size)


def _slices(file: str, column: str, rows: list[int], size: int) -> Iterator[dict[str, Any]]:
    before = 0
    for group, count in enumerate(rows):
        for start in range(0, count, size):
            names = [f'{file}:{before + row}' for row in range(start, min(start + size, count))]
            yield {'names': names, 'file': file, 'column': column, 'row_group': group, 'start': start}
        before += count
