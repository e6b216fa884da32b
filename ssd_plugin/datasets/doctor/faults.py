"""What is wrong at one place of a data set, and what becomes of it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from ssd_plugin.errors import printable

#: A run stops before its first step; a cleaned copy leaves the object or image out.
REFUSED = 'refused'
#: A training image that cannot be used: a run takes another one in its place, and lists and counts it.
SKIPPED = 'skipped'
#: A run reads a cleaned copy, or loads the image as it was annotated; nothing is lost.
REPAIRED = 'repaired'
#: A box that mmdet's readers or metrics cannot stand: a run reads a cleaned copy without it.
REMOVED = 'removed'
#: An object or image that training passes over.
LEFT_OUT = 'left out'
#: Used as it is, though its boxes or pixels are probably not what they should be.
SUSPECT = 'suspect'
#: Worth knowing; nothing is lost.
NOTED = 'noted'
BEHAVIOURS = (REFUSED, REMOVED, SKIPPED, LEFT_OUT, SUSPECT, REPAIRED, NOTED)
LOST = (REFUSED, REMOVED, SKIPPED, LEFT_OUT, SUSPECT)
# Letters in a line of a name, a place or a value, each of which a broken file can make endless.
_LONGEST = 400


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        behaviour: One of ``BEHAVIOURS``.
        kind: A few words, the same for all faults of the kind.
        file: The file that has it.
        place: Object and field in the file; empty where it is the whole file.
        found: What is there.
        expected: What should be there.
        count: How many such faults this stands for; the place is that of the first.
        image: The image that shows it; None where none does.
        box: x1, y1, x2, y2 of the faulty box in pixels of that image; None for other faults.
    """

    behaviour: str
    kind: str
    file: str
    place: str
    found: str
    expected: str
    count: int = 1
    image: Optional[Path] = None
    box: Optional[tuple[float, ...]] = None

    def line(self) -> str:
        """Write the fault in one line.

        Returns:
            ``FILE: PLACE: FOUND, expected EXPECTED``, and how many more there are.
        """
        found = ': '.join(_short(part) for part in (self.file, self.place, self.found) if part)
        more = f' (and {self.count - 1} more)' if self.count > 1 else ''
        return printable(f'{found}, expected {self.expected}{more}')


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f'{text[:_LONGEST]}...'


@dataclass(frozen=True)
class ImageEntry:
    """An image as its annotations describe it.

    Attributes:
        path: The image file.
        width: Annotated width in pixels, or None.
        height: Annotated height in pixels, or None.
        objects: Number of objects that can be learned from.
    """

    path: Path
    width: Optional[float]
    height: Optional[float]
    objects: int


@dataclass(frozen=True)
class Checked:
    """What a look at the annotations of one data set found.

    Attributes:
        images: Its images, as far as they can be told.
        faults: Everything that is wrong.
        write_clean: Writes a cleaned copy of the annotations below a folder that exists, without some image files, and
            returns the settings of mmdet's data set that make it read the copy.
    """

    images: list[ImageEntry]
    faults: list[Fault]
    write_clean: Callable[[Path, Collection[Path]], dict[str, str]] = field(repr=False)
