"""The data doctor: look through annotations and images of data sets, and sum up what is wrong."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Callable

from ssd_plugin.errors import UserError

from .check_annotations import check_source
from .faults import BEHAVIOURS, LOST, NOTED, REFUSED, SKIPPED, SUSPECT, Checked, Fault
from .images import check_image, in_training
from .parallel import spread
from .sources import Source

#: Wraps what is gone through, given a description and the number of steps, and shows how far it is.
Progress = Callable[[Iterable[Any], str, int], Iterable[Any]]


@dataclass(frozen=True)
class Examined:
    """What the doctor found in one data set.

    Attributes:
        source: The data set.
        checked: What its annotations gave.
        faults: Everything that is wrong with annotations and images, the gravest first.
        unusable: Image files that a run refuses or passes over.
        digests: Content hash of each image file that was read.
    """

    source: Source
    checked: Checked
    faults: list[Fault]
    unusable: set[Path]
    digests: dict[Path, str]

    @property
    def objects(self) -> int:
        """Number of objects that can be learned from."""
        return sum(image.objects for image in self.checked.images)


def examine(sources: Sequence[Source], progress: Progress) -> list[Examined]:
    """Look through data sets.

    Args:
        sources: Where they are.
        progress: Shows how far the look at annotations and images is.

    Returns:
        What was found, in the order of the sources.
    """
    results = [_examine(source, progress) for source in sources]
    trained = {digest: path for one in results if one.source.training for path, digest in one.digests.items()}
    for one in results:
        for path, digest in {} if one.source.training else one.digests.items():
            if digest in trained:
                found = f'the same content as {trained[digest]}, which is trained on'
                expected = 'an image of its own'
                one.faults.append(Fault(SUSPECT, 'image trained on', str(path), '', found, expected, image=path))
        one.faults.sort(key=lambda fault: BEHAVIOURS.index(fault.behaviour))
    return results


def _examine(source: Source, progress: Progress) -> Examined:
    (checked,) = progress(map(check_source, [source]), f'{source.key} annotations', 1)
    images = list({image.path: image for image in checked.images}.values())
    faults, unusable, digests = list(checked.faults), set(), {}
    found = progress(spread(check_image, images), f'{source.key} images', len(images))
    for result, image in zip(found, images):
        seen = [replace(in_training(fault) if source.training else fault, image=image.path) for fault in result.faults]
        faults += seen
        if result.digest is not None:
            digests[image.path] = result.digest
        if any(fault.behaviour in (REFUSED, SKIPPED) for fault in seen):
            unusable.add(image.path)
    empty = [image.path for image in checked.images if not image.objects]
    if empty:
        expected = 'objects, unless it is meant as background'
        first = str(empty[0])
        faults.append(Fault(NOTED, 'image without objects', first, '', 'no object', expected, len(empty), empty[0]))
    if source.training and images and len(empty) == len(checked.images):
        file = str(source.annotations)
        faults.append(Fault(REFUSED, 'no object', file, '', 'no object to learn from', 'at least one'))
    return Examined(source, checked, faults, unusable, digests)


def is_lossy(results: Iterable[Examined]) -> bool:
    """Tell whether something would be lost or wrong in training.

    Args:
        results: What was found.

    Returns:
        True if more is wrong than what is repaired or merely worth knowing.
    """
    return any(fault.behaviour in LOST for one in results for fault in one.faults)


def table(results: Iterable[Examined]) -> list[list[str]]:
    """Sum up by data set and kind of fault.

    Args:
        results: What was found.

    Returns:
        The rows of a table, the head first.
    """
    rows = [['data set', 'fault', 'count', 'in a run']]
    for one in results:
        rows.append([one.source.key, f'{len(one.checked.images)} images, {one.objects} objects', '', ''])
        for (behaviour, kind), faults in by_kind(one.faults).items():
            rows.append(['', kind, str(sum(fault.count for fault in faults)), behaviour])
    return rows


def first_lines(results: Iterable[Examined]) -> list[str]:
    """Give the line of the first fault of each kind.

    Args:
        results: What was found.

    Returns:
        The lines.
    """
    return [faults[0].line() for one in results for faults in by_kind(one.faults).values()]


def as_json(results: Iterable[Examined]) -> list[dict[str, Any]]:
    """Describe everything that was found.

    Args:
        results: What was found.

    Returns:
        What JSON can hold: for each data set its key, files and faults.
    """
    return [
        {
            'data_set': one.source.key,
            'annotations': str(one.source.annotations),
            'images': len(one.checked.images),
            'objects': one.objects,
            'faults': [
                {**asdict(fault), 'image': fault.image and str(fault.image), 'line': fault.line()}
                for fault in one.faults
            ],
        }
        for one in results
    ]


def expect_new_folder(folder: Path) -> None:
    """Refuse a folder for cleaned copies in which something may be overwritten.

    Args:
        folder: Where they are to be written.

    Raises:
        UserError: It is no folder, or holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f'{folder}: exists already, expected a new or empty folder for the cleaned copy')


def write_clean(results: Iterable[Examined], folder: Path) -> dict[str, dict[str, str]]:
    """Write cleaned copies of the annotations, without what cannot be used.

    Args:
        results: What was found.
        folder: Where to; new or empty.

    Returns:
        For each data set's key the settings that make mmdet's data set read the copy.
    """
    settings = {}
    for one in results:
        target = folder / one.source.key
        target.mkdir(parents=True)
        settings[one.source.key] = one.checked.write_clean(target, one.unusable)
    return settings


def by_kind(faults: Iterable[Fault]) -> dict[tuple[str, str], list[Fault]]:
    """Sort faults by what becomes of them and by their kind.

    Args:
        faults: In any order.

    Returns:
        The faults of each behaviour and kind, both in the order of the first.
    """
    kinds: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        kinds.setdefault((fault.behaviour, fault.kind), []).append(fault)
    return kinds
