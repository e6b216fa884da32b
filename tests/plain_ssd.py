"""A VGG SSD with random weights in plain torch functions: what the other implementations compute."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Conv = tuple[Tensor, Tensor]
Outputs = tuple[list[Tensor], list[Tensor]]
CLASSES = 3  # and the background

# (out, kernel, stride, padding)
TRUNK = [64, 64, 'pool', 128, 128, 'pool', 256, 256, 256, 'pool', 512, 512, 512, 'pool', 512, 512, 512]
EXTRAS = {
    300: [(256, 1, 1, 0), (512, 3, 2, 1), (128, 1, 1, 0), (256, 3, 2, 1)] + [(128, 1, 1, 0), (256, 3, 1, 0)] * 2,
    512: [(256, 1, 1, 0), (512, 3, 2, 1)] + [(128, 1, 1, 0), (256, 3, 2, 1)] * 3 + [(128, 1, 1, 0), (256, 4, 1, 1)],
}
BOXES = {300: (4, 6, 6, 6, 4, 4), 512: (4, 6, 6, 6, 6, 4, 4)}
STRIDES = {300: [8, 16, 32, 64, 100, 300], 512: [8, 16, 32, 64, 128, 256, 512]}
RATIOS = {300: [[2], [2, 3], [2, 3], [2, 3], [2], [2]], 512: [[2], [2, 3], [2, 3], [2, 3], [2, 3], [2], [2]]}


@dataclass
class PlainSSD:
    """The layers in order; class predictors with the background first, as everyone but mmdet has it."""

    size: int
    trunk: list[Conv]
    scale: Tensor
    extras: list[Conv]
    cls: list[Conv]
    reg: list[Conv]

    def __call__(self, image: Tensor) -> Outputs:
        convs = iter(self.trunk)
        x, sources = image, []
        for number, layer in enumerate(TRUNK):
            if layer == 'pool':
                if number == 13:
                    norm = x.pow(2).sum(1, keepdim=True).sqrt()
                    sources.append(x / norm * self.scale[None, :, None, None])
                x = F.max_pool2d(x, 2, 2, ceil_mode=True)
            else:
                x = F.relu(F.conv2d(x, *next(convs), padding=1))
        x = F.max_pool2d(x, 3, 1, 1)
        x = F.relu(F.conv2d(x, *next(convs), padding=6, dilation=6))
        x = F.relu(F.conv2d(x, *next(convs)))
        sources.append(x)
        for number, (conv, (_, _, stride, padding)) in enumerate(zip(self.extras, EXTRAS[self.size])):
            x = F.relu(F.conv2d(x, *conv, stride=stride, padding=padding))
            if number % 2 == 1:
                sources.append(x)
        cls = [F.conv2d(source, *conv, padding=1) for source, conv in zip(sources, self.cls)]
        reg = [F.conv2d(source, *conv, padding=1) for source, conv in zip(sources, self.reg)]
        return cls, reg


def make_plain(size: int, classes: int = CLASSES) -> PlainSSD:
    generator = torch.Generator().manual_seed(size)

    def conv(out: int, into: int, kernel: int) -> Conv:
        spread = (2 / (into * kernel**2)) ** 0.5  # keeps the activations' size through the ReLUs
        weight = torch.randn(out, into, kernel, kernel, generator=generator) * spread
        return weight, torch.randn(out, generator=generator) * 0.1

    widths = [layer for layer in TRUNK if isinstance(layer, int)]
    trunk = [conv(out, into, 3) for into, out in zip([3, *widths], widths)]
    trunk += [conv(1024, 512, 3), conv(1024, 1024, 1)]
    outs = [1024, *(out for out, *_ in EXTRAS[size])]
    extras = [conv(out, into, kernel) for into, (out, kernel, *_) in zip(outs, EXTRAS[size])]
    sources = [512, 1024, *outs[2::2]]
    return PlainSSD(
        size,
        trunk,
        torch.rand(512, generator=generator) * 20,
        extras,
        [conv(boxes * (classes + 1), into, 3) for boxes, into in zip(BOXES[size], sources)],
        [conv(boxes * 4, into, 3) for boxes, into in zip(BOXES[size], sources)],
    )


def assert_same_classes(found: list[Tensor], plain: list[Tensor]) -> None:
    """Ours has the background last, the plain network first."""
    for ours, theirs in zip(found, plain):
        per_box = theirs.unflatten(1, (-1, CLASSES + 1))
        expected = torch.cat([per_box[:, :, 1:], per_box[:, :, :1]], 2).flatten(1, 2)
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)


def decode(deltas: Tensor, widths: Tensor, heights: Tensor) -> Tensor:
    """Centre shift and size, in pixels, of (1, A * 4, h, w) deltas to boxes of A sizes; variances 0.1 and 0.2."""
    dx, dy, dw, dh = deltas.unflatten(1, (-1, 4)).unbind(2)
    w, h = widths[None, :, None, None], heights[None, :, None, None]
    return torch.stack([dx * 0.1 * w, dy * 0.1 * h, (dw * 0.2).exp() * w, (dh * 0.2).exp() * h], 2)


def assert_same_boxes(found: list[Tensor], plain: list[Tensor]) -> None:
    for ours, theirs in zip(found, plain):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def named(convs: list[Conv], names: list[str]) -> dict[str, Tensor]:
    assert len(convs) == len(names)
    state: dict[str, Tensor] = {}
    for (weight, bias), name in zip(convs, names):
        state[f'{name}.weight'], state[f'{name}.bias'] = weight, bias
    return state
