"""Inputs and results of tools/infer.py: none is lost or mixed up, and what is wrong is one line before the first."""

import json
import os
import shutil
import signal

import cv2
import numpy as np
import pytest
import torch
from tool_runs import ROOT, fails, run_here

# Warnings of other packages, about settings and fonts.
pytestmark = pytest.mark.filterwarnings('ignore')


@pytest.fixture
def images(shapes, tmp_path, monkeypatch):
    """Three images, two of one name and two that differ in the ending."""
    sources = sorted((shapes / 'JPEGImages').iterdir())
    for folder, source in zip('xy', sources):
        (tmp_path / folder).mkdir()
        shutil.copy(source, tmp_path / folder / 'a.jpg')
    cv2.imwrite(str(tmp_path / 'y' / 'a.png'), cv2.imread(str(sources[2])))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def infer(narrow, *arguments, monkeypatch):
    run_here('infer', [narrow, narrow.with_suffix('.pth'), *arguments], monkeypatch)


def refused(narrow, *arguments, monkeypatch, capsys):
    """The last line; standard error of a run that was refused at once has no other."""
    return fails('infer', [narrow, narrow.with_suffix('.pth'), *arguments], monkeypatch, capsys).splitlines()[-1]


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


def test_every_image_keeps_its_results(narrow, images, monkeypatch):
    infer(narrow, 'x', 'y', '--out-dir', 'all', '--batch-size', 2, monkeypatch=monkeypatch)
    assert files(images / 'all') == [
        *('preds/x/a.jpg.json', 'preds/y/a.jpg.json', 'preds/y/a.png.json'),
        *('vis/x/a.jpg', 'vis/y/a.jpg', 'vis/y/a.png'),
    ]
    alone = {'x/a.jpg': 'preds/a.json', 'y/a.png': 'preds/a.json'}
    for name, detections in alone.items():
        infer(narrow, name, '--out-dir', 'alone', monkeypatch=monkeypatch)
        found = json.loads((images / 'alone' / detections).read_text())
        assert found['labels'] == json.loads((images / 'all' / 'preds' / f'{name}.json').read_text())['labels']
        drawn = [
            cv2.imread(str(images / folder / 'vis' / file)) for folder, file in (('all', name), ('alone', name[2:]))
        ]
        assert (drawn[0] == drawn[1]).all()


