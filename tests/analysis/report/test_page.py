"""The page of runs made up by hand."""

import math
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from hand_made import CLASSES, evaluated
from mmengine.config import Config

from ssd_plugin.analysis.report.confusion import confusion_matrix
from ssd_plugin.analysis.report.errors import find_errors
from ssd_plugin.analysis.report.log_curves import LogCurves, Point
from ssd_plugin.analysis.report.page import cell, render
from ssd_plugin.analysis.report.pictures import image_f1, rank_images
from ssd_plugin.analysis.report.recipe import describe_recipe, difference
from ssd_plugin.analysis.report.run_data import RunData, Settings
from ssd_plugin.analysis.report.sensitivity import measure_sensitivity
from ssd_plugin.analysis.report.speed import Speed
from ssd_plugin.analysis.report.work_folder import WorkFolder
from ssd_plugin.errors import UserError

NO_LOGS = LogCurves([], [])
BOX, FAR = (10, 10, 30, 30), (100, 10, 150, 60)
GOOD = ([(0, BOX), (1, FAR)], [(0, 0.9, BOX), (1, 0.8, FAR)])
BAD = ([(0, BOX), (1, FAR)], [(1, 0.9, BOX)])


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Makes runs of images; two files of that name are there."""
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        cv2.imwrite(f'{number}.jpg', np.full((100, 200, 3), 90, np.uint8))

    def make(*images, classes=CLASSES, name='run', lr=0.1, curves=NO_LOGS, speed=None):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / 'c.py').write_text(f"lr = {lr}\nname = '<b>&'\n")
        evaluation = evaluated(*images, classes=classes)
        recipe = {'method': 'SSD, VGG', 'parameters': '1,000', 'length': '2 epochs'}
        return RunData(
            WorkFolder(folder, folder / 'c.py', None),
            recipe,
            curves,
            evaluation,
            None,
            find_errors(evaluation),
            confusion_matrix(evaluation, 0.3),
            measure_sensitivity(evaluation),
            speed,
        )

    return make


class Checked(HTMLParser):
    """Counts the elements, and sees that each is closed and nothing is loaded."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.ids = [], {}, []
        self.feed(page)
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag, attributes):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        given = dict(attributes)
        self.ids += [given['id']] if 'id' in given else []
        for name in ('src', 'href', 'xlink:href'):
            assert given.get(name, '#')[:5].startswith(('#', 'data:')), given
        if tag == 'img':
            assert given['alt']
        if tag == 'svg':
            assert given.get('aria-label') or given.get('aria-hidden')
        if tag not in ('meta', 'link', 'img'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)


def test_a_run(made):
    curves = LogCurves(
        [Point(step, {'loss': 3 - step / 10, 'lr': 0.1, 'epoch': 1}) for step in (1, 2)],
        [Point(1, {'coco/bbox_mAP': 0.4})],
    )
    page = render([made(GOOD, BAD, curves=curves, speed=Speed(20, 19, 21, 50, 2))], Settings())
    seen = Checked(page).seen
    assert 'script' not in seen
    assert seen['img'] == 2
    # Loss, rate, validation; precision; mean and two classes; shares and costs; and over each image.
    assert seen['figure'] == 3 + 1 + 3 + 2 + 2
    assert seen['svg'] == seen['figure']
    assert '<b>20.0</b>' in page
    assert '<td>50.0</td><td>1</td>' in page  # FPS, batch size
    assert 'has logged up to epoch 1 of 2' in page
    assert '&lt;b&gt;&amp;' in page
    assert "<b>&'" not in page


def test_two_runs(made):
    before, after = made(BAD, GOOD, name='a'), made(GOOD, GOOD, name='b', lr=0.2)
    page = render([before, after], Settings())
    Checked(page)
    assert '<span class="minus">-lr = 0.1</span>' in page
    assert '<span class="plus">+lr = 0.2</span>' in page
    assert 'Better in b' in page
    assert 'Worse in b' not in page
    assert re.search(r'0\.\d+ → 1\.000 <span class="up">\+0\.\d+', page)
    assert difference(before.folder, before.folder) == []
    nothing = made(([], []), ([], []), name='c')
    assert not re.search(r'\bnan\b', render([nothing, after], Settings()))


