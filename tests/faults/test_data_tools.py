"""Faults of the tools that make, prepare and replay data: one line, and nothing is written."""

import json
from pathlib import Path

import pytest
import torch
from tool_runs import CONFIG, fails

IMAGES, SIZE = 'expected 1 to 999999', 'expected sides of 64 to 4096 pixels'
SHAPES = [
    ('--images 0', f'--images is 0, {IMAGES}'),
    ('--images -5', f'--images is -5, {IMAGES}'),
    ('--images 1000000', f'--images is 1000000, {IMAGES}'),
    ('--size 300', "--size is '300', expected width x height such as 320x240"),
    ('--size wide', "--size is 'wide', expected width x height such as 320x240"),
    ('--size -3x300', "--size is '-3x300', expected width x height such as 320x240"),
    ('--size 3x3', f'--size is 3x3, {SIZE}'),
    ('--size 99999x99999', f'--size is 99999x99999, {SIZE}'),
    ('--seed -1', '--seed is -1, expected 0 or more'),
    ('--val-fraction 1', '--val-fraction is 1, expected 0 or more and less than 1'),
    ('--val-fraction -0.1', '--val-fraction is -0.1, expected 0 or more and less than 1'),
    ('--val-fraction nan', '--val-fraction is nan, expected 0 or more and less than 1'),
    ('--workers 0', '--workers is 0, expected 1 or more'),
    ('--workers -1', '--workers is -1, expected 1 or more'),
]


@pytest.mark.parametrize(('options', 'line'), SHAPES, ids=[options for options, _ in SHAPES])
def test_a_setting_of_the_shapes(options: str, line: str, tmp_path: Path, monkeypatch, capsys) -> None:
    name, value = options.split()
    assert fails('make_shapes', [tmp_path / 'x', f'{name}={value}'], monkeypatch, capsys) == f'error: {line}\n'
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('option', ['--images', '--seed', '--workers', '--val-fraction'])
def test_text_for_a_number(option: str, tmp_path: Path, monkeypatch, capsys) -> None:
    printed = fails('make_shapes', [tmp_path / 'x', option, 'two'], monkeypatch, capsys)
    (line,) = printed.splitlines()
    assert line.startswith(f'error: argument {option}: invalid ')
    assert list(tmp_path.iterdir()) == []


OTHER_SHAPES = [
    (None, ' exists and is not a data set of shapes, expected a new or empty folder'),
    ('{', '/parameters.json: no JSON (Expecting property name'),
    ('', '/parameters.json: no JSON (Expecting value'),
    ('[1]', '/parameters.json: holds a list, expected a new or empty folder'),
    ('{"images": 3}', ' holds shapes made with images=3 instead of 500, width=None instead of 320, '),
]


@pytest.mark.parametrize(('content', 'line'), OTHER_SHAPES)
def test_a_folder_that_holds_something_else(content, line: str, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / 'mine.txt').write_text('mine')
    if content is not None:
        (tmp_path / 'parameters.json').write_text(content)
    before = sorted(tmp_path.iterdir())
    printed = fails('make_shapes', [tmp_path], monkeypatch, capsys)
    assert printed.startswith(f'error: {tmp_path}{line}')
    assert printed.count('\n') == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """COCO's files, as far as they are looked at before the numbers of images are counted."""
    for name in ('train2014', 'val2014', 'annotations'):
        (tmp_path / name).mkdir()
    content = {'images': [{'id': 1}], 'annotations': [{'image_id': 1}], 'categories': []}
    for name in ('train2014', 'val2014', 'val2017'):
        (tmp_path / 'annotations' / f'instances_{name}.json').write_text(json.dumps(content))
    return tmp_path


FILE = 'expected the file of https://cocodataset.org/#download'
COCO = [
    (None, 'instances_val2017.json does not exist, expected a file from https://cocodataset.org/#download'),
    ('', f'instances_val2017.json: no JSON (Expecting value: line 1 column 1 (char 0)), {FILE}'),
    ('{"images": [', 'instances_val2017.json: no JSON (Expecting value'),
    ('[' * 100_000, 'instances_val2017.json: no JSON (maximum recursion depth exceeded'),
    ('[]', f'instances_val2017.json: no images, annotations and categories in it, {FILE}'),
    ('{"images": []}', f'instances_val2017.json: no images, annotations and categories in it, {FILE}'),
    ('{"images": 3, "annotations": [], "categories": []}', f'images are not all objects with id, {FILE}'),
    ('{"images": [3], "annotations": [], "categories": []}', f'images are not all objects with id, {FILE}'),
    (
        '{"images": [], "annotations": [{"id": 1}], "categories": []}',
        f'annotations are not all objects with image_id, {FILE}',
    ),
    (
        '{"images": [{"id": 9}], "annotations": [], "categories": []}',
        'instances_val2014.json lacks 1 images of instances_val2017.json (9, ...), expected all of them',
    ),
    (
        '{"images": [{"id": 1}], "annotations": [], "categories": []}',
        'instances_minival2014.json to be written: 1 images, expected 5000; is the archive whole?',
    ),
]


