"""Files and places that tools/convert_weights.py cannot use: one line, and nothing is written."""

import argparse
import io
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from converter_runs import State, run, saved

from ssd_plugin.converters.caffemodel import net_parameter_class
from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.errors import UserError

SHAPE = (64, 3, 3, 3)
ERROR_PAGE = b'<!DOCTYPE html><html><head><title>404 Not Found</title></head></html>'


@pytest.mark.parametrize('suffix', ['pth', 'pt', 'caffemodel'])
@pytest.mark.parametrize('damage', ['cut', 'cut early', 'empty', 'text', 'error page', 'zip', 'folder', 'missing'])
def test_a_damaged_file(
    suffix: str, damage: str, states: dict[str, State], refused: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / f'source.{suffix}'
    whole = caffemodel(states['caffe-trunk']) if suffix == 'caffemodel' else pth(states['amdegroot'])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, 'w') as opened:
        opened.writestr('readme.txt', 'hello')
    contents = {
        'cut': whole[: len(whole) * 9 // 10],
        'cut early': whole[:100],
        'empty': b'',
        'text': b'hello world, this is no checkpoint',
        'error page': ERROR_PAGE,
        'zip': archive.getvalue(),
    }
    if damage == 'folder':
        file.mkdir()
    elif damage != 'missing':
        file.write_bytes(contents[damage])
    assert refused(file).startswith(f'source.{suffix}')


def pth(state: State) -> bytes:
    written = io.BytesIO()
    torch.save(state, written)
    return written.getvalue()


def caffemodel(state: State) -> bytes:
    """The start of the trunk in the authors' format; the rest does not matter where the file is damaged."""
    net = net_parameter_class()()
    layer = net.layer.add(name='conv1_1')
    for name in ('weight', 'bias'):
        value = state[f'conv1_1.{name}']
        blob = layer.blobs.add(data=value.numpy().astype('<f4').tobytes())
        blob.shape.dim.extend(value.shape)
    return net.SerializeToString()


def test_a_caffemodel_of_unsound_numbers(refused: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / 'source.caffemodel'
    file.write_bytes(caffemodel({'conv1_1.weight': torch.full(SHAPE, float('nan')), 'conv1_1.bias': torch.zeros(64)}))
    assert refused(file).startswith("entry 'conv1_1.weight' holds 1728 numbers that are NaN")
    file.write_bytes(caffemodel({'conv1_1.weight': torch.zeros(SHAPE), 'conv1_1.bias': torch.zeros(64)}))
    assert refused(file) == ("caffe-trunk weights: key 'conv1_2.weight' (our 'backbone.features.2.weight') is missing")


@pytest.mark.parametrize(
    ('options', 'line'),
    [
        (['--classes', ''], "--classes is '', expected different names with a comma between two"),
        (['--classes', 'a,,b'], "--classes is 'a,,b', expected different names with a comma between two"),
        (['--classes', 'a,b,'], "--classes is 'a,b,', expected different names"),
        (['--classes', 'a,b,a'], "--classes is 'a,b,a', expected different names"),
        (['--classes', 'a,b,c', '--to-classes', ' '], "--to-classes is ' ', expected different names"),
        (['--classes', 'a,b'], 'amdegroot weights: 3 foreground classes, expected 2'),
        (['--num-classes', '0'], 'amdegroot weights: 3 foreground classes, expected 0'),
        (['--num-classes', '-1'], 'amdegroot weights: 3 foreground classes, expected -1'),
        (['--from', 'torchvision'], "torchvision weights: key 'vgg.0.weight' of shape (64, 3, 3, 3) has no place"),
    ],
)
def test_an_option(
    options: list[str], line: str, states: dict[str, State], refused: Callable[..., str], tmp_path: Path
) -> None:
    assert refused(saved('amdegroot', states['amdegroot'], tmp_path), *options).startswith(line)


def test_a_target_that_cannot_be_written(states: dict[str, State], refused: Callable[..., str], tmp_path: Path) -> None:
    source = saved('amdegroot-trunk', states['amdegroot-trunk'], tmp_path)
    file, folder = tmp_path / 'file', tmp_path / 'folder'
    file.touch()
    folder.mkdir()
    for target, line in {
        folder: 'folder is a folder, expected the name of a file to write',
        file / 'ours.pth': 'file/ours.pth: folder ',
        tmp_path / 'none' / 'ours.pth': 'none/ours.pth: folder ',
        '/proc/ours.pth': '/proc/ours.pth: No such file or directory, expected a place where a file can be written',
        tmp_path / ('long' * 100): f'{"long" * 100}: File name too long, expected a place',
    }.items():
        assert refused(source, target=target).startswith(line)


def test_a_full_disk(states: dict[str, State], refused: Callable[..., str], tmp_path: Path) -> None:
    source = saved('amdegroot-trunk', states['amdegroot-trunk'], tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        line = refused(source)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert line == 'ours.pth: File too large, expected a place where a file can be written'


def test_the_checkpoints_of_torchvisions_training_script(
    states: dict[str, State], refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 4])
    content = {
        'model': states['torchvision'],
        'optimizer': optimizer.state_dict(),
        'lr_scheduler': scheduler.state_dict(),
        'args': argparse.Namespace(lr=0.1, lr_steps=[2, 4], model='ssd300_vgg16', weights=None, amp=False),
        'epoch': 3,
    }
    torch.save(content, tmp_path / 'model_3.pth')
    run(monkeypatch, tmp_path / 'model_3.pth', tmp_path / 'ours.pth', '--classes', 'a,b,c')
    converted = torch.load(tmp_path / 'ours.pth', weights_only=True)
    assert converted['meta']['dataset_meta'] == {'classes': ('a', 'b', 'c')}
    assert len(converted['state_dict']) == 71
    # Only the converter takes the arguments of a script, and nothing else that may stand among them.
    with pytest.raises(UserError, match=r'model_3\.pth: holds pickled objects \(argparse\.Namespace\)'):
        load_checkpoint_file(tmp_path / 'model_3.pth')
    content['args'].path = Path()
    torch.save(content, tmp_path / 'model_3.pth')
    (tmp_path / 'ours.pth').unlink()
    assert refused(tmp_path / 'model_3.pth').startswith('model_3.pth: holds pickled objects (pathlib.')
