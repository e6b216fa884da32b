import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from random_detector import CLASSES

from ssd_plugin.box_ops import box_iou
from ssd_plugin.deployment import ExportedDetector
from ssd_plugin.deployment import export as exporting
from ssd_plugin.deployment.quantization import (
    Calibration,
    _after_convolutions,
    check_ap_drop,
    choose_samples,
    quantize,
)
from ssd_plugin.errors import UserError

AUGMENTED = [dict(type='LoadImageFromFile'), dict(type='RandomFlip', prob=0.5), dict(type='PackDetInputs')]
PLAIN = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(30, 20), keep_ratio=False),
    dict(type='PackDetInputs', meta_keys=('img_path',)),
]


@pytest.fixture(scope='module')
def config(pictures):
    """Two training sets, of three images and of two, in wrappers; a validation set of the first."""
    folder = pictures[0].parent
    parts = []
    for name, chosen in (('a', pictures[:3]), ('b', pictures[3:])):
        images = [dict(id=i, file_name=path.name, width=50, height=50) for i, path in enumerate(chosen)]
        categories = [dict(id=i, name=name) for i, name in enumerate(CLASSES)]
        (folder / f'{name}.json').write_text(json.dumps(dict(images=images, annotations=[], categories=categories)))
        parts.append(
            dict(
                type='mmdet.CocoDataset',
                data_prefix=dict(img=f'{folder}/'),
                ann_file=str(folder / f'{name}.json'),
                metainfo=dict(classes=CLASSES),
                filter_cfg=dict(filter_empty_gt=True),
                pipeline=AUGMENTED,
            )
        )
    repeated = dict(type='RepeatDataset', times=2, dataset=parts[1])
    training = dict(type='ConcatDataset', datasets=[parts[0], repeated])
    return Config(
        dict(
            train_dataloader=dict(dataset=training),
            val_dataloader=dict(dataset=dict(parts[0], pipeline=PLAIN, test_mode=True)),
        )
    )


def names(samples):
    return [samples[i]['data_samples'].img_path.rpartition('/')[2] for i in range(len(samples))]


def test_the_choice_is_of_all_training_images_and_the_same_each_time(config):
    chosen = names(choose_samples(config, 4))
    assert names(choose_samples(config, 4)) == chosen
    assert len(set(chosen)) == 4
    assert names(choose_samples(config, 4, seed=1)) != chosen
    assert sorted(names(choose_samples(config, 300))) == [f'{i:03d}.jpg' for i in range(5)]


def test_the_images_pass_the_pipeline_of_the_validation(config, pictures):
    samples = choose_samples(config, 5)
    for name, i in zip(names(samples), range(5)):
        expected = cv2.resize(cv2.imread(str(pictures[0].parent / name)), (30, 20))
        assert np.array_equal(samples[i]['inputs'].permute(1, 2, 0).numpy(), expected)


def test_what_8_bits_cost_is_said():
    before = {'coco/bbox_mAP': 0.583, 'coco/bbox_mAP_50': 0.9}
    line = check_ap_drop(before, {'coco/bbox_mAP': 0.578, 'coco/bbox_mAP_50': 0.7}, 0.005)
    assert line == 'coco/bbox_mAP: 0.583 in float32, 0.578 in INT8 (-0.005)'


@pytest.mark.parametrize('after', [0.577, float('nan')])
def test_a_larger_drop_is_refused(after):
    with pytest.raises(UserError, match=re.escape('--int8: coco/bbox_mAP falls from 0.583 to')):
        check_ap_drop({'coco/bbox_mAP': 0.583}, {'coco/bbox_mAP': after}, 0.005)


def test_a_set_without_ap_is_refused():
    with pytest.raises(UserError, match='val_evaluator: gives loss, expected a mean AP'):
        check_ap_drop({'loss': 1.0}, {'loss': 1.0}, 0.005)


def test_8_bits_are_refused_for_other_formats(tmp_path):
    with pytest.raises(UserError, match='--int8: not made as onnx, expected --format openvino'):
        exporting.check_export('onnx', 'outside', tmp_path / 'a.onnx', int8=True)


