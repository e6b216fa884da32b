"""Inputs of the measurements: gt boxes, raw outputs and images that need no data set."""

from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData
from numpy.typing import NDArray
from torch import Tensor

from ssd_plugin.datasets.shapes.scene import draw_scene

WIDTH, HEIGHT = 640, 480


class RawOutputs(NamedTuple):
    """A head's outputs: per level class logits (B, A * (C + 1), h, w) and deltas (B, A * 4, h, w)."""

    scores: list[Tensor]
    boxes: list[Tensor]

    def to(self, device: str, memory_format: torch.memory_format) -> 'RawOutputs':
        """Copy them as leaves of a graph, on a device, in a memory order."""
        return RawOutputs(
            *([level.to(device).clone(memory_format=memory_format).requires_grad_() for level in part] for part in self)
        )


def draw_image(seed: int) -> NDArray[np.uint8]:
    """Draw an original image, uint8 (480, 640, 3) BGR."""
    return draw_scene(np.random.default_rng(seed), WIDTH, HEIGHT)[0]


def network_image(seed: int, size: tuple[int, int]) -> Tensor:
    """Draw the same at the network's input size (W, H), uint8 (3, H, W)."""
    return torch.from_numpy(cv2.resize(draw_image(seed), size)).permute(2, 0, 1).contiguous()


def gt_samples(images: int, objects: int, size: tuple[int, int], classes: int, device: str) -> list[DetDataSample]:
    """Make samples with random objects of every size and shape.

    Args:
        images: B.
        objects: M in each image.
        size: (W, H) of the network's input.
        classes: C.
        device: Where the boxes lie.
    """
    generator = torch.Generator().manual_seed(0)
    sides = torch.tensor(size, dtype=torch.float32)
    samples = []
    for _ in range(images):
        # Even in the logarithm of the scale, from a twentieth of the image to nearly all of it.
        scale = 0.05 * 18 ** torch.rand((objects, 1), generator=generator)
        stretch = 2 ** (torch.rand((objects, 1), generator=generator) - 0.5)
        extent = (scale * torch.cat([stretch, 1 / stretch], 1)).clamp(max=1) * sides
        corner = torch.rand((objects, 2), generator=generator) * (sides - extent)
        sample = DetDataSample(
            metainfo=dict(
                img_shape=size[::-1],
                pad_shape=size[::-1],
                batch_input_shape=size[::-1],
                ori_shape=(HEIGHT, WIDTH),
                scale_factor=(size[0] / WIDTH, size[1] / HEIGHT),
            )
        )
        labels = torch.randint(classes, (objects,), generator=generator)
        sample.gt_instances = InstanceData(bboxes=torch.cat([corner, corner + extent], 1), labels=labels).to(device)
        samples.append(sample)
    return samples


def raw_outputs(head: Any, map_sizes: list[tuple[int, int]], samples: list[DetDataSample]) -> RawOutputs:
    """Make outputs as of a trained head: background, but for the default boxes on objects and a few false alarms.

    Args:
        head: Ours; its default boxes and classes are mmdet's.
        map_sizes: (h, w) of every level.
        samples: Of :func:`gt_samples`, on the CPU, one per image.
    """
    generator = torch.Generator().manual_seed(1)
    priors = torch.cat(head.prior_generator.grid_priors(map_sizes, device='cpu'))
    batch, classes = len(samples), head.num_classes
    logits = torch.randn((batch, len(priors), classes + 1), generator=generator)
    logits[..., -1] = 8
    deltas = torch.randn((batch, len(priors), 4), generator=generator) * 0.5
    for image, sample in enumerate(samples):
        found = sample.gt_instances
        overlap, nearest = bbox_overlaps(priors, found.bboxes).max(1)
        chosen = (overlap > 0.5).nonzero()[:, 0]
        # The better the overlap the surer: from below the background at 0.5 to well above it at 0.8.
        logits[image, chosen, found.labels[nearest[chosen]]] += 40 * (overlap[chosen] - 0.5)
        deltas[image, chosen] *= 0.3
        deltas[image, chosen] += head.bbox_coder.encode(priors[chosen], found.bboxes[nearest[chosen]])
    return _by_level(logits, deltas, map_sizes, head.num_base_priors)


def crowded_outputs(head: Any, map_sizes: list[tuple[int, int]], images: int) -> RawOutputs:
    """Make outputs of which every pair of box and class scores above the threshold: the most that can come."""
    generator = torch.Generator().manual_seed(2)
    total = sum(height * width * boxes for (height, width), boxes in zip(map_sizes, head.num_base_priors))
    logits = torch.randn((images, total, head.num_classes + 1), generator=generator) * 0.02
    deltas = torch.randn((images, total, 4), generator=generator) * 0.5
    return _by_level(logits, deltas, map_sizes, head.num_base_priors)


def _by_level(logits: Tensor, deltas: Tensor, map_sizes: list[tuple[int, int]], boxes: list[int]) -> RawOutputs:
    counts = [height * width * count for (height, width), count in zip(map_sizes, boxes)]
    parts = []
    for values in (logits, deltas):
        levels = torch.split(values, counts, 1)
        parts.append(
            [
                level.reshape(len(level), height, width, -1).permute(0, 3, 1, 2)  # (B, A * K, h, w)
                for level, (height, width) in zip(levels, map_sizes)
            ]
        )
    return RawOutputs(*parts)
