"""The page on parts of one's own: every entry and every file of it works as it stands there."""

import importlib
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, MODELS, TASK_UTILS, TRANSFORMS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData

from ssd_plugin.converters import convert as converters
from ssd_plugin.converters import layout
from ssd_plugin.errors import UserError
from ssd_plugin.mmcv_ops import has_compiled_ops

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / 'docs' / 'extending.md').read_text()
SECTIONS = dict(re.findall(r'^## (.+)\n([\s\S]*?)(?=^## |\Z)', PAGE, re.M))
SWAPS = dict(re.findall(r'^\| ([^|]+) \| `(.+)` \|$', SECTIONS['Swap a part by one entry'], re.M))
SIDE = 96
BASE = f"""
_base_ = '{ROOT}/configs/shapes/ssd300_r18_shapes.py'
from ssd_plugin.config_edits import at_size

at_size(_base_, {SIDE})
model = dict(backbone=dict(base_channels=16), test_cfg=dict(score_thr=1e-4, max_per_img=10))
"""
REGISTRIES = (DATASETS, MODELS, TASK_UTILS, TRANSFORMS)


def blocks(section):
    return re.findall(r'^```python\n([\s\S]*?)^```$', SECTIONS[section], re.M)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A folder with the page's package, which can be imported and is forgotten afterwards, and a small base config."""
    register_all_modules()
    folder = tmp_path_factory.mktemp('project')
    (folder / 'my_ssd').mkdir()
    for section in SECTIONS:
        for block in blocks(section):
            if block.startswith('# my_ssd/'):
                (folder / block.splitlines()[0][2:]).write_text(block)
    (folder / 'base.py').write_text(BASE)
    known = [set(registry.module_dict) for registry in REGISTRIES]
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    yield folder
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition('.')[0] == 'my_ssd']:
        del sys.modules[name]
    added = {name for registry, names in zip(REGISTRIES, known) for name in set(registry.module_dict) - names}
    for registry in REGISTRIES:
        for name in added & set(registry.module_dict):
            del registry.module_dict[name]
    assert added == {'PlainBackbone', 'LogCoshLoss', 'TopKAssigner', 'HideSmallObjects', 'CsvDataset'}


@pytest.fixture
def load(folder, tmp_path):
    """Read entries of a config below the page's first lines of one, the base a small one."""

    def load(entries):
        first_lines = blocks('Where your own code lives')[1]
        assert "_base_ = 'configs/shapes/ssd300_r18_shapes.py'" in first_lines
        path = tmp_path / 'mine.py'
        path.write_text(re.sub("'configs/.+'", f"'{folder}/base.py'", first_lines) + entries)
        return Config.fromfile(path)

    return load


def build(config):
    torch.manual_seed(0)
    detector = MODELS.build(config.model)
    detector.init_weights()
    return detector


def learn(detector, batch):
    """Train one step, which reaches every weight."""
    total, losses = detector.parse_losses(detector(**detector.data_preprocessor(batch, training=True), mode='loss'))
    assert {'loss_cls', 'loss_bbox'} <= set(losses)
    assert all(value.isfinite() and value > 0 for value in losses.values())
    total.backward()
    before = {name: value.detach().clone() for name, value in detector.named_parameters()}
    assert [name for name, value in detector.named_parameters() if value.grad is None] == []
    torch.optim.SGD(detector.parameters(), lr=0.01).step()
    moved = [name for name, value in detector.named_parameters() if not torch.equal(value, before[name])]
    assert {'backbone', 'bbox_head'} <= {name.partition('.')[0] for name in moved}


def learn_and_predict(detector):
    samples = []
    for boxes in ([[8, 8, 40, 44], [30, 50, 90, 90]], [[20, 20, 60, 60]]):
        data = DetDataSample(metainfo=dict(img_shape=(SIDE, SIDE), ori_shape=(SIDE, SIDE), scale_factor=(1.0, 1.0)))
        data.gt_instances = InstanceData(bboxes=torch.tensor(boxes).float(), labels=torch.arange(len(boxes)))
        samples.append(data)
    batch = dict(inputs=list(torch.randint(0, 256, (2, 3, SIDE, SIDE), dtype=torch.uint8)), data_samples=samples)
    learn(detector, batch)
    found = detector.eval().test_step(batch)
    assert all(0 < len(data.pred_instances) <= 10 for data in found)
    assert all(data.pred_instances.scores.isfinite().all() for data in found)


def parts(detector):
    head = detector.bbox_head
    assigners = [head.assigner, getattr(head.assigner, 'assigner', None)]
    return {type(part).__name__ for part in [*detector.modules(), *assigners, head.sampler, head.prior_generator]}


