"""The example that needs no PyTorch, beside the detector."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import onnxruntime
import pytest
import torch
from mmengine.structures import InstanceData
from random_detector import ROOT

from ssd_plugin.deployment.parity import Comparison, Tolerances

EXAMPLE = runpy.run_path(str(ROOT / 'examples' / 'onnx_numpy.py'))


@pytest.mark.parametrize(
    ('nms', 'preprocess'), [('inside', 'inside'), pytest.param('outside', 'outside', marks=pytest.mark.slow)]
)
def test_it_finds_what_the_detector_finds(
    nms: str, preprocess: str, detector: tuple[Any, Path], pictures: list[Path], export: Callable[..., Path]
) -> None:
    inferencer = detector[0]
    session = onnxruntime.InferenceSession(str(export('onnx', nms, preprocess)))
    about = json.loads(session.get_modelmeta().custom_metadata_map['ssd_plugin'])
    comparison = Comparison(Tolerances(), about['test_cfg'])
    for path in pictures[:2]:
        with torch.no_grad():
            batch = inferencer.collate_fn([inferencer.pipeline(str(path))])
            (sample,) = inferencer.model.test_step(batch)
        bboxes, scores, labels = map(torch.from_numpy, EXAMPLE['detect'](session, about, cv2.imread(str(path))))
        found = InstanceData(bboxes=bboxes.float(), scores=scores.float(), labels=labels)
        comparison.add(sample.pred_instances, found, path.name)
    assert comparison.detections == 18
    assert not comparison.fault()
