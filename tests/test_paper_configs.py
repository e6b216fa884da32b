"""Every config that stands for a result of the paper says what the paper, or the authors' script, says."""

import functools
import json
from pathlib import Path

import pytest
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config

from ssd_plugin.analysis.paper_rows import paper_rows
from ssd_plugin.models.backbones import ssd_vgg

CONFIGS = Path(__file__).parents[1] / 'configs'
SSD = sorted(path.stem for path in (CONFIGS / 'ssd').glob('*.py'))
ABLATION = sorted(path.stem for path in (CONFIGS / 'ablation').glob('*.py'))
TRAINVAL_07, TRAINVAL_12, TEST_07 = (
    f'VOC{year}/ImageSets/Main/{name}.txt' for year, name in ((2007, 'trainval'), (2012, 'trainval'), (2007, 'test'))
)
# Data -> annotation files trained on, and the file (or list) tested on.
DATA = {
    'voc07': ([TRAINVAL_07], TEST_07),
    'voc0712': ([TRAINVAL_07, TRAINVAL_12], TEST_07),
    'voc0712pp': ([TRAINVAL_07, TRAINVAL_12, TEST_07], 'VOC2012/ImageSets/Main/test.txt'),
    'coco': (['annotations/instances_train2017.json'], 'annotations/instances_val2017.json'),
    'coco-trainval35k': (
        ['annotations/instances_train2014.json', 'annotations/instances_valminusminival2014.json'],
        'annotations/instances_minival2014.json',
    ),
    'ilsvrc-det': (['annotations/det_trainval1.json'], 'annotations/det_val2.json'),
}
# Files trained on -> what the metafiles call them.
WORDS = {
    (TRAINVAL_07,): 'VOC 07',
    (TRAINVAL_07, TRAINVAL_12): 'VOC 07+12',
    (TRAINVAL_07, TRAINVAL_12, TEST_07): 'VOC 07++12',
    tuple(DATA['coco'][0]): 'COCO 2017',
    tuple(DATA['coco-trainval35k'][0]): 'COCO trainval35k',
    tuple(DATA['ilsvrc-det'][0]): 'ILSVRC DET',
}
# Data -> thousands of iterations, and those at which the rate falls; with the expansion trick, and without.
SCHEDULES = {
    'voc07': ((120, [80, 100]), (60, [40, 50])),
    'voc0712': ((120, [80, 100]), (60, [40, 50])),
    'voc0712-coco': ((120, [80]), (60, [40])),
    'voc0712pp': ((240, [160, 200]), (80, [60])),
    'voc0712pp-coco': ((160, [120]), (80, [60])),
    'coco': ((400, [280, 360]), (240, [160, 200])),
    'coco-trainval35k': ((400, [280, 360]), (240, [160, 200])),
    'ilsvrc-det': ((440, [320, 400]), (440, [320, 400])),
}
SCHEDULES_512 = {data: ((360, [280, 320]), (240, [160, 200])) for data in ('coco', 'coco-trainval35k')}
# Input and smallest scale in percent -> sides of the small squares, and the last large one.
SIDES = {
    (300, 20): [30, 60, 111, 162, 213, 264, 315],
    (300, 15): [21, 45, 99, 153, 207, 261, 315],
    (512, 15): [35, 76, 153, 230, 307, 384, 460, 537],
    (512, 10): [20, 51, 133, 215, 296, 378, 460, 542],
}
BOXES = {
    **{f'table2_{name}': 8732 for name in ('full', 'no-atrous', 'no-augmentation')},
    'table2_no-ratio-3': 7760,
    'table2_no-ratio-2-and-3': 3880,
    **{f'table3_sources-{count}': boxes for count, boxes in enumerate((8664, 9025, 9864, 8942, 8764, 8732), start=1)},
}


ROWS = paper_rows()


@functools.cache
def load(folder, stem):
    register_all_modules()
    return Config.fromfile(CONFIGS / folder / f'{stem}.py')


def parts(stem):
    """Input, data and whether the expansion trick is used: ssd300_vgg16_voc0712-coco_no-expand."""
    size, _, data, *rest = stem.split('_')
    return int(size.removeprefix('ssd')), data, not rest


def train_sets(config):
    dataset = config.train_dataloader.dataset
    return dataset.get('datasets') or [dataset]


def augmentation(config):
    for dataset in train_sets(config):
        (step,) = (step for step in dataset.pipeline if step.type == 'ssd_plugin.SSDAugment')
        yield step


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr(ssd_vgg, 'BLOCK_CHANNELS', (8, 16, 32, 64, 64))