@pytest.mark.parametrize(('content', 'line'), COCO)
def test_coco_files(content, line: str, coco: Path, monkeypatch, capsys) -> None:
    path = coco / 'annotations' / 'instances_val2017.json'
    path.unlink() if content is None else path.write_text(content)
    before = sorted(coco.rglob('*'))
    printed = fails('prepare_dataset', ['coco', coco], monkeypatch, capsys)
    assert printed.startswith('error: ')
    assert line in printed
    assert printed.count('\n') == 1
    assert sorted(coco.rglob('*')) == before


@pytest.mark.parametrize('name', ['voc', 'coco', 'ilsvrc'])
@pytest.mark.parametrize('kind', ['nothing', 'file', 'empty'])
def test_a_folder_of_no_data_set(name: str, kind: str, tmp_path: Path, monkeypatch, capsys) -> None:
    root = tmp_path / 'root'
    if kind == 'file':
        root.touch()
    elif kind == 'empty':
        root.mkdir()
    printed = fails('prepare_dataset', [name, root], monkeypatch, capsys)
    assert printed.startswith(f'error: {root}')
    assert ' does not exist, expected a ' in printed
    assert printed.count('\n') == 1


LISTS = [
    ('', ': 0 images, expected 5011; is the archive whole?'),
    ('000005\n', ': 1 images, expected 5011; is the archive whole?'),
    ('\x80', ': no text ('),
    (''.join(f'{i:06d}\n' for i in range(5011)), 'JPEGImages does not exist, expected a folder from http'),
]


@pytest.mark.parametrize(('content', 'line'), LISTS)
def test_voc_lists(content: str, line: str, tmp_path: Path, monkeypatch, capsys) -> None:
    path = tmp_path / 'VOC2007' / 'ImageSets' / 'Main' / 'trainval.txt'
    path.parent.mkdir(parents=True)
    path.write_bytes(content.encode('latin-1'))
    printed = fails('prepare_dataset', ['voc', tmp_path], monkeypatch, capsys)
    assert printed.splitlines()[-1].startswith(f'error: {tmp_path}/VOC2007/')
    assert line in printed


NO_FILE = 'expected a file of NonFiniteLossHook'
BATCHES = [
    (None, 'no such checkpoint, expected a file that exists'),
    (b'', 'not readable as a checkpoint, expected an intact file of torch.save (EOFError: '),
    (b'x', 'not readable as a checkpoint, expected an intact file of torch.save ('),
    ([1], 'holds a list, expected the dict of a checkpoint'),
    ({}, f'holds [], {NO_FILE}'),
    ({'state_dict': {}, 'meta': {}}, f"holds ['meta', 'state_dict'], {NO_FILE}"),
    ({'batch': 1, 'state_dict': {}, 'terms': {}}, NO_FILE),
    ({'batch': {}, 'state_dict': {}, 'terms': {}}, NO_FILE),
    ({'batch': {'inputs': [], 'data_samples': []}, 'state_dict': {}, 'terms': 3}, NO_FILE),
    ({1: 2, 'batch': 3}, f"holds ['1', 'batch'], {NO_FILE}"),
    ({'batch': {}, 'state_dict': 3, 'terms': {}}, 'state_dict is a int, expected a dict of weights'),
    (
        {'batch': {'inputs': [], 'data_samples': []}, 'state_dict': {}, 'terms': {}},
        f'its weights are not those of {CONFIG}, expected the config of the run',
    ),
]


@pytest.mark.parametrize(('content', 'line'), BATCHES)
def test_a_file_that_holds_no_batch(content, line: str, tmp_path: Path, monkeypatch, capsys) -> None:
    path = tmp_path / 'a.pth'
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    printed = fails('replay_batch', [CONFIG, path], monkeypatch, capsys)
    assert printed.startswith(f'error: {path}: ')
    assert line in printed
    assert printed.count('\n') == 1


CONFIGS = [
    (None, 'no such config, expected a file'),
    ('model = dict(', 'not a readable config (SyntaxError: '),
    ("_base_ = 'none.py'", 'not a readable config (FileNotFoundError: '),
    ("_base_ = 'ssd_plugin::none.py'", 'not a readable config (FileNotFoundError: '),
    ('x = 1', 'no model, expected the config of the run'),
    ("model = dict(type='SSD')", 'no optim_wrapper, expected the config of the run'),
]


@pytest.mark.parametrize(('text', 'line'), CONFIGS)
def test_a_config_of_no_run(text, line: str, tmp_path: Path, monkeypatch, capsys) -> None:
    path = tmp_path / 'a.py'
    if text is not None:
        path.write_text(text)
    printed = fails('replay_batch', [path, 'none.pth'], monkeypatch, capsys)
    assert printed.startswith(f'error: {path}: {line}')
    assert printed.count('\n') == 1
