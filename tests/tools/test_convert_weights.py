"""The command-line tool, run in this process."""

import runpy
import sys
from pathlib import Path
from typing import Any

import foreign_weights
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from plain_ssd import make_plain

TOOL = Path(__file__).parents[2] / 'tools' / 'convert_weights.py'


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
    runpy.run_path(str(TOOL), run_name='__main__')


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / 'ssd300.pth'
    torch.save(foreign_weights.amdegroot(make_plain(300)), path)
    return path


def test_converts_and_tells(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / 'ours.pth'
    run(monkeypatch, source, target, '--classes', 'cat, dog,horse')
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f'{target}: 71 weights of amdegroot, 3 classes',
        'default boxes: ssd300-coco',
        'in the config: model = dict(data_preprocessor=dict(mean=[123.0, 117.0, 104.0], std=[1.0, 1.0, 1.0], '
        'bgr_to_rgb=True), bbox_head=dict(anchor_generator=dict(clip_centers=True)))',
    ]
    checkpoint = torch.load(target, weights_only=True)
    assert checkpoint['meta']['dataset_meta'] == {'classes': ('cat', 'dog', 'horse')}
    assert len(checkpoint['state_dict']) == 71


def test_the_printed_line_makes_the_detector(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / 'ours.pth'
    run(monkeypatch, source, target)
    line = capsys.readouterr().out.splitlines()[-1].removeprefix('in the config: ')
    printed: dict[str, Any] = {}
    exec(line, printed)
    config = Config.fromfile(TOOL.parents[1] / 'configs' / 'ssd' / 'ssd300_vgg16_coco.py')
    config.merge_from_dict(dict(model=dict(printed['model'], backbone=dict(init_cfg=None))))
    config.merge_from_dict(dict(model=dict(bbox_head=dict(num_classes=3))))
    register_all_modules()
    detector = MODELS.build(config.model)
    detector.load_state_dict(torch.load(target, weights_only=True)['state_dict'])
    assert detector.bbox_head.prior_generator.clip_centers


def test_maps_to_other_classes(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / 'start.pth'
    run(monkeypatch, source, target, '--classes', 'cat,dog,horse', '--to-classes', 'horse')
    out = capsys.readouterr().out
    assert '59 weights kept; in 12 class predictors 1 classes mapped, 0 fresh, 2 dropped (cat, dog)' in out
    assert f'{target}: 71 weights of amdegroot, 1 classes' in out
    checkpoint = torch.load(target, weights_only=True)
    assert checkpoint['state_dict']['bbox_head.cls_convs.0.0.bias'].shape == (4 * 2,)
    assert checkpoint['meta']['dataset_meta'] == {'classes': ('horse',)}


@pytest.mark.parametrize(
    ('arguments', 'line'),
    [
        (('--from', 'lufficc'), 'error: lufficc weights: 0 predictors'),
        (('--num-classes', '20'), 'error: amdegroot weights: 3 foreground classes, expected 20'),
        (('--classes', 'a,b,c', '--num-classes', '2'), 'error: --num-classes is 2, expected 3'),
        (('--to-classes', 'a'), 'error: --to-classes is given without --classes'),
    ],
)
def test_bad_arguments_are_one_line_and_write_nothing(
    arguments: tuple[str, ...],
    line: str,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, source, tmp_path / 'ours.pth', *arguments)
    assert stopped.value.code == 2
    captured = capsys.readouterr().err
    assert captured.startswith(line)
    assert captured.count('\n') == 1
    assert [path.name for path in tmp_path.iterdir()] == ['ssd300.pth']


def test_a_truncated_file_is_one_line(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source.write_bytes(source.read_bytes()[:100_000])
    with pytest.raises(SystemExit):
        run(monkeypatch, source, tmp_path / 'ours.pth')
    captured = capsys.readouterr().err
    assert captured.startswith('error: ')
    assert 'ssd300.pth' in captured
    assert captured.count('\n') == 1


def test_a_missing_folder_is_one_line(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, source, tmp_path / 'nowhere' / 'ours.pth')
    assert 'nowhere is missing, expected an existing one' in capsys.readouterr().err
