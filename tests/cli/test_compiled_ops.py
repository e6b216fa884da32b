from typing import Any

import pytest
from mmengine.config import Config

from ssd_plugin import mmcv_ops
from ssd_plugin.cli import compiled_ops
from ssd_plugin.cli.compiled_ops import check_compiled_ops
from ssd_plugin.errors import UserError

pytestmark = pytest.mark.skipif(mmcv_ops.has_compiled_ops(), reason='needs mmcv-lite')
LINE = r"^model\.{}\.type: '{}' is one of the compiled ops that mmcv-lite lacks: pip uninstall -y mmcv-lite && pip .*\Z"


def config_of(**parts: Any) -> Config:
    return Config(dict(default_scope='mmdet', model=dict(type='FasterRCNN', **parts)))


@pytest.mark.parametrize(
    ('parts', 'path', 'name'),
    [
        (dict(roi_head=dict(roi_layer=dict(type='RoIPool'))), r'roi_head\.roi_layer', 'RoIPool'),
        (dict(test_cfg=dict(nms=dict(type='soft_nms'))), r'test_cfg\.nms', 'soft_nms'),
        (dict(backbone=dict(dcn=dict(type='DCNv2'))), r'backbone\.dcn', 'DCNv2'),
    ],
)
def test_a_part_without_its_op_is_one_line(parts: dict, path: str, name: str) -> None:
    with pytest.raises(UserError, match=LINE.format(path, name)):
        check_compiled_ops(config_of(**parts))


def test_what_works_without_compiled_ops_passes() -> None:
    parts = dict(
        backbone=dict(type='ResNet', conv_cfg=dict(type='Conv2d'), norm_cfg=dict(type='BN')),
        bbox_head=dict(type='NoSuchHead', loss_cls=dict(type='FocalLoss')),
        encoder=dict(type='MultiScaleDeformableAttention'),
        test_cfg=dict(nms=dict(type='nms')),
        train_cfg=None,
    )
    check_compiled_ops(config_of(**parts))


def test_torchvision_does_for_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(roi_head=dict(roi_layer=dict(type='RoIAlign')))
    monkeypatch.setattr(compiled_ops, 'has_torchvision', lambda: True)
    check_compiled_ops(config)
    monkeypatch.setattr(compiled_ops, 'has_torchvision', lambda: False)
    with pytest.raises(
        UserError, match=LINE.format(r'roi_head\.roi_layer', 'RoIAlign')[:-2] + r'torchvision .* torch\Z'
    ):
        check_compiled_ops(config)
