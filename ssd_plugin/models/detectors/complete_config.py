"""Fills in what the configs of neck and head leave open from the maps that the network gives."""

import inspect
from collections.abc import Sequence
from typing import Any, Optional, Union

from mmdet.models import dense_heads as mmdet_heads
from mmdet.models import necks as mmdet_necks
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.registry import TASK_UTILS as MMDET_TASK_UTILS
from mmengine.config import ConfigDict

from ssd_plugin.errors import UserError
from ssd_plugin.models.dense_heads import SSDHead
from ssd_plugin.models.necks import SSDNeck

from .geometry import MapShape, Size, plan_extra_layers

# Channels of the extra layers, published for SSD300 and SSD512; the last one serves all further layers.
EXTRA_CHANNELS = (512, 256)
# These take a list of channels, all other heads of mmdet one number.
_HEADS_OF_LISTS = (SSDHead, mmdet_heads.SSDHead, mmdet_heads.YOLOV3Head)


def fill_missing(config: dict[str, Any], measured: dict[str, Any], where: str) -> dict[str, Any]:
    """Put what was measured into the places that a config leaves open; explicit values stay.

    Args:
        config: Keyword arguments of a part; missing or None = open.
        measured: What measuring gave.
        where: Name of the part, for the message.

    Raises:
        UserError: An explicit number of channels or levels contradicts the network.
    """
    filled = dict(config)
    for key, value in measured.items():
        given = filled.get(key)
        if given is None:
            filled[key] = value
        elif key == 'in_channels' and _as_tuple(given) != _as_tuple(value):
            raise UserError(f'{where}.in_channels: {given}, expected {value}, what the network before it gives')
    return filled


def complete_neck(neck: dict[str, Any], maps: Sequence[MapShape], where: str = 'neck') -> dict[str, Any]:
    """Complete the config of a neck.

    Args:
        neck: Of any neck; an ``SSDNeck`` without ``level_strides`` gets as many extra layers as the map asks for.
        maps: What it is given.
        where: Its key path, for messages.
    """
    kind, parameters = _signature(MMDET_MODELS.get(neck['type']))
    channels: Union[int, list[int]] = [shape.channels for shape in maps]
    if 'in_channels' in parameters and parameters['in_channels'].annotation is int:
        channels = _one_width(maps, f'{where}.type: {kind.__name__}')
    levels = dict(in_channels=channels, num_outs=len(maps), num_levels=len(maps))
    filled = fill_missing(neck, {key: value for key, value in levels.items() if key in parameters}, where)
    if kind not in (SSDNeck, mmdet_necks.SSDNeck) or 'level_strides' in filled:
        return filled
    layers = plan_extra_layers(maps[-1].height, maps[-1].width)
    widths = [EXTRA_CHANNELS[min(i, len(EXTRA_CHANNELS) - 1)] for i in range(len(layers))]
    planned = dict(
        out_channels=[*filled['in_channels'], *widths],
        level_strides=[layer.stride for layer in layers],
        level_paddings=[layer.padding for layer in layers],
        last_kernel_size=layers[-1].kernel if layers else 3,
    )
    return fill_missing(filled, planned, where)


def complete_head(
    head: dict[str, Any], maps: Sequence[MapShape], strides: Sequence[tuple[float, float]], input_size: Size
) -> dict[str, Any]:
    """Complete the config of a head and of its anchor generator.

    Args:
        head: Of an anchor head.
        maps: Maps of all levels.
        strides: (w, h) between default box centres, per level, pixels.
        input_size: (W, H) of the network's input, pixels.
    """
    kind, parameters = _signature(MMDET_MODELS.get(head['type']))
    if inspect.isclass(kind) and issubclass(kind, _HEADS_OF_LISTS):
        channels: Union[int, list[int]] = [shape.channels for shape in maps]
    else:
        channels = _one_width(maps, f'bbox_head.type: {head["type"]}')
    filled = fill_missing(head, dict(in_channels=channels), 'bbox_head')
    if 'anchor_generator' not in parameters:
        return filled
    generator = filled.get('anchor_generator')
    if generator is None:
        default = parameters['anchor_generator'].default
        generator = default if isinstance(default, dict) else dict(type='ssd_plugin.SSDAnchorGenerator')
        # A default belongs to another network; its sizes of boxes may stay, its steps may not.
        generator = {key: value for key, value in generator.items() if key not in ('strides', 'input_size')}
    _, wanted = _signature(MMDET_TASK_UTILS.get(generator['type']))
    square = input_size[0] == input_size[1]
    measured = dict(strides=list(strides), input_size=input_size[0] if square else input_size)
    filled['anchor_generator'] = fill_missing(
        generator, {key: value for key, value in measured.items() if key in wanted}, 'bbox_head.anchor_generator'
    )
    return filled


def complete_train_cfg(head_type: str, train_cfg: Optional[dict[str, Any]]) -> Optional[ConfigDict]:
    """Complete the ``train_cfg`` for mmdet's own anchor heads, which expect settings that SSD has no use for.

    Args:
        head_type: Type of the head.
        train_cfg: As in the config; None where nothing is trained.

    Raises:
        UserError: The assigner matches whole batches, which such a head does not.
    """
    kind = MMDET_MODELS.get(head_type)
    if train_cfg is None or not inspect.isclass(kind) or not issubclass(kind, mmdet_heads.AnchorHead):
        return train_cfg
    assigner = train_cfg.get('assigner', {}).get('type', '')
    if assigner.startswith('ssd_plugin.'):
        raise UserError(
            f'train_cfg.assigner.type: {assigner!r} matches whole batches for SSDHead, expected an assigner of mmdet '
            f'such as MaxIoUAssigner for bbox_head.type={head_type!r}'
        )
    return ConfigDict({**dict(allowed_border=-1, pos_weight=-1, debug=False), **train_cfg})


def _signature(kind: Any) -> tuple[Any, Any]:
    """Give a registered type and its parameters; a type that is not registered has none, and its build says so."""
    return kind, inspect.signature(kind).parameters if kind is not None else {}


def _one_width(maps: Sequence[MapShape], where: str) -> int:
    widths = {shape.channels for shape in maps}
    if len(widths) > 1:
        raise UserError(
            f'{where} takes maps of one width, found {[shape.channels for shape in maps]} channels: put a neck such as '
            "dict(type='FPN', out_channels=256) before it"
        )
    return widths.pop()


def _as_tuple(channels: Any) -> tuple[int, ...]:
    return (channels,) if isinstance(channels, int) else tuple(channels)
