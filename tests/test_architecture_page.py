"""The page on the architecture names the files that a sample and an image pass, and who may import whom."""

import ast
import inspect
import re
import sys
from pathlib import Path

import cv2
import mmdet
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS, TRANSFORMS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / 'docs' / 'architecture.md').read_text()
OURS, MMDET = ROOT / 'ssd_plugin', Path(mmdet.__file__).parent
CONFIGS = {
    OURS: ROOT / 'configs' / 'ssd' / 'ssd300_vgg16_voc0712.py',
    MMDET: MMDET / '.mim' / 'configs' / 'ssd' / 'ssd300_coco.py',
}
WAYS = {'train': '## One training sample', 'test': '## One test image'}


def close_to(number):
    """Lines are rounded on the page, and a small change of a file is no reason to change it."""
    return pytest.approx(number, rel=0.1, abs=10)


def trace(function, packages):
    """Run something; the functions of each package that ran, by file. Bodies of modules and classes do not count."""
    ran = {}

    def profile(frame, event, _):
        if event == 'call' and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            ran.setdefault(Path(frame.f_code.co_filename), set()).add(frame.f_code)

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return {package: {path: codes for path, codes in ran.items() if package in path.parents} for package in packages}


def prepare(path, way, sample):
    """Build a network; what remains is the way from an image on disk to the losses, or to the detections."""
    config = Config.fromfile(path)
    config.model.backbone.init_cfg = None  # no download
    training = way == 'train'
    detector = MODELS.build(config.model).train(training)
    if not hasattr(detector.bbox_head, 'multibox_loss'):
        # mmdet's head predicts with it, and has none.
        detector.bbox_head.loss_cls = MODELS.build(dict(type='CrossEntropyLoss'))
    pipeline = Compose([TRANSFORMS.build(step) for step in config[f'{way}_pipeline']])

    def run():
        batch = detector.data_preprocessor(pseudo_collate([pipeline(dict(sample))]), training)
        with torch.set_grad_enabled(training):
            detector(**batch, mode='loss' if training else 'predict')

    return run


@pytest.fixture(scope='module')
def traces(tmp_path_factory):
    """For each network and way, the functions that ran in our files and in mmdet's."""
    register_all_modules()
    path = tmp_path_factory.mktemp('images') / 'image.jpg'
    pixels = np.random.RandomState(0).randint(0, 256, (240, 320, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.rectangle(pixels, (80, 60), (240, 200), (30, 200, 60), -1))
    instance = dict(bbox=[80, 60, 240, 200], bbox_label=0, ignore_flag=0)
    sample = dict(img_path=str(path), img_id=1, height=240, width=320, instances=[instance])
    np.random.seed(0)
    torch.manual_seed(0)
    return {
        (network, way): trace(prepare(config, way, sample), (OURS, MMDET))
        for network, config in CONFIGS.items()
        for way in WAYS
    }


def lines_of(path):
    return len(path.read_text().splitlines())


def rows_of(way):
    section = PAGE.partition(WAYS[way])[2].partition('\n## ')[0]
    return re.findall(r'^\| (\d+) \| \[`(.+?)`\]\(\.\./ssd_plugin/(.+?)\) \|', section, re.M)


@pytest.mark.parametrize('way', WAYS)
def test_files_of_a_way_are_those_in_which_a_function_ran(way, traces):
    rows = rows_of(way)
    assert all(shown == linked for _, shown, linked in rows)
    assert sorted(shown for _, shown, _ in rows) == sorted(
        str(path.relative_to(OURS)) for path in traces[OURS, way][OURS]
    )


@pytest.mark.parametrize('way', WAYS)
def test_lines_of_the_files(way):
    listed = {name: int(lines) for lines, name, _ in rows_of(way)}
    assert {name: lines_of(OURS / name) for name in listed} == {name: close_to(n) for name, n in listed.items()}


@pytest.mark.parametrize(
    ('row', 'network', 'package'),
    [('this package', OURS, OURS), ("mmdet's files besides", OURS, MMDET), ("mmdet's own SSD300", MMDET, MMDET)],
)
def test_how_long_the_ways_are(row, network, package, traces):
    numbers = [int(number) for number in re.search(rf'^\| {row} \|(.+)\|$', PAGE, re.M)[1].split('|')]
    for way, (files, lines, code) in zip(WAYS, (numbers[:3], numbers[3:])):
        ran = traces[network, way][package]
        # A function inside another one is part of its lines.
        functions = {one for codes in ran.values() for one in codes if not one.co_flags & inspect.CO_NESTED}
        assert len(ran) == files
        assert sum(map(lines_of, ran)) == close_to(lines)
        assert sum(len(inspect.getsourcelines(function)[0]) for function in functions) == close_to(code)


def imports_of(path):
    """Everything a file imports, as dotted names from the top."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            yield from ('.'.join([*above, *filter(None, [node.module]), alias.name]) for alias in node.names)


@pytest.mark.parametrize('folder', ['ssd_plugin', 'ssd_plugin/models'])
def test_imports_run_downwards(folder):
    listed = re.search(rf'^```floors {folder}\n(.+?)```', PAGE, re.M | re.S)[1].splitlines()
    floor_of = {name: floor for floor, line in enumerate(listed) for name in line.split()}
    files = [path for path in (ROOT / folder).rglob('*.py') if path != ROOT / folder / '__init__.py']
    owner = {path: path.relative_to(ROOT / folder).with_suffix('').parts[0] for path in files}
    assert sorted(set(owner.values())) == sorted(floor_of)
    prefix = folder.replace('/', '.') + '.'
    crossing = [
        (path, name, name.removeprefix(prefix).split('.')[0])
        for path in files
        for name in imports_of(path)
        if name.startswith(prefix)
    ]
    assert len(crossing) > 10
    assert [
        f'{path}: {name}'
        for path, name, other in crossing
        if other != owner[path] and floor_of[other] <= floor_of[owner[path]]
    ] == []


def test_the_package_imports_no_tool_and_no_test():
    names = {name.split('.')[0] for path in OURS.rglob('*.py') for name in imports_of(path)}
    assert 'mmdet' in names
    assert not names & {'tools', 'tests', 'benchmark'}
