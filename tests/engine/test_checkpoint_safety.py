import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, Runner, load_checkpoint
from torch import nn

from ssd_plugin.engine import checkpoint_safety
from ssd_plugin.engine.checkpoint_safety import install, load_checkpoint_file
from ssd_plugin.errors import UserError


@pytest.fixture(autouse=True)
def installed() -> None:
    install()
    install()


@pytest.fixture(params=[True, False], ids=['torch_loads', 'restricted_unpickler'])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of loading are tried on any torch that has them."""
    if request.param and torch.__version__ < '2.6':
        pytest.skip('torch below 2.6 does not load safely by itself')
    monkeypatch.setattr(checkpoint_safety, '_TORCH_LOADS_SAFELY', request.param)


class Command:
    """Runs a command when it is unpickled."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple:
        return self.call


def test_a_real_run_resumes(make_runner: Callable[..., Runner], tmp_path: Path, either_way: None) -> None:
    first = make_runner(2)
    first.train()
    losses = first.message_hub.get_scalar('train/loss').data[0].tolist()
    second = make_runner(4, load_from=str(tmp_path / 'iter_2.pth'), resume=True)
    second.train()
    assert second.iter == 4
    history = second.message_hub.get_scalar('train/loss').data[0].tolist()
    assert len(history) == 4
    assert history[:2] == losses
    assert second.optim_wrapper.get_lr()['lr'] == [pytest.approx(0.001)]


def test_load_checkpoint_file_gives_what_was_saved(
    make_runner: Callable[..., Runner], tmp_path: Path, either_way: None
) -> None:
    runner = make_runner(2)
    runner.train()
    checkpoint = load_checkpoint_file(tmp_path / 'iter_2.pth')
    assert checkpoint['meta']['iter'] == 2
    assert checkpoint['meta']['dataset_meta'] == {'classes': ('toy',), 'palette': [(1, 2, 3)]}
    assert torch.equal(checkpoint['state_dict']['linear.weight'], runner.model.linear.weight)
    assert checkpoint['message_hub']['log_scalars']['train/lr'].statistics('max') == 0.01


@pytest.mark.parametrize(
    ('payload', 'name'),
    [
        (lambda path: Command(os.mkdir, path), f'{os.name}.mkdir'),
        (lambda path: Command(eval, f'__import__("os").mkdir({path!r})'), 'eval'),
        (lambda path: Command(getattr, HistoryBuffer, '__init__'), 'getattr'),
        (lambda path: nn.ReLU(), 'torch.nn.modules.activation.ReLU'),
    ],
)
def test_code_is_refused(payload: Callable[[str], Any], name: str, tmp_path: Path, either_way: None) -> None:
    trace, path = tmp_path / 'trace', str(tmp_path / 'evil.pth')
    torch.save({'state_dict': payload(str(trace))}, path)
    for load in (load_checkpoint_file, CheckpointLoader.load_checkpoint):
        with pytest.raises(UserError) as caught:
            load(path)
        line = str(caught.value)
        assert line.startswith(f'{path}: holds pickled objects (')
        assert line.endswith(f'{name}) beyond tensors and plain values, not loaded')
        assert '\n' not in line
    assert not trace.exists()


def test_a_damaged_or_missing_file_is_one_line(tmp_path: Path, either_way: None) -> None:
    intact = tmp_path / 'intact.pth'
    torch.save({'weight': torch.arange(1000.0)}, intact)
    data = intact.read_bytes()
    cases = {'half.pth': data[: len(data) // 2], 'text.pth': b'hello world', 'empty.pth': b''}
    for name, content in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        for load in (load_checkpoint_file, CheckpointLoader.load_checkpoint):
            with pytest.raises(UserError) as caught:
                load(str(path))
            assert str(caught.value).startswith(f'{path}: not readable as a checkpoint, expected an intact file')
            assert '\n' not in str(caught.value)
    for load in (load_checkpoint_file, CheckpointLoader.load_checkpoint):
        with pytest.raises(UserError, match=r'none\.pth: no such checkpoint'):
            load(str(tmp_path / 'none.pth'))
    with pytest.raises(UserError, match='the checkpoint cannot be opened'):
        load_checkpoint_file(tmp_path)


def test_a_bare_tensor_is_no_checkpoint(tmp_path: Path) -> None:
    torch.save(torch.ones(2), tmp_path / 'tensor.pth')
    with pytest.raises(UserError, match=r'tensor\.pth: holds a Tensor, expected the dict'):
        load_checkpoint_file(tmp_path / 'tensor.pth')


def test_the_old_file_format_and_optimizer_states_load(tmp_path: Path, either_way: None) -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    content = {'state_dict': model.state_dict(), 'optimizer': optimizer.state_dict()}
    for zipped in (True, False):
        torch.save(content, tmp_path / 'w.pth', _use_new_zipfile_serialization=zipped)
        other = nn.Linear(2, 1)
        checkpoint = load_checkpoint(other, str(tmp_path / 'w.pth'))
        assert torch.equal(other.weight, model.weight)
        assert checkpoint['optimizer']['state'][0]['step'] == 1


def test_torch_load_is_put_back(tmp_path: Path) -> None:
    original = torch.load
    with pytest.raises(UserError):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'none.pth'))
    assert torch.load is original


def test_importing_the_engine_installs_it() -> None:
    code = (
        'import ssd_plugin.engine\n'
        'from mmengine.runner import CheckpointLoader\n'
        'print(CheckpointLoader.load_checkpoint.__func__.__module__)\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == 'ssd_plugin.engine.checkpoint_safety'
