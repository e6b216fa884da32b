"""Run the check of annotations and mmdet's readers on a data set with a spoilt file."""

import math
from pathlib import Path
from typing import Any

from mmdet.registry import DATASETS
from mmengine.config import Config
from one_line import assert_one_line

from ssd_plugin.datasets.doctor.check_annotations import check_annotations
from ssd_plugin.datasets.transforms.filtering import LARGEST
from ssd_plugin.errors import UserError

LOADERS = ('train_dataloader', 'val_dataloader')


def outcome(config: Config, root: Path) -> str:
    """What becomes of the data: 'refused' in one line, or 'repaired' or 'loaded' with numbers that can be learned."""
    originals = {path: path.read_bytes() for path in root.rglob('*') if path.is_file()}
    try:
        lines = check_annotations(config, LOADERS, root / 'copies')
    except UserError as error:
        assert_one_line(error)
        return 'refused'
    finally:
        assert originals == {path: path.read_bytes() for path in originals}
    for line in lines:
        assert_one_line(line)
    for part in (config.train_dataloader.dataset.dataset, config.val_dataloader.dataset):
        _assert_sound(DATASETS.build(part))
    return 'repaired' if lines else 'loaded'


def _assert_sound(dataset: Any) -> None:
    classes = dataset.metainfo['classes']
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        assert all(type(info[side]) in (int, float) and 0 < info[side] < math.inf for side in ('width', 'height'))
        for instance in info['instances']:
            assert len(instance['bbox']) == 4
            assert all(abs(edge) <= LARGEST for edge in instance['bbox'])
            assert instance['bbox_label'] in range(len(classes))
            assert instance['ignore_flag'] in (0, 1)
