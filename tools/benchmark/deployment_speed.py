"""Time exported files: a 640x480 array in, boxes in its pixels out, one image at a time, on the CPU."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Union

import torch

from ssd_plugin.deployment import ExportedDetector
from ssd_plugin.deployment.export import describe
from ssd_plugin.deployment.formats import require, write_openvino
from ssd_plugin.deployment.network import ExportableSSD
from ssd_plugin.deployment.quantization import quantize
from ssd_plugin.errors import UserError

from .inference_speed import detection, optimized
from .peers import Pair, build_pair, sharpen
from .report import BudgetRow, Row
from .settings import Settings
from .synthetic import draw_image, network_image
from .timing import interleave, milliseconds

CASES = ('SSD300 VGG-16 COCO', 'SSD300 ResNet-18 VOC', 'SSDLite MobileNetV2 COCO')
QUICK_CASES = CASES[2:]
# As many times as fast as mmdet's fp32 an INT8 file has to be.
LIMIT = 4
# Random weights are no better for more.
CALIBRATION_IMAGES = 8


def export_pair(pair: Pair, folder: Path) -> tuple[ExportedDetector, ExportedDetector]:
    """Export our detector to OpenVINO, with preprocessing inside and suppression outside.

    Args:
        pair: Sharpened, on the CPU.
        folder: For the files.

    Returns:
        The file in float32, and that in INT8.
    """
    model = pair.ours
    model.dataset_meta = dict(classes=[str(label) for label in range(model.bbox_head.num_classes)])
    checkpoint = folder / 'random.pth'
    torch.save(model.state_dict(), checkpoint)
    network = ExportableSSD(model, 'inside')
    path = folder / 'float32.xml'
    write_openvino(network, describe(model, network, pair.ours_config, checkpoint, 'inside', 'outside'), path)
    full = ExportedDetector(str(path)).eval()
    images: Any = [dict(inputs=network_image(seed, model.input_size)) for seed in range(CALIBRATION_IMAGES)]
    return full, quantize(full, images, folder / 'int8.xml')


def sides(pair: Pair, folder: Path) -> dict[str, Callable[[], Any]]:
    """Make what detects in an image.

    Args:
        pair: Sharpened, on the CPU.
        folder: For the exported files.

    Returns:
        'int8' and 'float32', exported files; 'amp', ours in PyTorch with ``--amp --fuse-conv-bn``; 'mmdet' in fp32;
        and 'floor', the INT8 file without resizing and suppression.
    """
    full, int8 = export_pair(pair, folder)
    image = draw_image(0)
    inputs = network_image(0, pair.ours.input_size).permute(1, 2, 0)[None].contiguous()
    return {
        'int8': lambda: int8.detect(image),
        'float32': lambda: full.detect(image),
        'amp': detection(optimized(pair.ours), pair.ours_config, 1),
        'mmdet': detection(pair.mmdet, pair.mmdet_config, 1),
        'floor': lambda: int8.runtime(inputs),
    }


def rows(settings: Settings) -> Iterator[Union[Row, BudgetRow]]:
    """Measure the rows of the report, and INT8 against its limit; none without OpenVINO and NNCF."""
    try:
        for module in ('onnx', 'onnxscript', 'openvino', 'nncf'):
            require(module)
    except UserError as error:
        print(f'deployment is skipped: {error}', file=sys.stderr)
        return
    for name in QUICK_CASES if settings.quick else CASES:
        pair = build_pair(name, 'cpu')
        sharpen(pair, network_image(0, pair.ours.input_size))
        with tempfile.TemporaryDirectory() as folder:
            seconds = interleave(sides(pair, Path(folder)), settings.budget())
        figures = {side: milliseconds(found) for side, found in seconds.items()}
        int8 = f'{name}, batch 1, INT8 file, mmdet fp32; floor: the file alone'
        yield Row('deployment', int8, 'ms', figures['int8'], figures['mmdet'], figures['floor'])
        for side, what in (('float32', 'float32 file'), ('amp', 'ours --amp --fuse-conv-bn')):
            yield Row('deployment', f'{name}, batch 1, {what}, mmdet fp32', 'ms', figures[side], figures['mmdet'])
        case = f"INT8 file, {name}, batch 1, image to boxes: times mmdet's fp32 speed"
        yield BudgetRow.times(case, LIMIT, seconds['int8'], seconds['mmdet'])