def test_what_follows_the_last_convolutions_stays_in_32_bits():
    openvino = pytest.importorskip('openvino')
    ops = openvino.opset13
    image = ops.parameter([1, 3, 8, 8], np.float32, name='image')

    def conv(into, name):
        weight = np.ones((3, 3, 1, 1), np.float32)
        return ops.convolution(into, weight, [1, 1], [0, 0], [0, 0], [1, 1], name=name)

    trunk = ops.relu(conv(image, 'trunk'), name='between')
    scores = ops.softmax(ops.add(conv(trunk, 'classes'), np.float32(1), name='bias'), 1, name='scores')
    boxes = ops.exp(conv(trunk, 'deltas'), name='boxes')
    model = openvino.Model([scores, boxes], [image], 'network')
    assert sorted(_after_convolutions(model)) == ['bias', 'boxes', 'scores']


def test_an_image_by_the_shortest_way_gives_what_the_pipeline_gives(detector, pictures, export):
    inferencer, _ = detector
    for preprocess in ('inside', 'outside'):
        exported = ExportedDetector(str(export('torchscript', preprocess=preprocess))).eval()
        with torch.no_grad():
            expected = exported.test_step(pseudo_collate([inferencer.pipeline(str(pictures[0]))]))[0].pred_instances
        found = exported.detect(cv2.imread(str(pictures[0])))
        assert len(found) == len(expected) > 0
        for key in ('bboxes', 'scores', 'labels'):
            torch.testing.assert_close(found[key], expected[key])


class _Score:
    """An evaluator that gives what it is told to."""

    def __init__(self, values):
        self.values = iter(values)

    def process(self, samples, batch):
        assert len(samples) == len(batch['inputs'])

    def evaluate(self, size):
        return {'mAP': next(self.values)}


@pytest.mark.slow
def test_a_quantized_file_finds_nearly_the_same(detector, images, export, tmp_path):
    pytest.importorskip('nncf')
    full = ExportedDetector(str(export('openvino', preprocess='inside'))).eval()
    samples = [detector[0].pipeline(str(path)) for path in images.batches.dataset]
    quantized = quantize(full, samples, tmp_path / 'int8.xml')
    assert (full.metadata.precision, quantized.metadata.precision) == ('float32', 'int8')
    assert (tmp_path / 'int8.bin').stat().st_size < 0.5 * Path(full.file).with_suffix('.bin').stat().st_size
    inputs = full.data_preprocessor(pseudo_collate(samples), False)['inputs']
    (boxes, scores), (boxes8, scores8) = (side._forward(inputs) for side in (full, quantized))
    assert box_iou(boxes, boxes8).median() > 0.9
    assert not torch.equal(scores, scores8)
    assert (scores - scores8).abs().mean() < 0.02


@pytest.mark.slow
def test_a_file_that_costs_too_much_is_not_written(detector, images, tmp_path):
    pytest.importorskip('nncf')
    inferencer, checkpoint = detector
    samples = [inferencer.pipeline(str(path)) for path in images.batches.dataset]

    def write(limit):
        # The gate asks both once; then float32 and INT8 are measured with the first.
        judged = images._replace(evaluators=[_Score([0.5, 0.5, 0.4]), _Score([0.5])])
        calibration = Calibration(samples, limit)
        return exporting.write_proved(
            inferencer, checkpoint, 'openvino', 'outside', 'inside', judged, tmp_path / 'new' / 'a.xml', calibration
        )

    with pytest.raises(UserError, match=re.escape('mAP falls from 0.500 to 0.400, expected a drop of 0.005')):
        write(0.005)
    assert not list((tmp_path / 'new').iterdir())
    assert 'mAP: 0.500 in float32, 0.400 in INT8 (-0.100)' in write(0.1)
    assert sorted(path.name for path in (tmp_path / 'new').iterdir()) == ['a.bin', 'a.xml']
    assert ExportedDetector(str(tmp_path / 'new' / 'a.xml')).metadata.precision == 'int8'
