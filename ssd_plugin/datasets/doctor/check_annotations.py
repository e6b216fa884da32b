"""The check of a run: annotation faults are refused, or repaired in a copy, before anything is built."""

from pathlib import Path
from typing import Any

from ssd_plugin.errors import UserError

from .coco import check_coco
from .faults import REFUSED, REMOVED, REPAIRED, Checked, Fault
from .images import check_head
from .parallel import spread
from .sources import Source, config_sources
from .voc import check_voc
from .yolo import check_yolo

_NEED_COPY = (REPAIRED, REMOVED)


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


def check_annotations(config: Any, loaders: tuple[str, ...], copies: Path) -> list[str]:
    """Check the annotations of a run, and have it read cleaned copies where they need repairs.

    What is checked are mmdet's VOC and COCO data sets on a disk, the images of validation data included; mmdet's
    readers read them afterwards. Boxes that training leaves out by itself are ``AnnotationReportHook``'s.

    Args:
        config: A whole config; the data sets and metrics that named a repaired file name its copy afterwards.
        loaders: The sections to look at, of ``train_dataloader``, ``val_dataloader``, ``test_dataloader``.
        copies: Where copies may be written, inside the run's ``work_dir``; made when needed.

    Returns:
        A line for each kind of repair of each file, for the user to read.

    Raises:
        UserError: Something cannot be repaired: the line has the file, the object and the field; or there is nothing
            to train on.
    """
    lines: list[str] = []
    objects: dict[str, int] = {}
    done: dict[Source, dict[str, str]] = {}
    for source, part in config_sources(config, loaders):
        anywhere = Source(**{**vars(source), 'key': ''})
        if anywhere not in done:
            checked = check_source(source)
            faults = list(checked.faults)
            if not source.training:
                faults += [fault for found in spread(check_head, checked.images) for fault in found]
            refused = [fault for fault in faults if fault.behaviour == REFUSED]
            if refused:
                more = f' (and {len(refused) - 1} more: tools/check_dataset.py lists them)' if len(refused) > 1 else ''
                raise UserError(refused[0].line() + more)
            if source.training:
                objects[source.key] = sum(image.objects for image in checked.images)
            repairs = [fault for fault in faults if fault.behaviour in _NEED_COPY]
            done[anywhere] = {}
            if repairs:
                folder = copies / f'{len(done)}'
                folder.mkdir(parents=True, exist_ok=True)
                done[anywhere] = checked.write_clean(folder, ())
                lines += _summary(repairs, folder)
        part.update(done[anywhere])
        if done[anywhere]:
            _redirect_metrics(config, str(source.annotations), done[anywhere]['ann_file'])
    if objects and not any(objects.values()):
        raise UserError(
            f'{", ".join(objects)}: no object of its classes to learn from, expected at least one: look at the boxes, '
            'the list of images and metainfo.classes'
        )
    return lines


def _summary(repairs: list[Fault], folder: Path) -> list[str]:
    kinds: dict[tuple[str, str], list[Fault]] = {}
    for fault in repairs:
        kinds.setdefault((fault.behaviour, fault.kind), []).append(fault)
    return [
        f'{behaviour} in a copy ({folder}): {kind}, {sum(fault.count for fault in faults)} times: {faults[0].line()}'
        for (behaviour, kind), faults in kinds.items()
    ]


def _redirect_metrics(value: Any, original: str, copy: str) -> None:
    """Let what names the original annotation file by its path name the copy."""
    for section in ('val_evaluator', 'test_evaluator'):
        metrics = value.get(section) or ()
        for metric in metrics if isinstance(metrics, (list, tuple)) else (metrics,):
            if metric.get('ann_file') and Path(metric['ann_file']).resolve() == Path(original).resolve():
                metric['ann_file'] = copy