def test_two_runs_of_other_classes_are_refused(made):
    with pytest.raises(UserError, match=r'its classes are cat, expected those of .*, cat, dog, owl'):
        render([made(BAD), made(([(0, BOX)], []), classes=('cat',), name='b')], Settings())


@pytest.mark.parametrize(
    ('images', 'classes', 'said'),
    [
        ([([(0, BOX)], [])], CLASSES, 'run detects nothing at all.'),
        ([([], [(0, 0.9, BOX)])], CLASSES, 'These images have no gt boxes'),
        ([([], [])], CLASSES, 'No image to show.'),
        ([([(0, BOX)], [(0, 0.9, BOX)])], ('cat',), '1 class'),
        ([([(20, BOX)], [(20, 0.9, BOX)])], tuple(f'class {number}' for number in range(25)), '25 classes'),
    ],
)
def test_odd_sets(images, classes, said, made):
    run = made(*images, classes=classes)
    page = render([run], Settings())
    Checked(page)
    assert said in page
    assert not re.search(r'\bnan\b', page)


def test_cells():
    assert cell([0.12345]).values == ['0.123']
    assert cell([math.nan, 1.0]) == (['\N{EN DASH}', '1.000'], '', None)
    assert cell([0.5, 0.25])[1:] == ('-0.250', False)
    assert cell([5.0, 3.0], '.1f', rising=False)[1:] == ('-2.0', True)
    assert cell([0.5, 0.5001])[1:] == ('±0', None)
    assert cell([1000.0, 3000.0], ',.0f')[1:] == ('+2,000', True)


def test_images_are_ranked_by_f1(made):
    run = made(GOOD, BAD, ([], []))
    f1 = image_f1(run, 0.3)
    assert f1[:2].tolist() == [1, 0]
    assert math.isnan(f1[2])
    assert image_f1(run, 0.85)[:2].tolist() == pytest.approx([2 / 3, 0])
    # The worst with more objects goes first, the best with more goes last.
    assert rank_images(np.array([0, 1, 0, 1, np.nan, 0.6]), np.array([1, 5, 3, 2, 0, 1])).tolist() == [2, 0, 5, 3, 1]


def test_the_recipe_of_a_config():
    config = Config(
        dict(
            model=dict(type='ssd_plugin.SSD', backbone=dict(type='ResNet', depth=18)),
            train_dataloader=dict(batch_size=8, dataset=dict(type='CocoDataset', ann_file='train.json')),
            test_dataloader=dict(dataset=dict(type='CocoDataset', ann_file='val.json')),
            train_cfg=dict(max_iters=100),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.001, weight_decay=0.0005)),
            param_scheduler=dict(type='MultiStepLR', milestones=[80, 90]),
            load_from='https://x.org/coco.pth',
            resume=False,
        )
    )

    head = SimpleNamespace(num_base_priors=(4, 6))
    model = SimpleNamespace(
        input_size=(300, 200), map_sizes=((2, 3), (1, 1)), bbox_head=head, parameters=lambda: [torch.zeros(2, 3)]
    )
    assert describe_recipe(config, model, '', 'val, 3 images') == {
        'method': 'SSD, ResNet-18',
        'input resolution': '300 \N{MULTIPLICATION SIGN} 200',
        'default boxes': '30',
        'parameters': '6',
        'trained on': 'CocoDataset train.json',
        'length': '100 iterations',
        'batch size': '8',
        'optimizer': 'SGD, lr 0.001, weight_decay 0.0005',
        'learning rate': 'MultiStepLR milestones [80, 90]',
        'starts from': 'coco.pth',
        'evaluated on': 'val, 3 images, CocoDataset val.json',
    }
