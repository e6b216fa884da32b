import runpy
import sys
from pathlib import Path
from typing import Callable

import pytest

from ssd_plugin import mmcv_ops
from ssd_plugin.analysis import dry_run
from ssd_plugin.cli import compiled_ops

ROOT = Path(__file__).parents[2]


def test_a_dry_run_tells_what_training_takes_and_writes_nothing(
    run_tool_on_shapes: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.setattr(dry_run, 'SECONDS', 0.0)
    monkeypatch.setattr(dry_run, 'STEPS', 1)
    monkeypatch.setattr(dry_run, 'WARM_UP', 1)
    monkeypatch.chdir(tmp_path)
    run_tool_on_shapes('train', '--dry-run', '--work-dir', 'work')
    shown = capsys.readouterr().out
    assert 'Default boxes for an input of 300x300' in shown
    assert 'training data   6 images, 3 batches of 2 in an epoch' in shown
    assert 'schedule        36 epochs, 108 iterations' in shown
    assert 'work folder     work (not written to)' in shown
    assert 'paramwise_options' not in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        (['--launcher', 'pytorch'], 'expected to be started by'),
        (['--work-dir', 'file/work'], 'work_dir: file/work cannot be written to'),
    ],
)
def test_a_dry_run_refuses_what_training_would(
    arguments: list[str],
    expected: str,
    run_tool_on_shapes: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path('file').touch()
    with pytest.raises(SystemExit) as ended:
        run_tool_on_shapes('train', '--dry-run', *arguments)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


@pytest.mark.skipif(mmcv_ops.has_compiled_ops(), reason='needs mmcv-lite')
def test_faster_rcnn_without_roi_align_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(compiled_ops, 'has_torchvision', lambda: False)
    config = ROOT / 'configs' / 'comparators' / 'faster-rcnn_r18_bccd.py'
    monkeypatch.setattr(sys, 'argv', ['train.py', str(config)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / 'tools' / 'train.py'), run_name='__main__')
    assert ended.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: model.roi_head.bbox_roi_extractor.roi_layer.type: 'RoIAlign' is one of the compiled")
    assert line.endswith(
        'pip install "mmcv>=2.0.1,<2.2", or install the torchvision that belongs to the installed torch'
    )
    assert not list(tmp_path.iterdir())
