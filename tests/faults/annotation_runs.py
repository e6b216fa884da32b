"""Runs the check of annotations, and loads what it leaves with mmdet's readers."""

import contextlib
import io
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmdet.registry import DATASETS
from mmengine.config import Config

from ssd_plugin.datasets.doctor.check_annotations import check_annotations, read_copies

TRAIN = Path(__file__).parents[2] / 'tools' / 'train.py'
LOADERS = ('train_dataloader', 'val_dataloader')
NAN, INF = float('nan'), float('inf')


def refused(config: Config, root: Path) -> str:
    """The line with which tools/train.py refuses the config."""
    config.dump(root / 'config.py')
    printed = io.StringIO()
    arguments = ['train.py', str(root / 'config.py'), '--work-dir', str(root / 'work')]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(printed):
        patch.setattr(sys, 'argv', arguments)
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(TRAIN), run_name='__main__')
    assert ended.value.code == 2
    assert not (root / 'work').exists()
    (line,) = printed.getvalue().splitlines()
    return line.removeprefix('error: ').replace(f'{root}/', '')


def checked(config: Config, root: Path) -> list[str]:
    """The lines of the check; the config reads the copies afterwards."""
    lines, copies = check_annotations(config, LOADERS, root / 'copies')
    read_copies(config, LOADERS, copies)
    return lines


def repaired(config: Config, root: Path) -> tuple[list[str], list[Any], list[Any]]:
    """The lines, and what mmdet's readers then make of the training and validation data."""
    before = {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}
    lines = checked(config, root)
    assert before == {path: path.read_bytes() for path in before}
    parts = config.train_dataloader.dataset.dataset, config.val_dataloader.dataset
    train, val = (
        [[(i['bbox'], i['bbox_label'], i['ignore_flag']) for i in info['instances']] for info in built]
        for built in map(loaded, parts)
    )
    assert all('\n' not in line for line in lines)
    return lines, train, val


def loaded(part: dict) -> list[dict]:
    dataset = DATASETS.build(part)
    return [dataset.get_data_info(i) for i in range(len(dataset))]


OBJECTS = [([2, 3, 19, 24], 0, 0), ([2, 3, 19, 24], 1, 0)]
COCO_OBJECT = ([3, 4, 20, 25], 0, 0)


def change(section: str, key: str, value: Any) -> Callable[[dict], Any]:
    return lambda content: content[section][0].update({key: value})


def without(section: str, key: str) -> Callable[[dict], Any]:
    return lambda content: content[section][0].pop(key)


def twice(section: str, **other: Any) -> Callable[[dict], Any]:
    return lambda content: content[section].append({**content[section][0], **other})
