"""Checks what a file gave before anything is made of it: is it a whole, sound state dict?"""

from collections.abc import Mapping
from typing import Any, Optional

import torch
from torch import Tensor

from ssd_plugin.errors import UserError

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_STATISTICS = ('running_mean', 'running_var')


def check_weights(weights: Mapping[Any, Any]) -> None:
    """Check every entry of a state dict, and that weight, bias and statistics of each layer go together.

    Args:
        weights: As it was read, whatever it holds.

    Raises:
        UserError: An entry is no dense tensor of finite numbers, a weight or a bias holds no real numbers or is a
            single one, or a layer lacks a part.
    """
    if not weights:
        raise UserError('the file holds no weights, expected a state dict')
    for key, value in weights.items():
        if not isinstance(key, str):
            raise UserError(f'key {key!r} is a {type(key).__name__}, expected text: this is no state dict')
        if not isinstance(value, Tensor):
            raise UserError(f'entry {key!r} is a {type(value).__name__}, expected a tensor: this is no state dict')
        fault = _fault(key, value)
        if fault:
            raise UserError(f'entry {key!r} {fault}')
    for layer in dict.fromkeys(key.rpartition('.')[0] for key in weights):
        _check_layer(layer, weights)


def _fault(key: str, value: Tensor) -> Optional[str]:
    if value.is_meta:
        return 'is on the meta device, expected numbers'
    if value.is_nested or value.layout != torch.strided:
        return 'is sparse or nested, expected a dense tensor'
    if value.is_quantized or value.is_complex():
        return f'is of {value.dtype}, expected real floating point numbers'
    # Buffers, such as a count of batches or an index, may be integers and single numbers.
    if key.endswith(('weight', 'bias', *_STATISTICS)):
        if value.dtype not in _FLOATS:
            return f'is of {value.dtype}, expected one of {", ".join(map(str, _FLOATS))}'
        if value.numel() == 0 or value.dim() == 0:
            return f'has shape {tuple(value.shape)}, expected at least one dimension and one number'
    if value.dtype in _FLOATS and not value.isfinite().all():
        return f'holds {int((~value.isfinite()).sum())} numbers that are NaN or infinite, expected finite ones'
    return None


def _check_layer(layer: str, weights: Mapping[str, Tensor]) -> None:
    parts = {name: weights.get(f'{layer}.{name}') for name in ('weight', 'bias', *_STATISTICS)}
    weight, bias = parts['weight'], parts['bias']
    statistics = [parts[name] for name in _STATISTICS]
    if any(part is not None for part in statistics):
        # A batch normalisation without weight and bias is one, too.
        missing = [name for name, part in parts.items() if part is None and (name in _STATISTICS or weight is not bias)]
        if missing:
            raise UserError(f'key {f"{layer}.{missing[0]}"!r} is missing beside the others of its layer')
    elif bias is not None and weight is None:
        raise UserError(f'key {f"{layer}.weight"!r} is missing beside {f"{layer}.bias"!r}')
    for name in ('bias', *_STATISTICS):
        part = parts[name]
        if part is None or weight is None or part.shape == weight.shape:
            continue
        # The channels come second in the weight of a transposed convolution.
        if part.dim() != 1 or len(part) not in weight.shape[:2]:
            raise UserError(
                f'entry {f"{layer}.{name}"!r} has shape {tuple(part.shape)}, '
                f'expected one number for each channel of its weight of shape {tuple(weight.shape)}'
            )