@pytest.fixture(scope='module')
def plain_detector(folder):
    return build(Config.fromfile(folder / 'base.py'))


def test_the_table_is_read():
    assert len(SWAPS) == SECTIONS['Swap a part by one entry'].count('\n| ') - 2 == 13


@pytest.mark.parametrize('what', SWAPS)
def test_swap(what, load, plain_detector):
    config = load(f'model = dict({SWAPS[what]})\n')
    if 'soft_nms' in SWAPS[what] and not has_compiled_ops():
        with pytest.raises(UserError, match=r"test_cfg\.nms\.type: 'soft_nms' .* mmcv in place of mmcv-lite"):
            build(config)
        return
    detector = build(config)
    named = set(re.findall(r"type='(?:ssd_plugin\.)?(\w+)'", SWAPS[what])) - {'soft_nms', 'BN'}
    assert named <= parts(detector)
    assert named - parts(plain_detector) or str(detector) != str(plain_detector) or 'test_cfg' in SWAPS[what]
    assert {**plain_detector.test_cfg.nms, **config.model.test_cfg.nms} == detector.bbox_head._post_processor(
        detector.test_cfg
    ).nms
    learn_and_predict(detector)


@pytest.mark.parametrize('section', ['A backbone', 'A loss', 'An assigner'])
def test_part_of_the_model(section, load):
    code, entry = blocks(section)
    detector = build(load(entry))
    assert re.search(r'class (\w+)', code)[1] in parts(detector)
    learn_and_predict(detector)


def test_numbers_of_the_parts(folder):
    from my_ssd.assigners import TopKAssigner
    from my_ssd.losses import LogCoshLoss

    from ssd_plugin.models.task_modules.assigners import BatchGTInstances

    pred, weight = torch.tensor([[0.0, 1.0], [100.0, 9.0]]), torch.tensor([[1.0], [0.5]])
    loss = LogCoshLoss(2.0)(pred, torch.zeros(2, 2), weight, 4)
    errors = [np.log(np.cosh(1.0)), 0.5 * (100 - np.log(2)), 0.5 * np.log(np.cosh(9.0))]
    assert loss.item() == pytest.approx(2 * sum(errors) / 4)
    priors = torch.tensor([[0, 0, 10, 10], [1, 0, 11, 10], [5, 0, 15, 10], [50, 0, 60, 10]]).float()
    gt_bboxes = torch.tensor([[[0, 0, 10, 10], [4, 0, 14, 10]], [[50, 0, 60, 10], [0, 0, 10, 10]]]).float()
    batch_gt = BatchGTInstances(gt_bboxes, torch.zeros((2, 2), dtype=torch.int64), torch.tensor([[1, 1], [1, 0]]) > 0)
    assert TopKAssigner(2).assign(priors, batch_gt).tolist() == [[0, 0, 1, -1], [-1, -1, -1, 0]]


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Three drawn images, two of them to train on, as the CSV files of the page's data set."""
    images = tmp_path / 'data' / 'mine' / 'images'
    images.mkdir(parents=True)
    for i in range(3):
        pixels = np.full((120, 160, 3), 60, np.uint8)
        cv2.rectangle(pixels, (20, 30), (79, 89), (30, 200, 60), -1)
        cv2.circle(pixels, (120, 60), 25, (200, 30, 60), -1)
        cv2.imwrite(str(images / f'{i}.png'), pixels)
    lines = [f'{i}.png,{box}\n' for i in range(3) for box in ('20,30,80,90,box', '95,35,145,85,disc')]
    (tmp_path / 'data' / 'mine' / 'train.csv').write_text(''.join(lines[:4]))
    (tmp_path / 'data' / 'mine' / 'val.csv').write_text(''.join(lines[4:]))
    monkeypatch.chdir(tmp_path)


def test_data_set(load, drawn):
    config = load(blocks('A data set')[1])
    train = DATASETS.build(config.train_dataloader.dataset)
    assert len(train) == 2
    assert config.test_dataloader == config.val_dataloader
    detector = build(config)
    learn(detector, pseudo_collate(list(train)))
    (held_out,) = list(DATASETS.build(config.val_dataloader.dataset))
    assert held_out['inputs'].shape == (3, SIDE, SIDE)
    assert held_out['data_samples'].gt_instances.labels.tolist() == [1, 0]
    assert held_out['data_samples'].gt_instances.bboxes.tensor.tolist() == [[20, 30, 80, 90], [95, 35, 145, 85]]
    (found,) = detector.eval().test_step(pseudo_collate([held_out]))
    assert 0 < len(found.pred_instances) <= 10