_built = {}


def build(config):
    """The detector; one for all configs whose models are equal."""
    model = config.model.to_dict()
    model['backbone']['init_cfg'] = None
    key = json.dumps(model, sort_keys=True)
    if key not in _built:
        _built[key] = MODELS.build(model)
    return _built[key]


def count_boxes(detector):
    per_cell = detector.bbox_head.prior_generator.num_base_priors
    return sum(height * width * boxes for (height, width), boxes in zip(detector.map_sizes, per_cell))


def test_every_run_of_the_paper_has_a_config():
    runs = {f'ssd{size}_vgg16_{data}{rest}' for size in (300, 512) for data in SCHEDULES for rest in ('', '_no-expand')}
    assert set(SSD) == runs
    assert set(ABLATION) == {*BOXES, *(f'{name}_no-boundary' for name in BOXES if name.startswith('table3'))}


@pytest.mark.parametrize('stem', SSD)
def test_default_boxes(stem, narrow):
    size, data, _ = parts(stem)
    # Objects of COCO are smaller; what is fine-tuned from COCO keeps its default boxes.
    lowest = {300: 20, 512: 15}[size] if 'coco' not in data else {300: 15, 512: 10}[size]
    detector = build(load('ssd', stem))
    generator = detector.bbox_head.prior_generator
    assert [*generator.min_sizes, generator.max_sizes[-1]] == SIDES[size, lowest]
    assert generator.max_sizes[:-1] == generator.min_sizes[1:]
    steps = {300: [8, 16, 32, 64, 100, 300], 512: [8, 16, 32, 64, 128, 256, 512]}[size]
    assert generator.strides == [(step, step) for step in steps]
    assert count_boxes(detector) == {300: 8732, 512: 24564}[size]


@pytest.mark.parametrize('stem', ABLATION)
def test_boxes_of_the_ablations(stem, narrow):
    config = load('ablation', stem)
    detector = build(config)
    assert count_boxes(detector) == BOXES[stem.removesuffix('_no-boundary')]
    assert config.model.train_cfg.assigner.get('ignore_cross_boundary', False) is stem.endswith('_no-boundary')
    if stem.startswith('table3'):
        sources = int(stem.removeprefix('table3_sources-')[0])
        assert [side for side, _ in detector.map_sizes] == ([38, 19, 10, 5, 3, 1][:sources] if sources > 1 else [19])


@pytest.mark.parametrize('stem', SSD)
def test_schedules(stem):
    config = load('ssd', stem)
    size, data, expand = parts(stem)
    schedule = SCHEDULES_512.get(data, SCHEDULES[data]) if size == 512 else SCHEDULES[data]
    thousands, falls = schedule[not expand]
    assert config.train_cfg.max_iters == thousands * 1000
    (scheduler,) = config.param_scheduler
    assert (scheduler.type, scheduler.by_epoch, scheduler.gamma) == ('MultiStepLR', False, 0.1)
    assert scheduler.milestones == [fall * 1000 for fall in falls]


@pytest.mark.parametrize(
    ('folder', 'stem'), [*(('ssd', stem) for stem in SSD), *(('ablation', stem) for stem in ABLATION)]
)
def test_optimiser_and_batch(folder, stem):
    config = load(folder, stem)
    wrapper = config.optim_wrapper
    lr = 1e-4 if '0712-coco' in stem or '0712pp-coco' in stem else 1e-3  # fine-tuning
    assert wrapper.optimizer.to_dict() == dict(type='SGD', lr=lr, momentum=0.9, weight_decay=5e-4)
    assert wrapper.paramwise_cfg.to_dict() == dict(bias_lr_mult=2.0, bias_decay_mult=0.0)
    assert 'clip_grad' not in wrapper
    assert config.train_dataloader.batch_size == config.total_batch_size == 32
    preprocessor = config.model.data_preprocessor
    assert (preprocessor.mean, preprocessor.std, preprocessor.bgr_to_rgb) == ([123, 117, 104], [1, 1, 1], True)
    assert config.model.test_cfg.to_dict() == dict(
        score_thr=0.01, nms_pre_per_class=400, nms=dict(type='nms', iou_threshold=0.45), max_per_img=200
    )


