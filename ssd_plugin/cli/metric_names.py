"""Check the name of the metric that chooses the best checkpoint, which MMEngine looks up after the first validation."""

import inspect
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from mmengine.config import Config
from mmengine.registry import METRICS

from ssd_plugin.errors import UserError

from .config_types import find, unknown_type, walk

# What mmdet's CocoMetric gives, in its order, unless metric_items says otherwise.
_COCO_ITEMS = ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')


def check_best(config: Config) -> None:
    """Compare ``save_best`` with what the evaluators of the validation give.

    Args:
        config: A whole config.

    Raises:
        UserError: No evaluator gives a metric of this name; the line has the closest ones.
    """
    best = ((config.get('default_hooks') or {}).get('checkpoint') or {}).get('save_best')
    parts = [part for _, part in walk(config.get('val_evaluator'), 'val_evaluator') if 'type' in part]
    known = [name for part in parts for name in _metric_names(part, config)]
    for name in best if isinstance(best, (list, tuple)) else [best]:
        if known and name not in (None, 'auto') and not any(fnmatchcase(str(name), one) for one in known):
            close = ', '.join(get_close_matches(str(name), known, n=3, cutoff=0))
            raise UserError(f'default_hooks.checkpoint.save_best: {name!r}, expected auto or a metric such as {close}')


def _metric_names(part: dict[str, Any], config: Config) -> list[str]:
    """List what an evaluator gives, as patterns; of other ones than mmdet's for boxes only the prefix is known."""
    kind: Any = find(METRICS, part['type'], config.get('default_scope'))
    if kind is None:
        raise unknown_type(config, part['type'])
    bases = {base.__name__ for base in inspect.getmro(kind)}
    names = ['*']
    if 'CocoMetric' in bases and part.get('metric', 'bbox') in ('bbox', ['bbox']):
        names = [f'bbox_{item}' for item in part.get('metric_items') or _COCO_ITEMS]
        names += ['*_precision'] if part.get('classwise') else []
    elif 'VOCMetric' in bases and part.get('metric', 'mAP') in ('mAP', ['mAP']):
        thresholds = part.get('iou_thrs', part.get('iou_thr', 0.5))
        names = [f'AP{int(one * 100):02d}' for one in ([thresholds] if isinstance(thresholds, float) else thresholds)]
        names.append('mAP')
    prefix = part.get('prefix') or getattr(kind, 'default_prefix', None)
    return [f'{prefix}/{name}' if prefix else name for name in names]
