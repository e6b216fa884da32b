import copy
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ssd_plugin.engine import inference_optimization
from ssd_plugin.engine.inference_optimization import optimize_for_inference
from ssd_plugin.errors import UserError


class Toy(nn.Module):
    """A convolution and a normalisation with statistics that change the numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.bn.running_mean.copy_(torch.tensor([0.5, -1, 2, 0]))
        self.bn.running_var.copy_(torch.tensor([4.0, 0.25, 1, 9]))

    def test_step(self, images: Tensor) -> Tensor:
        return self.bn(self.conv(images))


@pytest.fixture
def toy() -> Toy:
    torch.manual_seed(0)
    return Toy().eval()


@pytest.fixture
def images() -> Tensor:
    return torch.rand((2, 3, 8, 8), generator=torch.Generator().manual_seed(1))


def test_folding_removes_the_normalisation_and_keeps_the_result(toy: Toy, images: Tensor) -> None:
    fast = copy.deepcopy(toy)
    optimize_for_inference(fast, fuse=True, amp=False)
    assert isinstance(fast.bn, nn.Identity)
    assert not torch.equal(fast.conv.weight, toy.conv.weight)
    with torch.no_grad():
        torch.testing.assert_close(fast.test_step(images), toy.test_step(images), rtol=1e-5, atol=1e-6)


def test_amp_predicts_in_bfloat16_on_the_cpu(toy: Toy, images: Tensor) -> None:
    expected = toy.test_step(images)
    with torch.autocast('cpu', torch.bfloat16):
        rounded = toy.test_step(images)
    optimize_for_inference(toy, fuse=False, amp=True)
    seen: list[torch.dtype] = []

    def look(module: nn.Module, inputs: Any, output: Tensor) -> None:
        seen.append(output.dtype)

    toy.conv.register_forward_hook(look)
    found = toy.test_step(images)
    assert seen == [torch.bfloat16]
    assert toy.conv.weight.dtype == torch.bfloat16
    assert toy.bn.weight.dtype == torch.float32
    # Casting once rounds as casting every time does.
    assert torch.equal(found, rounded)
    torch.testing.assert_close(found.float(), expected, rtol=0.02, atol=0.02)


def test_nothing_asked_for_changes_nothing(toy: Toy, images: Tensor) -> None:
    expected = toy.test_step(images)
    optimize_for_inference(toy, fuse=False, amp=False)
    assert torch.equal(toy.test_step(images), expected)


def test_amp_refuses_other_devices(toy: Toy) -> None:
    with pytest.raises(UserError, match='meta'):
        optimize_for_inference(toy.to('meta'), fuse=False, amp=True)


class ToyDetector(nn.Module):
    """Has the two parts that are compiled."""

    def __init__(self) -> None:
        super().__init__()
        self.bbox_head = nn.Conv2d(3, 1, 1)

    def extract_feat(self, images: Tensor) -> Tensor:
        return images * 2


def test_the_network_is_compiled_with_frozen_weights(monkeypatch: pytest.MonkeyPatch, images: Tensor) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(torch, 'compile', lambda function, options: asked.append(options) or function)
    monkeypatch.setattr(inference_optimization, 'SingleStageDetector', ToyDetector)
    monkeypatch.setenv('CXX', f'{sys.executable} -O2')
    # As mmengine wraps a detector to predict mirrored images too.
    wrapped = nn.Sequential(ToyDetector())
    expected = wrapped[0].bbox_head(wrapped[0].extract_feat(images))
    optimize_for_inference(wrapped, fuse=False, amp=False, compiled=True)
    assert asked == [{'freezing': True}] * 2
    assert torch.equal(wrapped[0].bbox_head(wrapped[0].extract_feat(images)), expected)


def test_compiling_for_a_cpu_asks_for_a_compiler(monkeypatch: pytest.MonkeyPatch, toy: Toy) -> None:
    monkeypatch.setenv('CXX', 'no-such-compiler')
    with pytest.raises(UserError, match='no-such-compiler'):
        optimize_for_inference(toy, fuse=False, amp=False, compiled=True)
