from pathlib import Path
from typing import Callable

import pytest

from ssd_plugin.analysis import dry_run


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
