"""Where weights come from, and which function converts them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional

from torch import Tensor

from ssd_plugin.errors import UserError

from . import amdegroot, caffe, lufficc, mmdet, torchvision, torchvision_ssdlite
from .check_weights import check_weights
from .result import ConvertedWeights


@dataclass(frozen=True)
class Converter:
    """How the weights of one source are recognised and converted.

    Attributes:
        kind: Name of the source, as ``--from`` takes it.
        keys: Weights that hold any of these keys are of this kind.
        convert: Turns them into ours.
        ours: Whether the file's ``meta`` must say besides that this package wrote it: mmdet's names are the same.
    """

    kind: str
    keys: tuple[str, ...]
    convert: Callable[..., ConvertedWeights]
    ours: bool = False

    def recognises(self, state_dict: Mapping[str, Tensor], meta: Mapping[str, Any]) -> bool:
        """Tell whether the weights are of this kind."""
        # Training notes its config, this module what it converted.
        ours = 'ssd_plugin' in meta or 'ssd_plugin.' in str(meta.get('cfg', ''))
        return any(key in state_dict for key in self.keys) and (ours or not self.ours)


# The first that recognises the weights converts them.
CONVERTERS = (
    Converter(torchvision.KIND, ('backbone.scale_weight',), torchvision.convert),
    Converter(torchvision_ssdlite.KIND, ('backbone.features.0.0.0.weight',), torchvision_ssdlite.convert),
    Converter(lufficc.KIND, ('backbone.vgg.0.weight',), lufficc.convert),
    Converter(amdegroot.KIND, ('vgg.0.weight',), amdegroot.convert),
    Converter(amdegroot.TRUNK_KIND, ('33.weight',), amdegroot.convert_trunk),
    Converter(mmdet.OLD_KIND, ('backbone.extra.0.weight',), mmdet.convert_old),
    Converter(mmdet.OURS_KIND, mmdet.PREDICTOR_KEYS, mmdet.convert_ours, ours=True),
    Converter(mmdet.KIND, mmdet.PREDICTOR_KEYS[:1], mmdet.convert),
    Converter(mmdet.DEPTHWISE_KIND, mmdet.PREDICTOR_KEYS[1:], mmdet.convert_depthwise),
    Converter(caffe.KIND, ('conv4_3_norm.weight',), caffe.convert),
    Converter(caffe.TRUNK_KIND, ('conv1_1.weight',), caffe.convert_trunk),
)
KINDS = tuple(converter.kind for converter in CONVERTERS)


def read_state_dict(loaded: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Find the weights in a loaded file.

    Args:
        loaded: What the file holds: the weights themselves or a dict with them as ``state_dict`` or ``model``.

    Returns:
        The weights, without the prefix ``module.`` of parallel training, and the file's ``meta``.

    Raises:
        UserError: If they are unsound (:func:`check_weights`), ``meta`` is no dict, or mmdet 1 wrote the file.
    """
    meta = loaded.get('meta')
    if meta is None:
        meta = {}
    if not isinstance(meta, Mapping):
        raise UserError(f'meta is a {type(meta).__name__}, expected a dict')
    version = str(meta.get('mmdet_version', ''))
    if version.startswith(('0.', '1.')):
        raise UserError(
            f'mmdet_version of the file is {version}, expected 2.0 or later: its classes are numbered and its boxes '
            "measured otherwise, run mmdet's tools/model_converters/upgrade_model_version.py first"
        )
    weights = loaded
    for name in ('state_dict', 'model'):
        if isinstance(loaded.get(name), Mapping):
            weights = loaded[name]
            break
    check_weights(weights)
    return {key.removeprefix('module.'): value for key, value in weights.items()}, dict(meta)


def detect_source(state_dict: Mapping[str, Tensor], meta: Optional[Mapping[str, Any]] = None) -> str:
    """Tell where weights come from.

    Args:
        state_dict: Weights under their own names.
        meta: Of the file; ours and mmdet's weights have the same names, but this package leaves a note there.

    Returns:
        One of ``KINDS``.

    Raises:
        UserError: If none fits.
    """
    for converter in CONVERTERS:
        if converter.recognises(state_dict, meta or {}):
            return converter.kind
    raise UserError(
        f'weights with keys such as {next(iter(state_dict), None)!r} are of no known kind, expected one of '
        f'{", ".join(KINDS)}; --from names it'
    )


def convert(state_dict: Mapping[str, Tensor], kind: str, num_classes: Optional[int] = None) -> ConvertedWeights:
    """Convert weights.

    Args:
        state_dict: Weights under their own names.
        kind: One of ``KINDS``.
        num_classes: Foreground classes that the result must have; 90 keeps the unused ids of torchvision's weights.

    Returns:
        The weights under our names and in our conventions. Tensors that need no change are shared with the source.

    Raises:
        UserError: If the kind is unknown, a key or shape does not fit it, or the classes are not ``num_classes``.
    """
    if kind not in KINDS:
        raise UserError(f'kind is {kind!r}, expected one of {", ".join(KINDS)}')
    has_unused_ids = kind in (torchvision.KIND, torchvision_ssdlite.KIND) and num_classes == torchvision.COCO_IDS
    options = {'keep_unused_ids': True} if has_unused_ids else {}
    converted = CONVERTERS[KINDS.index(kind)].convert(state_dict, **options)
    if num_classes is not None and converted.num_classes != num_classes:
        raise UserError(f'{kind} weights: {converted.num_classes} foreground classes, expected {num_classes}')
    return converted