@pytest.mark.parametrize(
    ('folder', 'stem'), [*(('ssd', stem) for stem in SSD), *(('ablation', stem) for stem in ABLATION)]
)
def test_what_the_metafiles_say_of_a_config(folder, stem):
    config, row = load(folder, stem), ROWS[stem]
    assert (row.iterations, row.batch_size) == (config.train_cfg.max_iters, config.total_batch_size)
    assert row.data == WORDS[tuple(dataset.ann_file for dataset in train_sets(config))]
    fine_tuned = any(hook.type == 'ssd_plugin.PartialLoadHook' for hook in config.custom_hooks)
    assert (row.starts_from is not None) == fine_tuned
    tested = {'VOC2007 test': TEST_07, 'VOC2012 test': DATA['voc0712pp'][1], 'ILSVRC DET val2': DATA['ilsvrc-det'][1]}
    tested['COCO test-dev2015'] = DATA['coco-trainval35k'][1]  # measured on minival before it is handed in
    assert not row.dataset or config.test_dataloader.dataset.ann_file == tested[row.dataset]


@pytest.mark.parametrize('stem', SSD)
def test_data_and_augmentation(stem):
    config = load('ssd', stem)
    size, data, expand = parts(stem)
    trained, tested = DATA[data.removesuffix('-coco')]
    assert [dataset.ann_file for dataset in train_sets(config)] == trained
    assert config.test_dataloader.dataset.ann_file == tested
    for step in augmentation(config):
        expected = dict(type='ssd_plugin.SSDAugment', scale=(size, size), **({} if expand else dict(expand_prob=0.0)))
        assert dict(step, scale=tuple(step.scale)) == expected
    # Difficult objects of VOC are trained on; what COCO and ILSVRC mark is not.
    for dataset in train_sets(config):
        (step,) = (step for step in dataset.pipeline if step.type == 'ssd_plugin.SSDFilterBoxes')
        assert step.get('use_difficult_gt', False) is data.startswith('voc')


@pytest.mark.parametrize('stem', [stem for stem in SSD if '-coco' in stem and 'trainval35k' not in stem])
def test_fine_tuning_starts_from_the_end_of_a_run_on_coco(stem, monkeypatch):
    monkeypatch.delenv('COCO_CHECKPOINT', raising=False)
    size, _, expand = parts(stem)
    config = Config.fromfile(CONFIGS / 'ssd' / f'{stem}.py')
    origin = f'ssd{size}_vgg16_coco{"" if expand else "_no-expand"}'
    (hook,) = (hook for hook in config.custom_hooks if hook.type == 'ssd_plugin.PartialLoadHook')
    end = load('ssd', origin).train_cfg.max_iters
    assert hook.checkpoint == f'work_dirs/{origin}/iter_{end}.pth'
    assert ROWS[stem].starts_from == origin
    assert end % load('ssd', origin).default_hooks.checkpoint.interval == 0


@pytest.mark.parametrize('stem', ABLATION)
def test_ablations_run_without_expansion_on_07_12(stem):
    config = load('ablation', stem)
    base = load('ssd', 'ssd300_vgg16_voc0712_no-expand')
    assert (config.train_cfg, config.param_scheduler) == (base.train_cfg, base.param_scheduler)
    assert [dataset.ann_file for dataset in train_sets(config)] == [TRAINVAL_07, TRAINVAL_12]
    for step in augmentation(config):
        changed = {key: value for key, value in step.items() if key not in ('type', 'scale', 'expand_prob')}
        left_out = dict(distort=False, crop=False, random_interpolation=False)
        assert (step.expand_prob, changed) == (0.0, left_out if stem == 'table2_no-augmentation' else {})


def test_voc2007_is_measured_at_11_points_and_voc2012_handed_in():
    metric = load('ssd', 'ssd300_vgg16_voc0712').test_evaluator[0]
    assert metric == dict(type='ssd_plugin.VOC07Metric')
    assert load('ssd', 'ssd512_vgg16_voc0712pp').test_evaluator.type == 'ssd_plugin.VOCSubmission'


@pytest.mark.parametrize('stem', [stem for stem in SSD if 'ilsvrc' in stem])
def test_ilsvrc_is_measured_as_the_authors_do_beside_coco(stem):
    config = load('ssd', stem)
    voc, coco = config.test_evaluator
    assert voc.to_dict() == dict(type='VOCMetric', metric='mAP', eval_mode='area')
    assert coco.type == 'CocoMetric'
    assert coco.ann_file.endswith(config.test_dataloader.dataset.ann_file)
    assert config.val_evaluator == config.test_evaluator
