"""Files that tools/convert_weights.py cannot convert: one line, and nothing is written."""

import argparse
import io
import logging
import resource
import runpy
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import foreign_weights
import pytest
import torch
from plain_ssd import make_plain

from ssd_plugin.converters.caffemodel import net_parameter_class
from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.errors import UserError

TOOL = Path(__file__).parents[2] / 'tools' / 'convert_weights.py'
State = dict[Any, Any]
FIRST, BIAS = 'vgg.0.weight', 'vgg.0.bias'


@pytest.fixture(scope='module')
def states() -> dict[str, State]:
    """Sound weights of every kind; one number stands for all of a tensor, so that the files are small."""
    plain = make_plain(300)
    made = {
        'amdegroot': foreign_weights.amdegroot(plain),
        'amdegroot-trunk': foreign_weights.amdegroot_trunk(plain),
        'caffe': foreign_weights.caffe(plain),
        'caffe-trunk': foreign_weights.caffe_trunk(plain),
        'lufficc': foreign_weights.lufficc(plain),
        'mmdet': foreign_weights.mmdet(plain),
        'mmdet-2.13': foreign_weights.mmdet_before_2_14(plain),
        'torchvision': foreign_weights.torchvision(plain),
    }
    small = {kind: {key: torch.zeros(()).expand(value.shape) for key, value in of.items()} for kind, of in made.items()}
    return {**small, 'ours': residual()}


