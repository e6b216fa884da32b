"""Mixed precision, on a GPU and on the CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Optional

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from ssd_plugin.errors import UserError
from ssd_plugin.registry import OPTIM_WRAPPERS

_DTYPES = {'bfloat16': torch.bfloat16, 'float16': torch.float16}


def choose_dtype(dtype: Optional[str], device_type: str) -> torch.dtype:
    """Choose the 16-bit type to compute in.

    Args:
        dtype: 'bfloat16' or 'float16'; None = the better of the two for the device.
        device_type: 'cuda' or 'cpu'.

    Raises:
        UserError: Another type, another device, or float16 on the CPU.
    """
    if dtype is not None and dtype not in _DTYPES:
        raise UserError(
            f"optim_wrapper.dtype: {dtype!r}, expected 'bfloat16', 'float16' or None (the better of the two)"
        )
    if device_type not in ('cuda', 'cpu'):
        raise UserError(f"optim_wrapper: mixed precision on {device_type!r}, expected a model on 'cuda' or 'cpu'")
    if device_type == 'cpu':
        if dtype == 'float16':
            raise UserError("optim_wrapper.dtype: 'float16' on the CPU, expected 'bfloat16' or None there")
        return torch.bfloat16
    if dtype is not None:
        return _DTYPES[dtype]
    # GPUs before Ampere emulate bfloat16, slower than float32.
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Run the model's forward pass in 16 bits, and keep the weights and their update in 32.

    Gradient accumulation and clipping are those of ``OptimWrapper``. The loss is scaled with float16 alone, whose
    smallest numbers gradients fall below; the scale is then part of the checkpoint, under the key of MMEngine's
    ``AmpOptimWrapper``.

    Differs: MMEngine's ``AmpOptimWrapper`` refuses the CPU, always scales the loss and defaults to float16.

    Args:
        dtype: 'bfloat16' or 'float16'; None takes bfloat16 on the CPU and on GPUs that compute in it, else float16.
        **kwargs: ``optimizer``, ``accumulative_counts``, ``clip_grad`` as in ``OptimWrapper``. The device is that of
            the first parameter of the optimizer.

    Attributes:
        dtype: What the forward pass computes in.
        device_type: 'cuda' or 'cpu'.
        loss_scaler: Scales the loss; None where the dtype does without.

    Raises:
        UserError: Another dtype, another device, or float16 on the CPU.
    """

    def __init__(self, dtype: Optional[str] = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.device_type: str = self.optimizer.param_groups[0]['params'][0].device.type
        self.dtype = choose_dtype(dtype, self.device_type)
        self.loss_scaler = torch.amp.GradScaler('cuda') if self.dtype == torch.float16 else None

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Cast what runs inside, and delay the exchange of gradients while they are accumulated.

        Args:
            model: The model in training, whose ``no_sync`` is entered where it has one.

        Yields:
            Nothing; the forward pass goes inside, the backward pass outside.
        """
        with super().optim_context(model), torch.autocast(self.device_type, dtype=self.dtype):
            yield

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Compute the gradients of the loss, scaled where float16 needs it.

        Args:
            loss: Scalar.
            **kwargs: Of ``Tensor.backward``.
        """
        super().backward(loss if self.loss_scaler is None else self.loss_scaler.scale(loss), **kwargs)

    def step(self, **kwargs: Any) -> None:
        """Clip the gradients if asked to and update the weights; float16 skips the update if a gradient overflowed.

        Args:
            **kwargs: Of the optimizer's ``step``.
        """
        if self.loss_scaler is None:
            super().step(**kwargs)
            return
        if self.clip_grad_kwargs:
            self.loss_scaler.unscale_(self.optimizer)
            self._clip_grad()
        self.loss_scaler.step(self.optimizer, **kwargs)
        self.loss_scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Give the optimizer's state, with ``loss_scaler`` in it if there is one.

        Returns:
            The state to save.
        """
        state: dict[str, Any] = super().state_dict()
        if self.loss_scaler is not None:
            state['loss_scaler'] = self.loss_scaler.state_dict()
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a saved state; a scale in it goes unused where the dtype does without.

        Args:
            state_dict: Of this wrapper, ``OptimWrapper`` or ``AmpOptimWrapper``.
        """
        optimizer_state = {key: value for key, value in state_dict.items() if key != 'loss_scaler'}
        if self.loss_scaler is not None and 'loss_scaler' in state_dict:
            self.loss_scaler.load_state_dict(state_dict['loss_scaler'])
        super().load_state_dict(optimizer_state)