def test_augmentation(load, drawn):
    pipeline = load(blocks('An augmentation')[1]).train_dataloader.dataset.pipeline
    config = load(blocks('A data set')[1])
    data = dict(config.train_dataloader.dataset)
    assert [step.type for step in pipeline][-3:] == ['ssd_plugin.SSDAugment', 'HideSmallObjects', 'PackDetInputs']
    hide = TRANSFORMS.build(dict(pipeline[-2], min_side=55))
    before = DATASETS.build(dict(data, pipeline=pipeline[:2]))[0]
    image = before['img'].copy()
    after = hide(before)
    assert after['gt_bboxes'].tensor.tolist() == [[20, 30, 80, 90]]
    assert (after['gt_bboxes_labels'].tolist(), after['gt_ignore_flags'].tolist()) == ([1], [False])
    assert (after['img'][35:85, 95:145] == hide.fill).all()
    image[35:85, 95:145] = hide.fill
    assert (after['img'] == image).all()
    assert len(hide(after)['gt_bboxes']) == 1
    learn(build(config), pseudo_collate(list(DATASETS.build(dict(data, pipeline=pipeline)))))


@pytest.fixture
def old_weights(folder):
    """A made-up file of the page's converter: zeros, but for class biases that say which channel they are."""
    weights = {'scale': torch.full((512,), 20.0)}
    names = {f'trunk.{name}': layout.trunk(name) for name in layout.TRUNK}
    names.update({f'extra.{2 * pair + part}': layout.extra(pair, part) for pair in range(4) for part in range(2)})
    names.update({f'{branch}.{level}': layout.head(branch, level) for branch in ('cls', 'reg') for level in range(6)})
    shapes = layout.expected_shapes(300, 2)
    for theirs, ours in names.items():
        for kind in ('weight', 'bias'):
            weights[f'{theirs}.{kind}'] = torch.zeros(shapes[f'{ours}.{kind}'])
    for level in range(6):
        weights[f'cls.{level}.bias'] = torch.arange(3.0).repeat(len(weights[f'cls.{level}.bias']) // 3)
    return weights


def test_converter(old_weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(old_weights, 'old.pth')
    _, use, entry = blocks('A converter')
    exec(use, {})
    written = torch.load('ssd300_cat-dog.pth', weights_only=True)
    assert written['meta']['dataset_meta'] == {'classes': ('cat', 'dog')}
    shapes = layout.expected_shapes(300, 2)
    assert {name: tuple(value.shape) for name, value in written['state_dict'].items()} == shapes
    assert written['state_dict']['bbox_head.cls_convs.5.0.bias'].tolist() == [1, 2, 0] * 4
    assert written['state_dict']['neck.l2_norm.weight'].unique().tolist() == [20]

    from my_ssd import old_ssd

    added = eval(entry, {'Converter': converters.Converter, 'old_ssd': old_ssd})
    monkeypatch.setattr(converters, 'CONVERTERS', (*converters.CONVERTERS, added))
    monkeypatch.setattr(converters, 'KINDS', (*converters.KINDS, added.kind))
    assert converters.detect_source(old_weights) == 'old-ssd'
    assert converters.convert(old_weights, 'old-ssd', 2).num_classes == 2
    del old_weights['trunk.fc7.bias']
    with pytest.raises(UserError, match=r"^old-ssd weights: key 'trunk\.fc7\.bias' .* is missing$"):
        converters.convert(old_weights, 'old-ssd')


def test_tool(folder, plain_detector):
    printed = subprocess.run(
        [sys.executable, '-m', 'my_ssd.count_parameters', 'base.py'],
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join([str(folder), str(ROOT)]), 'OMP_NUM_THREADS': '1'},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    parts = plain_detector.named_children()
    assert dict(line.split() for line in printed.splitlines()) == {
        name: str(sum(parameter.numel() for parameter in part.parameters())) for name, part in parts
    }


@pytest.mark.parametrize(
    ('argument', 'status', 'stream', 'expected'),
    [
        ('--help', 0, 'out', r'Example: python -m my_ssd\.count_parameters configs/'),
        ('missing.py', 2, 'err', r'^error: missing\.py: no such file, expected a config\n$'),
    ],
)
def test_tool_says(argument, status, stream, expected, folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['count_parameters', argument])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(folder / 'my_ssd' / 'count_parameters.py'), run_name='__main__')
    assert ended.value.code == status
    assert re.search(expected, getattr(capsys.readouterr(), stream))
