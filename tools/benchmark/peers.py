"""Build our detectors and mmdet's counterparts from the shipped configs, with the same weights."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

import mmdet
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.logging import MMLogger
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ssd_plugin.cli.config_file import load_config

# tools/ and configs/ lie side by side, in a checkout and in what a wheel installs.
CONFIGS = Path(__file__).parents[2] / 'configs'
MMDET_CONFIGS = Path(mmdet.__file__).parent / '.mim' / 'configs'
SCORE_THR = 0.01
# Pairs of box and class above the threshold, per image, of a trained detector.
CANDIDATES = 300


@dataclass(frozen=True)
class Case:
    """A network that both sides have.

    Attributes:
        ours: Config file under ``configs``.
        mmdet: Config file under mmdet's.
        change: Makes mmdet's model config the counterpart where no file of theirs is.
    """

    ours: str
    mmdet: str
    change: Optional[Callable[[Any], None]] = None


class Pair(NamedTuple):
    """Two detectors of one network, and the configs they come from."""

    ours: Any
    mmdet: Any
    ours_config: Config
    mmdet_config: Config


def _resnet18(model: Any) -> None:
    """Put mmdet's SSD on ResNet-18, by hand what our detector measures."""
    model.backbone = dict(type='ResNet', depth=18, out_indices=(1, 2, 3))
    widths = (128, 256, 512, 512, 256, 256)
    model.neck.update(
        in_channels=widths[:3],
        out_channels=widths,
        level_strides=(2, 1, 1),
        level_paddings=(1, 0, 0),
        l2_norm_scale=None,
        norm_cfg=dict(type='BN'),
    )
    model.bbox_head.in_channels = widths
    model.data_preprocessor.std = [58.395, 57.12, 57.375]


CASES = {
    'SSD300 VGG-16 COCO': Case('ssd/ssd300_vgg16_coco.py', 'ssd/ssd300_coco.py'),
    'SSD512 VGG-16 COCO': Case('ssd/ssd512_vgg16_coco.py', 'ssd/ssd512_coco.py'),
    'SSD300 VGG-16 VOC': Case('ssd/ssd300_vgg16_voc0712.py', 'pascal_voc/ssd300_voc0712.py'),
    'SSD512 VGG-16 VOC': Case('ssd/ssd512_vgg16_voc0712.py', 'pascal_voc/ssd512_voc0712.py'),
    'SSD300 ResNet-18 VOC': Case('backbones/ssd300_r18_voc0712.py', 'pascal_voc/ssd300_voc0712.py', change=_resnet18),
    'SSDLite MobileNetV2 COCO': Case(
        'ssdlite/ssdlite320_mobilenetv2_coco.py', 'ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py'
    ),
}


@contextmanager
def quiet() -> Iterator[None]:
    """Keep mmengine from logging a line or more for every weight."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def our_config(name: str) -> Config:
    """Read a config of ours."""
    register_all_modules()
    config = load_config(CONFIGS / name)
    config.model.backbone.init_cfg = None  # no download: speed does not depend on the weights
    return config


def mmdet_config(case: Case) -> Config:
    """Read mmdet's counterpart, made to keep as many pairs as ours: equal work."""
    register_all_modules()
    config = Config.fromfile(MMDET_CONFIGS / case.mmdet)
    config.model.backbone.init_cfg = None
    if case.change is not None:
        case.change(config.model)
    config.model.test_cfg.score_thr = SCORE_THR
    return config


def build_ours(config: Config, device: str) -> Any:
    """Build our detector with random weights."""
    model = MODELS.build(config.model)
    with quiet():
        model.init_weights()
    model.to(device)
    return model


def build_mmdet(config: Config, device: str) -> Any:
    """Build a detector of mmdet's with random weights, able to predict."""
    model = MODELS.build(config.model)
    with quiet():
        model.init_weights()
    # Read at every prediction and never set: without it mmdet 3.3's SSD cannot predict.
    model.bbox_head.loss_cls = nn.Identity()
    model.to(device)
    return model


def build_pair(name: str, device: str) -> Pair:
    """Build both detectors of a case, with equal outputs.

    Args:
        name: One of :data:`CASES`.
        device: 'cpu' or 'cuda'.
    """
    case = CASES[name]
    ours_config, theirs_config = our_config(case.ours), mmdet_config(case)
    torch.manual_seed(0)
    ours, theirs = build_ours(ours_config, device), build_mmdet(theirs_config, device)
    theirs.load_state_dict(ours.state_dict())
    return Pair(ours, theirs, ours_config, theirs_config)


def sharpen(pair: Pair, image: Tensor) -> None:
    """Give the random heads the scores of a trained one: nearly all background, few pairs above the threshold.

    Args:
        pair: Changed in place.
        image: (3, h, w) uint8 BGR of the network's input size.
    """
    ours = pair.ours.eval()
    with torch.no_grad():
        inputs = ours.data_preprocessor(dict(inputs=[image]), False)['inputs']
        _settle_statistics(ours, inputs)
        maps = ours.extract_feat(inputs)
        foreground = []
        predictors = [_last_conv(level) for level in ours.bbox_head.cls_convs]
        for predictor, level, feature in zip(predictors, ours.bbox_head.cls_convs, maps):
            predictor.weight /= level(feature).std()
            predictor.bias.zero_()
            logits = level(feature).unflatten(1, (-1, ours.bbox_head.cls_out_channels))
            foreground.append(logits[:, :, :-1].transpose(1, 2).flatten(2))  # (1, C, A * h * w)
        logits = torch.cat(foreground, 2)
        # The background's logit at which a pair scores just the threshold.
        limits = logits.logsumexp(1, keepdim=True) + (logits.softmax(1) / SCORE_THR - 1).log()
        threshold = limits.nan_to_num(-math.inf).flatten().topk(CANDIDATES + 1).values[-1]
        for predictor in predictors:
            background = slice(ours.bbox_head.num_classes, None, ours.bbox_head.cls_out_channels)
            predictor.weight[background] = 0
            predictor.bias[background] = threshold
    pair.mmdet.eval().load_state_dict(ours.state_dict())


def _settle_statistics(model: Any, inputs: Tensor) -> None:
    """Give batch normalisations the statistics of an image: random weights make the maps vanish otherwise."""
    layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean of all passes, here one
    model.train()
    model.bbox_head(model.extract_feat(torch.cat([inputs, inputs.flip(3)])))
    model.eval()
    for layer, momentum in zip(layers, momenta):
        layer.momentum = momentum


def _last_conv(module: nn.Module) -> Any:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)][-1]
