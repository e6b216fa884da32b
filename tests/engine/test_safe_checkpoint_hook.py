"""Complete files only, and one of them at any moment."""

import os
import resource
from pathlib import Path
from typing import Any, Callable

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.engine.safe_checkpoint_hook import WholeFileBackend
from ssd_plugin.errors import UserError

ROOT = Path(__file__).parents[2]


def hooks(**settings: Any) -> dict:
    return {
        'logger': {'type': 'LoggerHook', 'interval': 1},
        'checkpoint': {'type': 'ssd_plugin.SafeCheckpointHook', 'interval': 1, 'by_epoch': False, **settings},
    }


def names(folder: Path) -> list[str]:
    # The config is dumped beside them.
    return sorted(file.name for file in folder.iterdir() if file.is_file() and file.suffix != '.py')


def test_as_many_as_asked_for_are_kept_and_the_pointer_is_relative(
    make_runner: Callable[..., Runner], tmp_path: Path
) -> None:
    make_runner(3, default_hooks=hooks(max_keep_ckpts=2)).train()
    assert names(tmp_path) == ['iter_2.pth', 'iter_3.pth', 'last_checkpoint']
    assert (tmp_path / 'last_checkpoint').read_text() == 'iter_3.pth'
    hub = load_checkpoint_file(tmp_path / 'iter_3.pth')['message_hub']
    assert hub['runtime_info']['keep_ckpt_ids'] == [2, 3]


def test_the_old_one_is_there_until_the_new_one_is(
    make_runner: Callable[..., Runner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = []

    def replace(source: str, target: Path) -> None:
        present.append((Path(target).name, (tmp_path / 'iter_1.pth').exists()))
        rename(source, target)

    rename = os.rename
    monkeypatch.setattr(os, 'replace', replace)
    make_runner(2, default_hooks=hooks(max_keep_ckpts=1)).train()
    assert present == [
        ('iter_1.pth', False),
        ('last_checkpoint', True),
        ('iter_2.pth', True),
        ('last_checkpoint', True),
    ]
    assert names(tmp_path) == ['iter_2.pth', 'last_checkpoint']


def test_the_best_one_is_there_until_the_better_one_is(
    make_runner: Callable[..., Runner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = make_runner(3, default_hooks=hooks(save_best='score', rule='greater'))
    (hook,) = (hook for hook in runner.hooks if type(hook).__name__ == 'SafeCheckpointHook')
    step, bests = type(runner).iter, []
    put = WholeFileBackend.put

    def seen(self: WholeFileBackend, obj: bytes, filepath: str) -> None:
        put(self, obj, filepath)
        bests.append(sorted(file.name for file in tmp_path.glob('best_*.pth')))

    monkeypatch.setattr(WholeFileBackend, 'put', seen)
    monkeypatch.setattr(hook, 'after_train_iter', lambda *_, **__: None)
    runner.train()
    hook.last_ckpt = None
    for i, score in enumerate([0.1, 0.3, 0.2]):
        monkeypatch.setattr(type(runner), 'iter', property(lambda _, i=i: i))
        hook.after_val_epoch(runner, {'score': score})
    monkeypatch.setattr(type(runner), 'iter', step)
    assert bests == [['best_score_iter_0.pth'], ['best_score_iter_0.pth', 'best_score_iter_1.pth']]
    assert names(tmp_path) == ['best_score_iter_1.pth']
    assert hook.best_ckpt_path == str(tmp_path / 'best_score_iter_1.pth')


def test_drafts_of_a_killed_run_are_cleared_away(make_runner: Callable[..., Runner], tmp_path: Path) -> None:
    for name in ('.iter_1.pth-x1y2', '.last_checkpoint-x1y2'):
        (tmp_path / name).write_bytes(b'half')
    make_runner(1, default_hooks=hooks()).train()
    assert names(tmp_path) == ['iter_1.pth', 'last_checkpoint']


def test_a_full_disk_is_one_line_and_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'a' / 'iter_1.pth'
    WholeFileBackend().put(b'old', str(path))

    def full(_: int) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(UserError, match=r'iter_1\.pth: not saved \(No space left on device\), expected .* 3 bytes'):
        WholeFileBackend().put(b'new', str(path))
    assert path.read_bytes() == b'old'
    assert names(path.parent) == ['iter_1.pth']


def test_a_disk_that_fills_up_ends_the_run_and_it_goes_on_when_there_is_room(
    make_runner: Callable[..., Runner], tmp_path: Path
) -> None:
    make_runner(2, default_hooks=hooks(max_keep_ckpts=1)).train()
    runner = make_runner(3, default_hooks=hooks(max_keep_ckpts=1), resume=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(UserError, match=r'iter_3\.pth: not saved \(File too large\), expected .* are intact$'):
            runner.train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == ['iter_2.pth', 'last_checkpoint']
    make_runner(4, default_hooks=hooks(max_keep_ckpts=1), resume=True).train()
    assert names(tmp_path) == ['iter_4.pth', 'last_checkpoint']


def test_every_config_has_it() -> None:
    config = Config.fromfile(ROOT / 'configs' / '_base_' / 'default_runtime.py')
    assert config.default_hooks.checkpoint.type == 'ssd_plugin.SafeCheckpointHook'