@pytest.mark.parametrize('content', [b'', b'<html>', 'cut'])
def test_a_broken_image_costs_no_other_its_results(content, narrow, images, monkeypatch, capsys):
    whole = (images / 'x' / 'a.jpg').read_bytes()
    (images / 'y' / 'a.jpg').write_bytes(whole[: len(whole) // 2] if content == 'cut' else content)
    printed = fails('infer', [narrow, narrow.with_suffix('.pth'), 'x', 'y', '--batch-size', 1], monkeypatch, capsys)
    skipped, last = printed.splitlines()[-2:]
    assert skipped.startswith('skipped: y/a.jpg: ')
    assert (
        last
        == 'error: 1 of 3 images and videos were skipped or cut short, expected whole files; the lines above name them'
    )
    assert files(images / 'outputs') == [
        *('preds/x/a.jpg.json', 'preds/y/a.png.json', 'vis/x/a.jpg', 'vis/y/a.png'),
    ]


def test_a_disk_that_fills_leaves_no_half_drawing(narrow, images, full_disk, monkeypatch, capsys):
    cv2.imwrite('x/a.jpg', np.random.default_rng(0).integers(0, 255, (300, 400, 3)))
    full_disk(20_000)
    line = refused(narrow, 'x', monkeypatch=monkeypatch, capsys=capsys)
    assert line == 'error: outputs/vis/a.jpg: File too large, expected room on the disk'
    assert files(images / 'outputs') == []


def test_no_drawing_replaces_an_input(narrow, images, monkeypatch, capsys):
    shutil.copytree('x', 'out/vis')
    before = (images / 'out' / 'vis' / 'a.jpg').read_bytes()
    line = refused(narrow, 'out/vis', '--out-dir', 'out', monkeypatch=monkeypatch, capsys=capsys)
    assert line == 'error: --out-dir: out/vis/a.jpg is an input, expected a folder for drawings without any'
    assert files(images / 'out') == ['vis/a.jpg']
    assert (images / 'out' / 'vis' / 'a.jpg').read_bytes() == before


REFUSED = [
    (['none.jpg'], 'none.jpg: no such file or folder, expected an image'),
    (['x', 'none'], 'none: no such file or folder, expected an image'),
    (['empty'], 'empty: holds no image, expected files ending in .jpg, .jpeg, '),
    (['x', '--device', 'cuda:99'], '--device cuda:99: no such device here, expected one like cpu'),
    (['x', '--device', 'gpu'], '--device gpu: no such device here, expected one like cpu'),
    (['x', '--score-thr', '30'], '--score-thr is 30, expected a number from 0 to 1'),
    (['x', '--score-thr', 'nan'], '--score-thr is nan, expected a number from 0 to 1'),
    (['x', '--batch-size', '0'], '--batch-size is 0, expected a whole number above 0'),
    (['x', 'photo'], 'photo: OpenCV cannot write a drawing with this ending, expected one such as .jpg or .png'),
    (['photo.xyz'], 'photo.xyz: OpenCV cannot write a drawing with this ending, expected one such as .jpg or .png'),
    (['x', '--tile', '300'], "--tile is '300', expected width x height such as 640x480"),
    (['x', '--tile', '0x300'], '--tile is 0x300, expected sides of at least 1 pixel'),
    (['x', '--coco', 'all.txt'], "--coco is 'all.txt', expected a file name ending in .json"),
    (['x', '--csv', 'photo/all.csv'], '--csv: photo cannot be written to (Not a directory at '),
    (['https://a.org/a.jpg'], 'https://a.org/a.jpg: an address, expected --allow-url with it, or a file'),
    (['webcam:front'], 'webcam:front: expected the number of a camera, such as webcam:0'),
    (['x', '--out-dir', 'photo'], '--out-dir: photo/vis cannot be written to (Not a directory at '),
    (['x', '--out-dir', 'half'], '--out-dir: half/preds cannot be written to (Not a directory at '),
]


@pytest.mark.parametrize(('arguments', 'line'), REFUSED, ids=[' '.join(arguments) for arguments, _ in REFUSED])
def test_what_is_refused_before_the_network_is_built(arguments, line, narrow, images, monkeypatch, capsys):
    (images / 'empty').mkdir()
    (images / 'half').mkdir()
    for name in ('photo', 'photo.xyz', 'half/preds'):
        (images / name).touch()
    before = files(images)
    printed = fails('infer', [narrow, narrow.with_suffix('.pth'), *arguments], monkeypatch, capsys)
    assert printed.startswith(f'error: {line}')
    assert printed.count('\n') == 1
    assert files(images) == before


@pytest.fixture
def video(images):
    """Ten frames, in the folder x."""
    path = images / 'x' / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10, (96, 72))
    for _ in range(10):
        writer.write(cv2.imread('x/a.jpg'))
    writer.release()
    return path


def test_videos_images_and_tiles_in_one_run(narrow, video, images, monkeypatch, capsys):
    (images / 'y' / 'none.mp4').write_bytes(b'no video')
    options = ['--tile', '48x48', '--coco', 'new/all.json', '--csv', 'all.csv', '--classes', 'ring,star']
    arguments = [narrow, narrow.with_suffix('.pth'), '*/*', *options]
    printed = fails('infer', arguments, monkeypatch, capsys)
    assert printed.splitlines()[-2:] == [
        'skipped: y/none.mp4: no frame can be read, expected a video whose format OpenCV reads',
        'error: 1 of 5 images and videos were skipped or cut short, expected whole files; the lines above name them',
    ]
    assert files(images / 'outputs') == [
        *('preds/x/a.jpg.json', 'preds/x/clip.avi.json', 'preds/y/a.jpg.json', 'preds/y/a.png.json'),
        *('vis/x/a.jpg', 'vis/x/clip.avi.mp4', 'vis/y/a.jpg', 'vis/y/a.png'),
    ]
    assert cv2.VideoCapture('outputs/vis/x/clip.avi.mp4').get(cv2.CAP_PROP_FRAME_COUNT) == 10
    found = json.loads((images / 'outputs' / 'preds' / 'y' / 'a.png.json').read_text())
    assert set(found['labels']) == {3, 4}
    coco = json.loads((images / 'new' / 'all.json').read_text())
    assert len(coco['images']) == 13
    assert (images / 'all.csv').read_text().startswith('file,frame,class,score,x1,y1,x2,y2\n')


def test_ctrl_c_ends_with_whole_files(narrow, video, images, monkeypatch, capsys):
    from ssd_plugin.prediction.predictor import Predictor

    predict = Predictor.__call__

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return predict(*arguments)

    monkeypatch.setattr(Predictor, '__call__', interrupted)
    with pytest.raises(SystemExit) as ended:
        infer(narrow, video, '--batch-size', 4, '--coco', 'all.json', monkeypatch=monkeypatch)
    assert ended.value.code == 130
    assert capsys.readouterr().err.splitlines()[-1] == 'stopped by SIGINT'
    assert files(images / 'outputs') == ['preds/clip.json', 'vis/clip.mp4']
    drawn = cv2.VideoCapture('outputs/vis/clip.mp4')
    assert [drawn.read()[0] for _ in range(5)] == [True] * 4 + [False]
    assert len(json.loads((images / 'outputs' / 'preds' / 'clip.json').read_text())) == 4
    assert len(json.loads((images / 'all.json').read_text())['images']) == 4


def test_a_class_that_the_model_lacks(narrow, images, monkeypatch, capsys):
    line = refused(narrow, 'x', '--classes', 'ring,cat', monkeypatch=monkeypatch, capsys=capsys)
    expected = 'circle, square, triangle, star, ring, cross'
    assert line == f"error: --classes: the model has no class 'cat', expected some of {expected}"
    assert not (images / 'outputs').exists()


CHECKPOINTS = [
    (None, 'load_from: a.pth does not exist, expected a checkpoint file'),
    (b'', 'a.pth: not readable as a checkpoint, expected an intact file of torch.save (EOFError: '),
    (b'no checkpoint', 'a.pth: not readable as a checkpoint, expected an intact file of torch.save ('),
    ([1], 'a.pth: holds a list, expected the dict of a checkpoint'),
    ({}, 'a.pth: does not fit the model of the config, it lacks backbone.conv1.weight, '),
    ({'state_dict': {}}, 'a.pth: does not fit the model of the config, it lacks backbone.conv1.weight, '),
    ({'state_dict': [1]}, 'a.pth: state_dict is a list, expected a dict of weights'),
]


@pytest.mark.parametrize(('content', 'line'), CHECKPOINTS)
@pytest.mark.parametrize('tool', ['infer', 'test'])
def test_a_checkpoint_that_is_none(tool, content, line, narrow, images, place, monkeypatch, capsys):
    if isinstance(content, bytes):
        (images / 'a.pth').write_bytes(content)
    elif content is not None:
        torch.save(content, images / 'a.pth')
    rest = ['x'] if tool == 'infer' else ['--work-dir', place, '--cfg-options', 'test_dataloader.num_workers=0']
    printed = fails(tool, [narrow, 'a.pth', *rest], monkeypatch, capsys)
    assert printed.splitlines()[-1].startswith(f'error: {line}')
    assert not (images / 'outputs').exists()


def test_a_config_of_other_classes(narrow, images, monkeypatch, capsys):
    other = ROOT / 'configs' / 'bccd' / 'ssd300_r18_bccd.py'
    printed = fails('infer', [other, narrow.with_suffix('.pth'), 'x'], monkeypatch, capsys)
    line = printed.splitlines()[-1]
    assert line.startswith(f'error: {narrow.with_suffix(".pth")}: does not fit the model of the config, ')
