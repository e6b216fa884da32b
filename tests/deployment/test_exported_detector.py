"""Exported files in the place of the detector."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ssd_plugin.deployment import ExportedDetector
from ssd_plugin.deployment.parity import Comparison, Tolerances
from ssd_plugin.errors import UserError

FILES = [
    ('onnx', 'inside', 'inside'),
    ('torchscript', 'outside', 'outside'),
    pytest.param(('onnx', 'outside', 'outside'), marks=pytest.mark.slow),
    pytest.param(('openvino', 'inside', 'inside'), marks=pytest.mark.slow),
    pytest.param(('openvino', 'outside', 'outside'), marks=pytest.mark.slow),
    pytest.param(('torchscript', 'outside', 'inside'), marks=pytest.mark.slow),
    pytest.param(('torch-export', 'outside', 'inside'), marks=pytest.mark.slow),
]


@pytest.mark.parametrize('file', FILES)
def test_it_finds_what_the_detector_finds(
    file: tuple[str, str, str], detector: tuple[Any, Path], pictures: list[Path], export: Callable[..., Path]
) -> None:
    inferencer = detector[0]
    exported = ExportedDetector(str(export(*file))).eval()
    comparison = Comparison(Tolerances(), exported.metadata.test_cfg)
    for size in (1, 3):
        batch = inferencer.collate_fn([inferencer.pipeline(str(path)) for path in pictures[:size]])
        with torch.no_grad():
            expected, found = (one.test_step(copy.deepcopy(batch)) for one in (inferencer.model, exported))
        assert len(found) == size
        for one, other in zip(expected, found):
            comparison.add(one.pred_instances, other.pred_instances, one.img_path)
            assert other.pred_instances.scores.tolist() == sorted(other.pred_instances.scores.tolist(), reverse=True)
    assert comparison.detections == 4 * 9
    assert not comparison.fault()
    assert exported.dataset_meta['classes'] == inferencer.model.dataset_meta['classes']


@pytest.fixture
def exported(export: Callable[..., Path]) -> ExportedDetector:
    return ExportedDetector(str(export('torchscript'))).eval()


def test_an_image_without_detections(
    exported: ExportedDetector, detector: tuple[Any, Path], pictures: list[Path]
) -> None:
    exported.metadata.test_cfg['score_thr'] = 1.0
    inferencer = detector[0]
    (sample,) = exported.test_step(inferencer.collate_fn([inferencer.pipeline(str(pictures[0]))]))
    assert sample.pred_instances.bboxes.shape == (0, 4)
    assert sample.pred_instances.labels.shape == (0,)


def test_another_size_than_the_file_takes_is_refused(exported: ExportedDetector) -> None:
    with pytest.raises(UserError, match=r'takes images of 300x300, but the pipeline gives 320x200'):
        exported.predict(torch.zeros(1, 3, 200, 320), [])
    with pytest.raises(UserError, match='predicts alone'):
        exported.loss(torch.zeros(1, 3, 300, 300), [])


@pytest.mark.parametrize('other', [dict(classes=['dog']), dict(input_size=[300, 320])])
def test_a_file_that_disagrees_with_the_config_is_refused(other: dict[str, Any], export: Callable[..., Path]) -> None:
    (name,) = other
    with pytest.raises(UserError, match=rf'{name} is \[.+\], expected that of the config, \['):
        ExportedDetector(str(export('torchscript')), **other)
