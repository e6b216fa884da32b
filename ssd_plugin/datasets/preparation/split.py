"""Divide images into training and validation: seeded, with every class on both sides where that is possible."""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from random import Random

from ssd_plugin.errors import UserError

# Images without objects are divided like those of a class.
_BACKGROUND = ''


def choose_validation(
    objects: Mapping[Path, Counter[str]],
    digests: Mapping[Path, str],
    train_only: Collection[Path],
    share: float,
    seed: int,
) -> set[Path]:
    """Choose the images to validate with.

    Classes are gone through from the rarest to the most common; of the images of each the share goes to validation, at
    least one, and at least one stays. Images of the same content stay together.

    Args:
        objects: For each image its number of objects by class.
        digests: Hash of the content, of the images that were read.
        train_only: Images that can be trained on, but not validated with.
        share: Share of the images, above 0 and below 1.
        seed: Of the order in which images are taken.

    Returns:
        The images.

    Raises:
        UserError: There are not two different images to divide, or none of them may be validated with.
    """
    groups: dict[str, list[Path]] = {}
    for path in sorted(objects):
        groups.setdefault(digests.get(path, str(path)), []).append(path)
    order = list(groups)
    Random(seed).shuffle(order)
    classes = {key: {name for path in groups[key] for name in objects[path]} or {_BACKGROUND} for key in order}
    free = {key for key in order if not any(path in train_only for path in groups[key])}
    if len(groups) < 2 or not free:
        raise UserError(f'{len(groups)} different images, {len(free)} fit for validation, expected two at least')
    counts = Counter(name for names in classes.values() for name in names)
    wanted = {name: min(max(round(share * count), name != _BACKGROUND), count - 1) for name, count in counts.items()}
    held_out: Counter[str] = Counter()
    chosen: set[str] = set()
    for name in sorted(counts, key=lambda one: (counts[one], one)):
        candidates = [key for key in order if key in free and name in classes[key]]
        while candidates and held_out[name] < wanted[name]:
            # Of those left, the first one that takes least from classes which have their share.
            key = min(candidates, key=lambda one: sum(held_out[other] >= wanted[other] for other in classes[one]))
            candidates.remove(key)
            chosen.add(key)
            held_out.update(classes[key])
        free -= {key for key in order if name in classes[key]}
    if not chosen:
        # Classes of one image each.
        chosen = {next(key for key in order if not any(path in train_only for path in groups[key]))}
    return {path for key in chosen for path in groups[key]}
