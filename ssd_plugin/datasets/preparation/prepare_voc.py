"""Check PASCAL VOC; the configs read its own files, so that nothing is written."""

from pathlib import Path
from typing import NamedTuple

from ssd_plugin.errors import UserError

from .files import Progress, expect, expect_count, expect_members, read_names

SOURCE_2007 = 'http://host.robots.ox.ac.uk/pascal/VOC/voc2007/'
SOURCE_2012 = 'http://host.robots.ox.ac.uk/pascal/VOC/voc2012/'
SERVER = 'http://host.robots.ox.ac.uk:8080/ (an account is needed)'


class ImageSet(NamedTuple):
    """A list of the data set.

    Attributes:
        year: Of the challenge.
        name: Of the list, without ending.
        images: Published number.
        annotated: Whether there is an annotation file for every image.
        source: Where to get it.
    """

    year: int
    name: str
    images: int
    annotated: bool
    source: str

    def __str__(self) -> str:
        return f'VOC{self.year} {self.name}'


NEEDED = (
    ImageSet(2007, 'trainval', 5011, True, f'{SOURCE_2007} (VOCtrainval_06-Nov-2007.tar)'),
    ImageSet(2007, 'test', 4952, True, f'{SOURCE_2007} (VOCtest_06-Nov-2007.tar)'),
    ImageSet(2012, 'trainval', 11540, True, f'{SOURCE_2012} (VOCtrainval_11-May-2012.tar)'),
)
VAL_2012 = ImageSet(2012, 'val', 5823, True, f'{SOURCE_2012} (VOCtrainval_11-May-2012.tar)')
TEST_2012 = ImageSet(2012, 'test', 10991, False, SERVER)


def prepare_voc(root: Path, progress: Progress) -> list[str]:
    """Check lists, images and annotations.

    Args:
        root: The folder ``VOCdevkit``, with ``VOC2007`` and ``VOC2012``.
        progress: Shows how far it is.

    Returns:
        What is there, one line a list. VOC2012 test, which only the configs ``voc0712pp`` use, may be missing.

    Raises:
        UserError: Something that ``voc07`` or ``voc0712`` use is missing or not whole.
    """
    expect(root, 'folder', f'{SOURCE_2007} and {SOURCE_2012}')
    lines = [_check(root, part) for part in progress((*NEEDED, VAL_2012), 'checking VOC', len(NEEDED) + 1)]
    try:
        lines.append(_check(root, TEST_2012))
    except UserError as error:
        lines.append(f'not there, and used by the configs voc0712pp alone: {error}')
    return lines


def _check(root: Path, part: ImageSet) -> str:
    folder = root / f'VOC{part.year}'
    listed = folder / 'ImageSets' / 'Main' / f'{part.name}.txt'
    expect(listed, 'file', part.source)
    names = read_names(listed)
    expect_count(len(names), part.images, str(listed))
    expect_members(names, folder / 'JPEGImages', '.jpg', part.source)
    if part.annotated:
        expect_members(names, folder / 'Annotations', '.xml', part.source)
    return f'{part}: {len(names)} images'
