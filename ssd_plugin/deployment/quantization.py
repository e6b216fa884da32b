"""INT8: an OpenVINO file whose convolutions compute in 8 bits, calibrated on training images, and the AP that costs.

OpenVINO alone: in ONNX Runtime, quantised by its own tools, SSD300 kept its AP too and was a tenth slower; what NNCF
makes of an ONNX file ran there up to five times slower.
"""

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS
from torch.utils.data import ConcatDataset, Subset

from ssd_plugin.cli.config_data import inner_datasets
from ssd_plugin.errors import UserError

from .exported_detector import ExportedDetector
from .formats import require
from .metadata import KEY

_CONVOLUTIONS = ('Convolution', 'GroupConvolution')
_SOURCES = ('Constant', 'Parameter')


class Calibration(NamedTuple):
    """What ranges of 8 bits are measured on, and what they may cost.

    Attributes:
        samples: Packed, of the training set.
        max_ap_drop: AP that may be lost on the validation set.
    """

    samples: Subset
    max_ap_drop: float


def choose_samples(config: Config, count: int, seed: int = 0) -> Subset:
    """Choose images of the training set, without augmentation.

    Args:
        config: Checked, with ``train_dataloader`` and ``val_dataloader``, whose pipeline they pass.
        count: So many; a smaller set gives all that it has.
        seed: Of the choice.

    Returns:
        Packed samples, as a validation loader would have them.
    """
    pipeline = next(inner_datasets(config, ('val_dataloader',)))[1].pipeline
    parts = [part for _, part in inner_datasets(config, ('train_dataloader',))]
    # As for testing: no image is left out for having no object, none drawn in place of a broken one.
    dataset: Any = ConcatDataset([DATASETS.build({**part, 'pipeline': pipeline, 'test_mode': True}) for part in parts])
    return Subset(dataset, random.Random(seed).sample(range(len(dataset)), min(count, len(dataset))))


def quantize(exported: ExportedDetector, samples: Subset, path: Path) -> ExportedDetector:
    """Quantise an OpenVINO file after training.

    Inputs of the convolutions are measured for each layer, weights for each channel; a bias makes up for the mean error
    (NNCF's fast bias correction). What follows the last convolutions (scores, boxes, suppression) stays in 32 bits.

    Args:
        exported: An OpenVINO file.
        samples: To measure ranges on.
        path: The new file, .xml; other than that of ``exported``.

    Returns:
        The new file, ready to predict.
    """
    openvino, nncf = require('openvino'), require('nncf')
    nncf.set_log_level(30)  # what it does in passing is for its own people
    model = openvino.Core().read_model(exported.file)

    def file_input(sample: Any) -> Any:
        images = exported.data_preprocessor(pseudo_collate([sample]), False)['inputs']
        return exported.file_input(images).numpy()

    quantized = nncf.quantize(
        model,
        nncf.Dataset(samples, file_input),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(samples),
        ignored_scope=nncf.IgnoredScope(names=_after_convolutions(model)),
    )
    quantized.set_rt_info(replace(exported.metadata, precision='int8').to_json(), KEY)
    openvino.save_model(quantized, str(path), compress_to_fp16=False)
    return ExportedDetector(str(path)).eval()


def check_ap_drop(full: Mapping[str, float], quantized: Mapping[str, float], limit: float) -> str:
    """Compare the AP before and after.

    Args:
        full: Metrics of the file in 32 bits.
        quantized: Of the one in 8.
        limit: Largest drop of a mean AP over all classes (a name that ends in ``mAP``).

    Returns:
        What it costs, in a line for each.

    Raises:
        UserError: It costs more, or no metric is a mean AP.
    """
    names = [name for name in full if name.endswith('mAP')]
    if not names:
        raise UserError(f'val_evaluator: gives {", ".join(full)}, expected a mean AP for --int8, as of CocoMetric')
    for name in names:
        # Metrics are rounded to thousandths.
        if not full[name] - quantized[name] <= limit + 1e-6:
            raise UserError(
                f'--int8: {name} falls from {full[name]:.3f} to {quantized[name]:.3f}, expected a drop of {limit:g} at '
                'most: raise --calibration-images or --max-ap-drop; no file was written'
            )
    return '\n'.join(
        f'{name}: {full[name]:.3f} in float32, {quantized[name]:.3f} in INT8 ({quantized[name] - full[name]:+.3f})'
        for name in names
    )


def _after_convolutions(model: Any) -> list[str]:
    """Name what lies between the last convolutions of an OpenVINO model and its results."""
    found: dict[str, None] = {}
    nodes = [result.input_value(0).get_node() for result in model.get_results()]
    while nodes:
        node = nodes.pop()
        if node.get_type_name() not in (*_CONVOLUTIONS, *_SOURCES) and node.get_friendly_name() not in found:
            found[node.get_friendly_name()] = None
            nodes += [value.get_node() for value in node.input_values()]
    return list(found)