def residual() -> State:
    """Weights of ours with another backbone, as far as their names go."""
    state = {'backbone.conv1.weight': torch.zeros(8, 3, 7, 7)}
    state.update({f'backbone.bn1.{name}': torch.zeros(8) for name in ('weight', 'bias', 'running_mean', 'running_var')})
    state['backbone.bn1.num_batches_tracked'] = torch.tensor(3)
    for pair in range(2):
        for part in range(2):
            state[f'neck.extra_layers.{pair}.{part}.conv.weight'] = torch.zeros(8, 8, 1, 1)
            state[f'neck.extra_layers.{pair}.{part}.conv.bias'] = torch.zeros(8)
    for level in range(4):
        for branch, channels in (('cls', 4 * 3), ('reg', 4 * 4)):
            state[f'bbox_head.{branch}_convs.{level}.0.weight'] = torch.zeros(channels, 8, 3, 3)
            state[f'bbox_head.{branch}_convs.{level}.0.bias'] = torch.zeros(channels)
    return state


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    # MMEngine's logger would write to the output of the test that made it.
    monkeypatch.setattr(logging, 'raiseExceptions', False)
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
    runpy.run_path(str(TOOL), run_name='__main__')


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Convert a file, which must end with status 2, one line and no new file; the line."""

    def convert(source: Path, *options: object, target: object = None) -> str:
        before = set(tmp_path.rglob('*'))
        with pytest.raises(SystemExit) as ended:
            run(monkeypatch, source, target or tmp_path / 'ours.pth', *options)
        assert ended.value.code == 2
        assert set(tmp_path.rglob('*')) == before
        printed = capsys.readouterr().err
        assert printed.startswith('error: ')
        assert printed.count('\n') == 1
        return printed.removeprefix('error: ').replace(f'{tmp_path}/', '').strip()

    return convert


def changed(key: Any, value: Any) -> Callable[[State], Any]:
    return lambda state: {**state, key: value}


def wrapped(**others: Any) -> Callable[[State], Any]:
    return lambda state: {'state_dict': state, **others}


SHAPE = (64, 3, 3, 3)
NAN, INF = torch.zeros(SHAPE), torch.zeros(SHAPE)
NAN[1, 1], INF[0, 0, 0, 0] = float('nan'), -float('inf')
WEIGHT = f'entry {FIRST!r}'
FLOATS = 'expected one of torch.float16, torch.bfloat16, torch.float32, torch.float64'

# What the file holds, and the line.
CONTENTS: dict[str, tuple[Callable[[State], Any], str]] = {
    'a number as key': (changed(3, torch.zeros(1)), 'key 3 is a int, expected text: this is no state dict'),
    'None as key': (changed(None, torch.zeros(1)), 'key None is a NoneType, expected text: this is no state dict'),
    'a pair as key': (changed(('a', 1), torch.zeros(1)), "key ('a', 1) is a tuple, expected text"),
    'a text as entry': (changed(FIRST, 'abc'), f'{WEIGHT} is a str, expected a tensor: this is no state dict'),
    'None as entry': (changed(FIRST, None), f'{WEIGHT} is a NoneType, expected a tensor'),
    'a dict as entry': (changed(FIRST, {}), f'{WEIGHT} is a dict, expected a tensor'),
    'integers': (changed(FIRST, torch.zeros(SHAPE, dtype=torch.int64)), f'{WEIGHT} is of torch.int64, {FLOATS}'),
    'bytes': (changed(FIRST, torch.zeros(SHAPE, dtype=torch.uint8)), f'{WEIGHT} is of torch.uint8, {FLOATS}'),
    'booleans': (changed(BIAS, torch.zeros(64).bool()), f'entry {BIAS!r} is of torch.bool, {FLOATS}'),
    '8 bits': (
        changed(FIRST, torch.zeros(SHAPE).to(torch.float8_e4m3fn)),
        f'{WEIGHT} is of torch.float8_e4m3fn, {FLOATS}',
    ),
    'complex numbers': (
        changed(FIRST, torch.zeros(SHAPE, dtype=torch.complex64)),
        f'{WEIGHT} is of torch.complex64, expected real floating point numbers',
    ),
    'quantised': (
        lambda state: {**state, FIRST: torch.quantize_per_tensor(torch.zeros(SHAPE), 0.1, 0, torch.qint8)},
        f'{WEIGHT} is of torch.qint8, expected real floating point numbers',
    ),
    'sparse': (changed(FIRST, torch.eye(3).to_sparse()), f'{WEIGHT} is sparse or nested, expected a dense tensor'),
    'on the meta device': (
        changed(FIRST, torch.empty(SHAPE, device='meta')),
        f'{WEIGHT} is on the meta device, expected numbers',
    ),
    'a single number': (
        changed(FIRST, torch.tensor(1.0)),
        f'{WEIGHT} has shape (), expected at least one dimension and one number',
    ),
    'a bias that is a single number': (changed(BIAS, torch.tensor(1.0)), f'entry {BIAS!r} has shape (), expected'),
    'no number': (changed(FIRST, torch.zeros(64, 0, 3, 3)), f'{WEIGHT} has shape (64, 0, 3, 3), expected at least'),
    'NaN': (changed(FIRST, NAN), f'{WEIGHT} holds 9 numbers that are NaN or infinite, expected finite ones'),
    'infinity': (changed(FIRST, INF), f'{WEIGHT} holds 1 numbers that are NaN or infinite, expected finite ones'),
    'NaN elsewhere': (changed('x.scale', torch.tensor(float('nan'))), "entry 'x.scale' holds 1 numbers that are NaN"),
    'a bias of another length': (
        changed(BIAS, torch.zeros(65)),
        f'entry {BIAS!r} has shape (65,), expected one number for each channel of its weight of shape (64, 3, 3, 3)',
    ),
    'a bias of two dimensions': (changed(BIAS, torch.zeros(64, 1)), f'entry {BIAS!r} has shape (64, 1), expected one'),
    'meta is a list': (wrapped(meta=[1]), 'meta is a list, expected a dict'),
    'meta is a text': (wrapped(meta='2020'), 'meta is a str, expected a dict'),
    'meta is a tensor': (wrapped(meta=torch.ones(2)), 'meta is a Tensor, expected a dict'),
    'weights are a list': (
        lambda state: {'state_dict': list(state)},
        'source.pth: state_dict is a list, expected a dict of weights',
    ),
    'weights are None': (lambda _: {'model': None}, "entry 'model' is a NoneType, expected a tensor"),
    'no weights': (lambda _: {'state_dict': {}}, 'the file holds no weights, expected a state dict'),
    'an empty dict': (lambda _: {}, 'the file holds no weights, expected a state dict'),
    'a bare tensor': (lambda _: torch.ones(1), 'source.pth: holds a Tensor, expected the dict of a checkpoint'),
    'a list': (lambda state: list(state.values()), 'source.pth: holds a list, expected the dict of a checkpoint'),
    'a whole module': (
        lambda _: torch.nn.ReLU(),
        'source.pth: holds pickled objects (torch.nn.modules.activation.ReLU) beyond tensors and plain values',
    ),
    'a key too many': (changed('vgg.99.weight', torch.ones(1)), "amdegroot weights: key 'vgg.99.weight' of shape (1,)"),
    'weights of something else': (
        lambda _: {'fc.weight': torch.ones(1)},
        "weights with keys such as 'fc.weight' are of no known kind, expected one of torchvision",
    ),
}


@pytest.mark.filterwarnings('ignore:.*quantize:UserWarning', 'ignore:TypedStorage:UserWarning')
@pytest.mark.parametrize(('content', 'line'), CONTENTS.values(), ids=CONTENTS)
def test_a_file_of_unsound_weights(
    content: Callable[[State], Any], line: str, states: dict[str, State], refused: Callable[..., str], tmp_path: Path
) -> None:
    torch.save(content(states['amdegroot']), tmp_path / 'source.pth')
    assert refused(tmp_path / 'source.pth').startswith(line)


# A layer of every kind, and the start of the line where it is missing or has another shape.
LAYERS = {
    'amdegroot': ('extras.3', "key 'extras.3.weight' (our 'neck.extra_layers.1.1.conv.weight') is missing"),
    'amdegroot-trunk': ('12', "key '12.weight' (our 'backbone.features.12.weight') is missing"),
    'caffe': ('conv7_2', "key 'conv7_2.weight' (our 'neck.extra_layers.1.1.conv.weight') is missing"),
    'caffe-trunk': ('fc6', "key 'fc6.weight' (our 'backbone.features.31.weight') is missing"),
    'lufficc': ('box_head.predictor.cls_headers.2', '2 predictors ('),
    'mmdet': ('neck.extra_layers.1.1.conv', "key 'neck.extra_layers.1.1.conv.weight' (our"),
    'mmdet-2.13': ('backbone.extra.3', "key 'neck.extra_layers.1.1.conv.weight' (our"),
    'torchvision': ('backbone.extra.2.2', "key 'backbone.extra.2.2.weight' (our"),
    'ours': ('bbox_head.reg_convs.3.0', "'bbox_head.reg_convs.3' is missing, expected 4 levels"),
}
OURS = {'cfg': "model = dict(type='ssd_plugin.SSD')"}


def saved(kind: str, state: State, folder: Path) -> Path:
    torch.save({'state_dict': state, 'meta': OURS if kind == 'ours' else {}}, folder / 'source.pth')
    return folder / 'source.pth'


@pytest.mark.parametrize('kind', LAYERS)
def test_a_kind_with_a_fault(kind: str, states: dict[str, State], refused: Callable[..., str], tmp_path: Path) -> None:
    sound, (layer, line) = states[kind], LAYERS[kind]
    weight, bias = f'{layer}.weight', f'{layer}.bias'
    without = {key: value for key, value in sound.items() if key not in (weight, bias)}
    assert refused(saved(kind, without, tmp_path)).startswith(f'{kind} weights: {line}')
    without = {key: value for key, value in sound.items() if key != weight}
    assert refused(saved(kind, without, tmp_path)) == f"key '{weight}' is missing beside '{bias}'"
    narrow = {**sound, weight: sound[weight][:, 1:]}
    if kind != 'ours':  # whose channels are not known
        assert f"weight' has shape {tuple(narrow[weight].shape)}, expected" in refused(saved(kind, narrow, tmp_path))
    if not kind.endswith('trunk'):
        assert 'foreground classes, expected 7' in refused(saved(kind, sound, tmp_path), '--num-classes', 7)


BATCH_NORM = {f'backbone.bn1.{name}' for name in ('weight', 'bias', 'running_mean', 'running_var')}


@pytest.mark.parametrize(
    ('lost', 'line'),
    [
        *((key, f"key '{key}' is missing beside the others of its layer") for key in sorted(BATCH_NORM)),
        ('neck.extra_layers.0', "ours weights: 'neck.extra_layers.0' is missing, expected 2 levels"),
        ('bbox_head.cls_convs.1', "ours weights: 'bbox_head.cls_convs.1' is missing, expected 4 levels"),
        ('neck.extra_layers.1.0.conv.bias', "ours weights: key 'neck.extra_layers.1.0.conv.bias' is missing, which"),
        ('bbox_head.cls_convs.2.0.bias', "ours weights: key 'bbox_head.cls_convs.2.0.bias' is missing, which"),
        ('bbox_head.reg_convs', "ours weights: 'bbox_head.reg_convs.0' is missing, expected 4 levels"),
    ],
)
def test_our_own_file_lacks_a_part(
    lost: str, line: str, states: dict[str, State], refused: Callable[..., str], tmp_path: Path
) -> None:
    state = {key: value for key, value in states['ours'].items() if not f'{key}.'.startswith(f'{lost}.')}
    assert refused(saved('ours', state, tmp_path)).startswith(line)


def test_our_own_file_with_layers_that_do_not_fit(
    states: dict[str, State], refused: Callable[..., str], tmp_path: Path
) -> None:
    state = {**states['ours'], 'neck.extra_layers.1.0.conv.weight': torch.zeros(8, 9, 1, 1)}
    assert refused(saved('ours', state, tmp_path)) == (
        "ours weights: 'neck.extra_layers.1.0.conv.weight' has shape (8, 9, 1, 1), expected 8 input channels as "
        "'neck.extra_layers.0.1.conv.weight' gives"
    )
    state = {**states['ours'], 'backbone.bn1.running_var': torch.zeros(9)}
    assert refused(saved('ours', state, tmp_path)).startswith("entry 'backbone.bn1.running_var' has shape (9,)")


def test_our_own_files_are_taken_as_they_are(
    states: dict[str, State], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Converted once, a file keeps the note of where it came from, and is not taken for mmdet's."""
    first, second = tmp_path / 'first.pth', tmp_path / 'second.pth'
    run(monkeypatch, saved('amdegroot', states['amdegroot'], tmp_path), first, '--classes', 'a,b,c')
    run(monkeypatch, first, second, '--classes', 'a,b,c', '--to-classes', 'c')
    origins = [torch.load(file, weights_only=True)['meta']['ssd_plugin'] for file in (first, second)]
    assert origins[0] == origins[1]
    assert origins[0]['converted_from'] == 'amdegroot'
    run(monkeypatch, saved('ours', states['ours'], tmp_path), first, '--num-classes', '2')
    assert torch.load(first, weights_only=True)['meta']['ssd_plugin'] == {'converted_from': 'ours'}


@pytest.mark.parametrize('kind', ['mmdet', 'ours', 'amdegroot'])
def test_no_class_but_the_background(
    kind: str, states: dict[str, State], refused: Callable[..., str], tmp_path: Path
) -> None:
    state = dict(states[kind])
    for key, value in state.items():
        if 'cls_convs' in key or key.startswith('conf.'):
            state[key] = value[: len(value) // (3 if kind == 'ours' else 4)]
    assert refused(saved(kind, state, tmp_path)).endswith(
        "cls_convs.0.0.bias' has 4 channels, expected 4 boxes times (1 + classes)"
    )


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
