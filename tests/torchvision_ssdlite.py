"""torchvision's SSDLite with weights made by a formula, and what is kept of its outputs.

``python tests/torchvision_ssdlite.py`` writes tests/data/torchvision_ssdlite/outputs.npz; it needs torchvision.
"""

import math
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

FIXTURE = Path(__file__).parent / 'data' / 'torchvision_ssdlite' / 'outputs.npz'
IDS = 91  # COCO's, and the background, the first
PRIORS = 6 * (20**2 + 10**2 + 5**2 + 3**2 + 2**2 + 1**2)
# Some of every level, and all boxes of the last cell.
ROWS = np.r_[0:2400:61, 2400:3000:31, 3000:3150:13, 3150:3204:5, 3204:3228:5, 3228:PRIORS]


class Outputs(NamedTuple):
    """What a network says of the image.

    Attributes:
        logits: (N, classes and background).
        deltas: (N, 4).
        priors: (N, 4) xyxy, pixels.
        decoded: (N, 4) xyxy, pixels, not clipped.
        detections: (D, 6) label, score, xyxy in pixels; best first.
    """

    logits: Tensor
    deltas: Tensor
    priors: Tensor
    decoded: Tensor
    detections: Tensor


def image() -> np.ndarray:
    """(320, 320, 3) uint8 RGB: coarse and fine noise."""
    random = np.random.RandomState(0)
    coarse = np.kron(random.randint(0, 200, (10, 10, 3)), np.ones((32, 32, 1), dtype=np.int64))
    return (coarse + random.randint(0, 56, (320, 320, 3))).astype(np.uint8)


def formula(name: str, shape: tuple[int, ...]) -> Tensor:
    """Give a weight that hangs on its name and shape alone; numpy keeps the numbers of this generator for good."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    noise = random.standard_normal(shape)
    if name.endswith('num_batches_tracked'):
        values = np.int64(0)
    elif name.endswith('running_var'):
        values = np.exp(0.3 * noise)
    elif len(shape) == 4:
        # As much comes out of a layer as goes in; class predictors say more than box predictors, so that scores differ.
        gain = 1.3 if name.startswith('backbone') else 2.0 if 'classification' in name else 0.8
        values = noise * gain / math.sqrt(math.prod(shape[1:]))
    elif name.endswith('weight'):
        values = 1 + 0.1 * noise
    else:
        values = 0.1 * noise
    return torch.as_tensor(np.asarray(values)).to(torch.int64 if shape == () else torch.float32)


def kept_weights() -> dict[str, Tensor]:
    """Give torchvision's weights from the names and shapes that were kept."""
    lines = str(np.load(FIXTURE)['names']).splitlines()
    entries = {name: tuple(map(int, shape)) for name, *shape in map(str.split, lines)}
    return {name: formula(name, shape) for name, shape in entries.items()}


def kept_outputs() -> Outputs:
    """Give what was kept of torchvision's outputs: all detections, and ``ROWS`` of the others."""
    kept = np.load(FIXTURE)
    return Outputs(*(torch.from_numpy(kept[field]) for field in Outputs._fields))


def run_torchvision() -> tuple[dict[str, Tensor], Outputs]:
    """Give torchvision's weights and outputs."""
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large

    network = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None).eval()
    state = {name: formula(name, tuple(value.shape)) for name, value in network.state_dict().items()}
    network.load_state_dict(state)
    pixels = torch.from_numpy(image()).permute(2, 0, 1).float() / 255
    with torch.no_grad():
        images, _ = network.transform([pixels])
        features = list(network.backbone(images.tensors).values())
        outputs = network.head(features)
        (priors,) = network.anchor_generator(images, features)
        logits, deltas = outputs['cls_logits'][0], outputs['bbox_regression'][0]
        (found,) = network([pixels])
    decoded = network.box_coder.decode_single(deltas, priors)
    detections = torch.cat([found['labels'][:, None], found['scores'][:, None], found['boxes']], 1)
    return state, Outputs(logits, deltas, priors, decoded, detections)


def sample(outputs: Outputs) -> Outputs:
    """Pick ``ROWS`` of all but the detections."""
    *rows, detections = outputs
    return Outputs(*(values[ROWS] for values in rows), detections)


if __name__ == '__main__':
    weights, outputs = run_torchvision()
    names = [' '.join(map(str, (name, *value.shape))) for name, value in weights.items()]
    arrays = {field: values.numpy() for field, values in sample(outputs)._asdict().items()}
    FIXTURE.parent.mkdir(exist_ok=True)
    np.savez_compressed(FIXTURE, names='\n'.join(names), **arrays)
    print(f'{FIXTURE}: {FIXTURE.stat().st_size} bytes')
