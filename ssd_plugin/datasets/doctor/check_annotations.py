"""The check of a run: annotation faults are refused, or repaired in a copy, before anything is built."""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple, Optional

from ssd_plugin.errors import UserError

from .coco import check_coco
from .faults import LEFT_OUT, REFUSED, REMOVED, REPAIRED, SUSPECT, Checked, Fault
from .images import check_head
from .parallel import spread
from .sources import Source, config_sources
from .voc import check_voc
from .yolo import check_yolo

_NEED_COPY = (REPAIRED, REMOVED)


class AnnotationCheck(NamedTuple):
    """What the check of a run found.

    Attributes:
        lines: One for each kind of fault of each data set, for the user to read.
        copies: By the key path of a data set, the settings that make it read its repaired copy.
    """

    lines: list[str]
    copies: dict[str, dict[str, str]]


def check_source(source: Source) -> Checked:
    """Look through the annotations of one data set.

    Args:
        source: Where they are.

    Returns:
        What was found.
    """
    if source.yolo:
        return check_yolo(source)
    return check_coco(source) if source.xml_folder is None else check_voc(source)


def check_annotations(config: Any, loaders: tuple[str, ...], folder: Optional[Path]) -> AnnotationCheck:
    """Check the annotations of a run, the images of its validation data included.

    What is checked are mmdet's VOC and COCO data sets on a disk; mmdet's readers read them afterwards.

    Args:
        config: A whole config.
        loaders: The sections to look at, of ``train_dataloader``, ``val_dataloader``, ``test_dataloader``.
        folder: Where repaired copies may be written, inside the run's ``work_dir``; made when needed. ``None``: what
            needs a copy is refused.

    Returns:
        What a user should know, and the copies, for :func:`read_copies`.

    Raises:
        UserError: Something cannot be repaired: the line has the file, the object and the field; or there is nothing
            to train on. Nothing is written then.
    """
    keys: dict[Source, list[str]] = {}
    for source, _ in config_sources(config, loaders):
        keys.setdefault(dataclasses.replace(source, key=''), []).append(source.key)
    found = {source: check_source(source) for source in keys}
    for source, checked in found.items():
        if not source.training:
            checked.faults.extend(fault for faults in spread(check_head, checked.images) for fault in faults)
        refused = [
            fault for fault in checked.faults if fault.behaviour in (REFUSED, *(_NEED_COPY if not folder else ()))
        ]
        if refused:
            others = f' (and {len(refused) - 1} more: tools/check_dataset.py lists them)' if len(refused) > 1 else ''
            remedy = '' if folder else '; tools/check_dataset.py --fix writes a repaired copy'
            raise UserError(refused[0].line() + others + remedy)
    trained = {source: checked for source, checked in found.items() if source.training}
    if trained and not any(image.objects for checked in trained.values() for image in checked.images):
        raise UserError(
            f'{", ".join(key for source in trained for key in keys[source])}: no object of its classes to learn from, '
            'expected at least one: look at the boxes, the list of images and metainfo.classes'
        )
    lines: list[str] = []
    copies: dict[str, dict[str, str]] = {}
    for number, (source, checked) in enumerate(found.items(), 1):
        lines += _summary(checked.faults, (LEFT_OUT, SUSPECT) if source.training else (SUSPECT,), '')
        if folder is not None and any(fault.behaviour in _NEED_COPY for fault in checked.faults):
            target = folder / f'{number}'
            target.mkdir(parents=True, exist_ok=True)
            settings = checked.write_clean(target, ())
            copies.update(dict.fromkeys(keys[source], settings))
            lines += _summary(checked.faults, _NEED_COPY, f' in a copy ({target})')
    return AnnotationCheck(lines, copies)


def read_copies(config: Any, loaders: tuple[str, ...], copies: dict[str, dict[str, str]]) -> None:
    """Let a run read repaired copies.

    Args:
        config: Changed in place: the data sets and metrics that named a repaired file name its copy afterwards.
        loaders: As for :func:`check_annotations`.
        copies: What that returned.
    """
    for source, part in config_sources(config, loaders):
        if source.key in copies:
            part.update(copies[source.key])
            _redirect_metrics(config, str(source.annotations), copies[source.key]['ann_file'])


def _summary(faults: list[Fault], behaviours: tuple[str, ...], where: str) -> list[str]:
    kinds: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        if fault.behaviour in behaviours:
            kinds.setdefault((fault.behaviour, fault.kind), []).append(fault)
    return [
        f'{behaviour}{where}: {kind} ({sum(fault.count for fault in same)}): {same[0].line()}'
        for (behaviour, kind), same in kinds.items()
    ]


def _redirect_metrics(value: Any, original: str, copy: str) -> None:
    """Let what names the original annotation file by its path name the copy."""
    for section in ('val_evaluator', 'test_evaluator'):
        metrics = value.get(section) or ()
        for metric in metrics if isinstance(metrics, (list, tuple)) else (metrics,):
            if metric.get('ann_file') and Path(metric['ann_file']).resolve() == Path(original).resolve():
                metric['ann_file'] = copy
