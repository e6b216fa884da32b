import json
import os
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, Runner, load_checkpoint
from torch import nn

from ssd_plugin.engine.checkpoint_safety import install, load_checkpoint_file
from ssd_plugin.errors import UserError
from ssd_plugin.pretrained_dir import PRETRAINED_DIR


@pytest.fixture(autouse=True)
def installed() -> None:
    install()
    install()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serves tmp_path over HTTP and knows its evil.pth as open-mmlab://evil; gives the address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    monkeypatch.setenv('MMENGINE_HOME', str(tmp_path / 'home'))
    with ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=str(tmp_path))) as running:
        address = f'http://127.0.0.1:{running.server_port}'
        (tmp_path / 'home').mkdir()
        (tmp_path / 'home' / 'open_mmlab.json').write_text(json.dumps({'evil': f'{address}/evil.pth'}))
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield address
        running.shutdown()
        thread.join()


class Command:
    """Runs a command when it is unpickled."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple:
        return self.call


def test_a_real_run_resumes(make_runner: Callable[..., Runner], tmp_path: Path) -> None:
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


@pytest.mark.parametrize('key', ['config', 'cfg'])
def test_the_text_of_a_config_is_not_run(key: str, make_runner: Callable[..., Runner], tmp_path: Path) -> None:
    make_runner(1).train()
    checkpoint = load_checkpoint_file(tmp_path / 'iter_1.pth')
    checkpoint['meta'][key] = f'import os\nos.mkdir({str(tmp_path / "trace")!r})'
    torch.save(checkpoint, tmp_path / 'evil.pth')
    resumed = make_runner(2, load_from=str(tmp_path / 'evil.pth'), resume=True)
    resumed.train()
    assert resumed.iter == 2
    assert not (tmp_path / 'trace').exists()


def test_load_checkpoint_file_gives_what_was_saved(make_runner: Callable[..., Runner], tmp_path: Path) -> None:
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
def test_code_is_refused(payload: Callable[[str], Any], name: str, tmp_path: Path) -> None:
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


@pytest.mark.parametrize('forced', [False, True])
def test_code_from_the_network_is_refused(
    forced: bool, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if forced:  # a common way to make MMEngine resume on torch 2.6
        monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    torch.save({'state_dict': Command(os.mkdir, str(tmp_path / 'trace'))}, tmp_path / 'evil.pth')
    torch.save({'state_dict': {'weight': torch.ones(2)}}, tmp_path / 'good.pth')
    for place in (str(tmp_path / 'evil.pth'), f'{server}/evil.pth', 'open-mmlab://evil'):
        with pytest.raises(UserError, match=rf'evil\.pth: holds pickled objects \({os.name}\.mkdir\)'):
            CheckpointLoader.load_checkpoint(place)
    assert not (tmp_path / 'trace').exists()
    assert CheckpointLoader.load_checkpoint(f'{server}/good.pth')['state_dict']['weight'].tolist() == [1, 1]


def test_a_class_is_not_changed_by_a_checkpoint(tmp_path: Path) -> None:
    # HistoryBuffer, with the state (None, {'mean': 1}): pickle sets that as attributes of the class.
    change = b'cmmengine.logging.history_buffer\nHistoryBuffer\n(N}(X\x04\x00\x00\x00meanK\x01utb.'
    head = (torch.serialization.MAGIC_NUMBER, torch.serialization.PROTOCOL_VERSION, {})
    (tmp_path / 'evil.pth').write_bytes(b''.join(pickle.dumps(part, 2) for part in head) + change)
    with pytest.raises(UserError, match=r'evil\.pth: not readable as a checkpoint.*got <class .type.>'):
        load_checkpoint_file(tmp_path / 'evil.pth')
    assert callable(HistoryBuffer.mean)


def test_a_damaged_or_missing_file_is_one_line(tmp_path: Path) -> None:
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


def test_a_flipped_bit_of_a_weight_is_noticed(tmp_path: Path) -> None:
    torch.save({'weight': torch.ones(99)}, tmp_path / 'a.pth')
    data = bytearray((tmp_path / 'a.pth').read_bytes())
    data[data.index(torch.ones(99).numpy().tobytes()) + 2] ^= 1
    (tmp_path / 'a.pth').write_bytes(data)
    assert not torch.equal(torch.load(tmp_path / 'a.pth')['weight'], torch.ones(99))
    with pytest.raises(UserError, match=r'a\.pth: the checksum of .*/data/0 is wrong, expected an intact checkpoint'):
        load_checkpoint_file(tmp_path / 'a.pth')


def test_a_bare_tensor_is_no_checkpoint(tmp_path: Path) -> None:
    torch.save(torch.ones(2), tmp_path / 'tensor.pth')
    with pytest.raises(UserError, match=r'tensor\.pth: holds a Tensor, expected the dict'):
        load_checkpoint_file(tmp_path / 'tensor.pth')


def test_weights_that_are_no_dict(tmp_path):
    torch.save({'state_dict': [1]}, tmp_path / 'a.pth')
    with pytest.raises(UserError, match=r'a\.pth: state_dict is a list, expected a dict of weights$'):
        load_checkpoint_file(tmp_path / 'a.pth')


def test_the_old_file_format_and_optimizer_states_load(tmp_path: Path) -> None:
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


def test_importing_the_engine_installs_it() -> None:
    code = (
        'import torch; before = torch.load\n'
        'import ssd_plugin.engine\n'
        'from mmengine.runner import CheckpointLoader, checkpoint\n'
        'assert torch.load is before\n'
        'print(CheckpointLoader._get_checkpoint_loader("a.pth").__module__, checkpoint.load_url.__module__)\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == ['ssd_plugin.engine.checkpoint_safety'] * 2


def test_with_a_folder_of_weights_nothing_is_downloaded(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({'state_dict': {'weight': torch.zeros(1)}}, tmp_path / 'evil.pth')
    folder = tmp_path / 'weights'
    folder.mkdir()
    torch.save({'state_dict': {'weight': torch.ones(1)}}, folder / 'evil.pth')
    monkeypatch.setenv(PRETRAINED_DIR, str(folder))
    for place in (f'{server}/evil.pth?download=1', 'open-mmlab://evil'):
        assert CheckpointLoader.load_checkpoint(place)['state_dict']['weight'].tolist() == [1]
    (folder / 'evil.pth').unlink()
    with pytest.raises(UserError, match=r'evil\.pth: SSD_PRETRAINED_DIR is set, and \S+evil\.pth does not exist'):
        CheckpointLoader.load_checkpoint('open-mmlab://evil')


def test_a_failed_download_says_which_file_to_place_where(server: str) -> None:
    line = (
        f'{server}/none.pth: not downloaded (File not found), expected a network, or none.pth in a folder that the '
        'environment variable SSD_PRETRAINED_DIR names'
    )
    with pytest.raises(UserError, match=f'^{re.escape(line)}$'):
        CheckpointLoader.load_checkpoint(f'{server}/none.pth')
