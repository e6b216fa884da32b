from typing import Any, Callable, Optional

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner import Runner
from torch import nn

from ssd_plugin.engine import autocast
from ssd_plugin.engine.autocast import AutocastOptimWrapper
from ssd_plugin.errors import UserError

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')


def wrap(model: nn.Module, lr: float = 0.1, **settings: Any) -> AutocastOptimWrapper:
    return AutocastOptimWrapper(optimizer=torch.optim.SGD(model.parameters(), lr=lr), **settings)


def seen_dtypes(model: nn.Module, wrapper: OptimWrapper, image: torch.Tensor) -> tuple:
    """(dtype of the conv's output, dtype of a loss computed in float32)"""
    outputs: list[torch.dtype] = []
    handle = model.register_forward_hook(lambda _, __, output: outputs.append(output.dtype))
    with wrapper.optim_context(model):
        loss = model(image).float().square().mean()
    handle.remove()
    return outputs[0], loss.dtype


def test_the_cpu_computes_in_bfloat16_without_a_scaler() -> None:
    conv = nn.Conv2d(3, 4, 3)
    wrapper = wrap(conv)
    assert seen_dtypes(conv, wrapper, torch.rand(1, 3, 8, 8)) == (torch.bfloat16, torch.float32)
    assert wrapper.loss_scaler is None
    assert 'loss_scaler' not in wrapper.state_dict()
    assert not torch.is_autocast_enabled('cpu')
    assert conv.weight.dtype == torch.float32


def test_a_step_is_that_of_plain_training_on_numbers_bfloat16_holds() -> None:
    linear = nn.Linear(2, 1, bias=False)
    linear.weight.data = torch.tensor([[1.0, 2.0]])
    wrapper = wrap(linear, lr=0.5)
    with wrapper.optim_context(linear):
        loss = linear(torch.tensor([[1.0, -1.0]])).float().square().sum()
    assert loss.item() == 1.0
    wrapper.update_params(loss)
    # d(loss)/dw = 2 * y * x with y = -1.
    assert linear.weight.tolist() == [[2.0, 1.0]]


@pytest.mark.parametrize('accumulate', [1, 2])
@pytest.mark.parametrize('clip', [None, {'max_norm': 1.0}])
def test_accumulation_and_clipping_are_mmengines(accumulate: int, clip: Optional[dict]) -> None:
    weights = []
    for kind in (OptimWrapper, AutocastOptimWrapper):
        linear = nn.Linear(2, 1, bias=False)
        linear.weight.data = torch.tensor([[1.0, 2.0]])
        wrapper = kind(
            optimizer=torch.optim.SGD(linear.parameters(), lr=0.5),
            accumulative_counts=accumulate,
            clip_grad=None if clip is None else dict(clip),
        )
        for image in ([[4.0, 0.0]], [[0.0, 2.0]]):
            with wrapper.optim_context(linear):
                loss = linear(torch.tensor(image)).float().sum()
            wrapper.update_params(loss)
        weights.append(linear.weight.tolist())
    assert weights[0] == weights[1]
    # Without clipping: two steps by 0.5 * (4, 2), or one by their mean.
    if clip is None:
        assert weights[1] == [[-1.0, 1.0]] if accumulate == 1 else weights[1] == [[0.0, 1.5]]


@pytest.mark.parametrize('dtype', ['float32', 'half', 'float64'])
def test_another_dtype_raises(dtype: str) -> None:
    with pytest.raises(UserError, match=rf"optim_wrapper\.dtype: '{dtype}', expected 'bfloat16', 'float16' or None"):
        wrap(nn.Linear(2, 1), dtype=dtype)


def test_float16_on_the_cpu_raises() -> None:
    with pytest.raises(UserError, match="'float16' on the CPU, expected 'bfloat16'"):
        wrap(nn.Linear(2, 1), dtype='float16')


def test_another_device_raises() -> None:
    with pytest.raises(UserError, match="mixed precision on 'meta', expected a model on 'cuda' or 'cpu'"):
        wrap(nn.Linear(2, 1, device='meta'))


@pytest.mark.parametrize(('native', 'expected'), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_gets_bfloat16_only_where_it_is_native(
    native: bool, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda including_emulation: native or including_emulation)
    assert autocast.choose_dtype(None, 'cuda') == expected
    assert autocast.choose_dtype('float16', 'cuda') == torch.float16
    assert autocast.choose_dtype('bfloat16', 'cuda') == torch.bfloat16


def test_states_of_both_kinds_load() -> None:
    linear = nn.Linear(2, 1)
    wrapper = wrap(linear)
    state = OptimWrapper(optimizer=torch.optim.SGD(linear.parameters(), lr=0.7)).state_dict()
    for loaded in (state, {**state, 'loss_scaler': {'scale': 2.0}}):
        keys = set(loaded)
        wrapper.load_state_dict(loaded)
        assert wrapper.get_lr()['lr'] == [0.7]
        assert set(loaded) == keys


def test_a_real_run_names_it_with_the_prefix(make_runner: Callable[..., Runner]) -> None:
    settings = {'type': 'ssd_plugin.AutocastOptimWrapper', 'optimizer': {'type': 'SGD', 'lr': 0.01}}
    runner = make_runner(2, optim_wrapper=settings)
    before = runner.model.linear.weight.detach().clone()
    runner.train()
    assert isinstance(runner.optim_wrapper, AutocastOptimWrapper)
    assert not torch.equal(runner.model.linear.weight, before)
    assert OPTIM_WRAPPERS.get('ssd_plugin.AutocastOptimWrapper') is AutocastOptimWrapper


@needs_cuda
@pytest.mark.gpu
@pytest.mark.parametrize('dtype', ['float16', 'bfloat16'])
def test_a_gpu_casts_and_scales(dtype: str) -> None:
    conv = nn.Conv2d(3, 4, 3).cuda()
    wrapper = wrap(conv, dtype=dtype, clip_grad={'max_norm': 1.0}, accumulative_counts=2)
    image = torch.rand(1, 3, 8, 8, device='cuda')
    before = conv.weight.detach().clone()
    assert seen_dtypes(conv, wrapper, image) == (getattr(torch, dtype), torch.float32)
    for _ in range(2):
        with wrapper.optim_context(conv):
            loss = conv(image).float().square().mean()
        wrapper.update_params(loss)
    # A step of norm 0.1 at most: the gradients were unscaled before they were clipped.
    assert 0 < (conv.weight - before).norm() < 0.1001
    scaled = dtype == 'float16'
    assert (wrapper.loss_scaler is not None) == scaled
    assert ('loss_scaler' in wrapper.state_dict()) == scaled
    other = wrap(conv, dtype=dtype)
    other.load_state_dict(wrapper.state_dict())
    if scaled:
        assert other.loss_scaler.get_scale() == wrapper.loss_scaler.get_scale() == 65536.0
