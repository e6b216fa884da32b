"""Weights that tools/convert_weights.py cannot convert: one line, and nothing is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from converter_runs import State, run, saved

FIRST, BIAS = 'vgg.0.weight', 'vgg.0.bias'


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
