"""Files that would run code when they are opened: every tool refuses them, and no code runs."""

import io
import logging
import os
import pickle
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmdet.apis import DetInferencer, init_detector
from mmengine.config import config

from ssd_plugin.datasets.shapes.make_shapes import ShapesParameters, make_shapes
from ssd_plugin.errors import UserError

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'
# MMEngine expects one run in a process.
MANY_RUNS = pytest.mark.filterwarnings('ignore:.*instance named of .* has been created:UserWarning')
SMALL = f"""
_base_ = '{CONFIG}'
model = dict(backbone=dict(base_channels=16))
train_dataloader = dict(batch_size=1, num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0, persistent_workers=False)
"""


class Command:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.folder,)


# How the file is written; torch's first format, and Python's and numpy's own, have to be refused under any name.
FORMS: dict[str, Callable[[Path, Command], object]] = {
    'torch': lambda file, command: torch.save({'state_dict': {'a': command}}, file),
    'old torch': lambda file, command: torch.save({'a': command}, file, _use_new_zipfile_serialization=False),
    'pickle': lambda file, command: file.write_bytes(pickle.dumps({'state_dict': command})),
    'pickle of protocol 0': lambda file, command: file.write_bytes(pickle.dumps(command, 0)),
    'npy': lambda file, command: file.write_bytes(numpy_bytes(np.save, command)),
    'npz': lambda file, command: file.write_bytes(numpy_bytes(np.savez, command)),
}


def numpy_bytes(save: Callable[..., object], command: Command) -> bytes:
    written = io.BytesIO()  # given a name, numpy would add its own suffix
    save(written, np.array([command], object))
    return written.getvalue()


@pytest.fixture(scope='module')
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('data') / 'shapes'
    make_shapes(folder, ShapesParameters(8, 96, 72))
    return folder


@pytest.fixture
def folder(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv('SHAPES_ROOT', str(shapes))
    return tmp_path


@pytest.fixture
def small(folder: Path) -> Path:
    (folder / 'small.py').write_text(SMALL)
    return folder / 'small.py'


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a tool in this process, which must end with status 2; the last line of stderr."""

    def run(tool: str, *arguments: object) -> str:
        # MMEngine's logger would write to the output of the test that made it.
        monkeypatch.setattr(logging, 'raiseExceptions', False)
        # To lay out the config for the log takes longer than all the rest.
        monkeypatch.setattr(config, 'FormatCode', lambda text, **_: (text, True))
        monkeypatch.setattr(sys, 'argv', [f'{tool}.py', *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / 'tools' / f'{tool}.py'), run_name='__main__')
        assert ended.value.code == 2
        return capsys.readouterr().err.splitlines()[-1]

    return run


def test_the_files_are_hostile(tmp_path: Path) -> None:
    """Opened the other way, each makes its folder: the tests below would see it."""
    for number, (form, write) in enumerate(FORMS.items()):
        mark, file = tmp_path / str(number), tmp_path / f'{number}.bin'
        write(file, Command(mark))
        if form.startswith('np'):
            opened = np.load(file, allow_pickle=True)
            assert len(opened['arr_0'] if form == 'npz' else opened) == 1
        elif form.startswith('pickle'):
            pickle.loads(file.read_bytes())
        else:
            torch.load(file, weights_only=False)
        assert mark.is_dir()


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('suffix', ['pth', 'pt', 'caffemodel', 'npy', 'npz', 'pkl'])
def test_the_converter(form: str, suffix: str, folder: Path, printed: Callable[..., str]) -> None:
    file, mark = folder / f'evil.{suffix}', folder / 'mark'
    FORMS[form](file, Command(mark))
    assert printed('convert_weights', file, folder / 'ours.pth').startswith(f'error: {file}')
    assert list(folder.iterdir()) == [file]


# Every way to hand a file to a tool.
WAYS: dict[str, Callable[[Path, Path], list[object]]] = {
    'resume': lambda small, file: ['train', small, '--resume', file],
    'load_from': lambda small, file: ['train', small, '--cfg-options', f'load_from={file}'],
    'backbone': lambda small, file: [
        *('train', small, '--cfg-options', 'model.backbone.init_cfg.type=Pretrained'),
        f'model.backbone.init_cfg.checkpoint={file}',
    ],
    'PartialLoadHook': lambda small, file: [
        *('train', small, '--cfg-options', 'custom_hooks.0.type=ssd_plugin.PartialLoadHook'),
        f'custom_hooks.0.checkpoint={file}',
    ],
    'test': lambda small, file: ['test', small, file],
    'infer': lambda small, file: ['infer', small, file, ROOT / 'docs' / 'images' / 'shapes.jpg', '--device', 'cpu'],
    'replay_batch': lambda small, file: ['replay_batch', small, file],
}


# The others go through the same function, which the converter's test above gives all of them.
FEW_FORMS = ['torch', *(pytest.param(form, marks=pytest.mark.slow) for form in FORMS if form != 'torch')]


@MANY_RUNS
@pytest.mark.parametrize('form', FEW_FORMS)
@pytest.mark.parametrize('way', WAYS)
def test_a_tool_that_reads_checkpoints(
    way: str, form: str, folder: Path, small: Path, printed: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    file, mark = folder / 'evil.pth', folder / 'mark'
    FORMS[form](file, Command(mark))
    assert printed(*WAYS[way](small, file)).startswith(f'error: {file}: ')
    assert not mark.exists()


@MANY_RUNS
def test_a_work_folder_to_go_on_from(folder: Path, small: Path, printed: Callable[..., str]) -> None:
    work = folder / 'work'
    work.mkdir()
    FORMS['torch'](work / 'epoch_1.pth', Command(folder / 'mark'))
    (work / 'last_checkpoint').write_text('epoch_1.pth')
    line = printed('train', small, '--work-dir', work, '--resume')
    assert line == f'error: {work}: none of its 1 checkpoints is good, expected one to go on from'
    assert not (folder / 'mark').exists()


@MANY_RUNS
@pytest.mark.parametrize(
    ('name', 'options', 'line'),
    [
        (
            'evil.pkl',
            ['train_dataloader.dataset.proposal_file=evil.pkl'],
            'a pickle, which could run code, is not read',
        ),
        (
            'evil.pickle',
            ['train_dataloader.dataset.type=BaseDetDataset'],
            'a pickle, which could run code, is not read',
        ),
        ('evil.yaml', ['train_dataloader.dataset.type=BaseDetDataset'], 'a YAML file is not readable as plain values'),
    ],
)
def test_a_data_file(
    name: str, options: list[str], line: str, folder: Path, shapes: Path, small: Path, printed: Callable[..., str]
) -> None:
    file, mark = shapes / name, folder / 'mark'
    file.write_bytes(pickle.dumps(Command(mark)))
    if name == 'evil.yaml':
        file.write_text(f'!!python/object/apply:os.mkdir ["{mark}"]')
    if 'proposal_file' not in options[0]:
        options = [*options, f'train_dataloader.dataset.ann_file={name}']
    assert line in printed('train', small, '--work-dir', folder / 'work', '--cfg-options', *options)
    assert not mark.exists()


@pytest.mark.parametrize('load', [DetInferencer, init_detector])
def test_mmdets_own_functions(load: Callable[..., object], folder: Path, small: Path) -> None:
    torch.save({'state_dict': Command(folder / 'mark')}, folder / 'evil.pth')
    with pytest.raises(UserError, match=r'evil\.pth: holds pickled objects'):
        load(str(small), str(folder / 'evil.pth'), device='cpu')
    assert not (folder / 'mark').exists()
