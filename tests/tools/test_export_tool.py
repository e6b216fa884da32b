"""The command-line tool, and those that take its file, run in this process."""

import json
import runpy
import sys
from pathlib import Path

import pytest
from random_detector import ROOT, write_detector, write_images

# mmdet's inferencer draws into files, and has no folder for the config's backend;
# a visualizer of one name serves all tools of this process, which MMEngine remarks on.
pytestmark = [
    pytest.mark.filterwarnings('ignore:Failed to add:UserWarning'),
    pytest.mark.filterwarnings('ignore:.*instance named of visualizer has been created:UserWarning'),
]


def run(name: str, *arguments: object) -> None:
    tool = str(ROOT / 'tools' / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        runpy.run_path(tool, run_name='__main__')


def refused(capsys: pytest.CaptureFixture, name: str, *arguments: object) -> str:
    with pytest.raises(SystemExit) as ended:
        run(name, *arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_an_exported_file_takes_the_place_of_a_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    config, checkpoint = write_detector(tmp_path)
    images = write_images(tmp_path / 'images', 2)
    out = tmp_path / 'narrow.torchscript'
    run('export.py', config, checkpoint, '--format', 'torchscript', '--out', out, '--images', images[0].parent)
    said = capsys.readouterr().out
    assert '2 images, 18 detections' in said
    assert said.splitlines()[-1] == f'{out}: predicts as {checkpoint}'
    found = []
    for weights in (checkpoint, out):
        run('infer.py', config, weights, *images, '--out-dir', tmp_path / weights.suffix, '--device', 'cpu')
        written = sorted((tmp_path / weights.suffix).glob('preds/*.json'))
        found.append([json.loads(path.read_text()) for path in written])
    assert [one['labels'] for one in found[0]] == [one['labels'] for one in found[1]]
    assert len(found[0]) == 2
    for before, after in zip(*found):
        assert after['scores'] == pytest.approx(before['scores'], abs=1e-5)

    capsys.readouterr()
    line = refused(capsys, 'infer.py', config, out, *images, '--amp')
    assert line == f'error: --amp: {out} is an exported file, expected this option with a checkpoint alone'
    bccd = ROOT / 'configs' / 'bccd' / 'ssd300_r18_bccd.py'
    assert "expected that of the config, ['RBC'" in refused(capsys, 'infer.py', bccd, out, *images)


@pytest.mark.parametrize(
    ('arguments', 'line'),
    [
        (['--out', 'a.xml', '--format', 'onnx'], 'error: --out is a.xml, expected a file name ending in .onnx'),
        (['--out', 'a.pt2', '--format', 'torch-export', '--nms', 'inside'], 'error: --nms inside: torch-export has no'),
        (['--out', 'a.onnx', '--num-images', 0], 'error: --num-images is 0, expected'),
        (['--out', 'a.onnx', '--images', 'no.jpg'], 'error: no.jpg: no such file or folder'),
    ],
)
def test_arguments_are_checked_first(arguments: list, line: str, capsys: pytest.CaptureFixture) -> None:
    assert refused(capsys, 'export.py', 'none.py', 'none.pth', *arguments).startswith(line)


@pytest.mark.slow
def test_the_set_of_the_config_and_its_ap(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = tmp_path / 'shapes'
    run('make_shapes.py', shapes, '--images', 20)
    monkeypatch.setenv('SHAPES_ROOT', str(shapes))
    config, checkpoint = write_detector(tmp_path)
    out = tmp_path / 'narrow.xml'
    run('export.py', config, checkpoint, '--format', 'openvino', '--out', out, '--num-images', 3)
    assert 'metrics of AP' in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.glob('narrow*')) == ['narrow.bin', 'narrow.pth', 'narrow.py', out.name]
    aps = []
    for weights in (checkpoint, out):
        run('test.py', config, weights, '--work-dir', tmp_path / 'runs')
        said = capsys.readouterr().out
        aps.append(said.partition('coco/bbox_mAP: ')[2].split()[0])
    assert aps[0] == aps[1]
    line = refused(capsys, 'test.py', config, out, '--cfg-options', 'model.test_cfg.score_thr=0.5')
    assert line.startswith('error: --cfg-options model.test_cfg.score_thr: ')
    assert refused(capsys, 'test.py', config, out, '--tta').startswith('error: --tta: ')
