"""Measure what a training would take, by a few real steps that nothing is kept of."""

import resource
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Callable, Optional

import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner, set_random_seed
from mmengine.utils.dl_utils import set_multi_processing
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from ssd_plugin.cli.config_data import check_batches
from ssd_plugin.cli.config_types import refusals_in_one_line
from ssd_plugin.cli.device import describe_device
from ssd_plugin.cli.terminal import aligned

GIB = 2**30
# Before them, libraries choose their kernels and the loader's processes start.
WARM_UP = 3
# Steps are measured until both are reached, so that batches loaded during the warm-up count for little.
STEPS, SECONDS = 5, 10.0

Progress = Callable[[Iterable[Any], str], Iterable[Any]]


@dataclass(frozen=True)
class Cost:
    """What training takes.

    Attributes:
        geometry: Table of the default boxes; empty for a detector that does not measure them.
        parameters: Numbers in the network.
        trained: Those of them that an optimiser changes.
        input_size: (W, H) of the network's input, pixels.
        macs: Multiply-accumulates of the network's forward pass for one image.
        images: In the training data.
        batch_size: Of this process.
        batches: In an epoch.
        iterations: In the whole run.
        device: What it was measured on.
        steps: Number of training steps measured.
        step_seconds: Mean time of one, with waiting for its data.
        waiting: Share of that time in which the device waited for data.
        memory: Peak in bytes: on a GPU what PyTorch took of its memory, on a CPU all of this process.
    """

    geometry: str
    parameters: int
    trained: int
    input_size: tuple[int, int]
    macs: int
    images: int
    batch_size: int
    batches: int
    iterations: int
    device: str
    steps: int
    step_seconds: float
    waiting: float
    memory: int

    def describe(self) -> str:
        """Write it down for a terminal, a line for each figure."""
        width, height = self.input_size
        total = timedelta(seconds=round(self.iterations * self.step_seconds))
        kind = 'GPU memory taken by PyTorch' if self.device.startswith('cuda') else 'of this process, workers besides'
        rows = {
            'parameters': f'{self.parameters:,}, {self.trained:,} of them trained',
            'operations': f'{self.macs / 1e9:.2f} GMACs = {2 * self.macs / 1e9:.2f} GFLOPs (a multiply-accumulate is '
            f'two) for one {width}x{height} image, forward',
            'training data': f'{self.images} images, {self.batches} batches of {self.batch_size} in an epoch',
            'schedule': f'{round(self.iterations / self.batches, 1):g} epochs, {self.iterations} iterations',
            'device': self.device,
            'memory': f'{self.memory / GIB:.2f} GiB at its peak ({kind})',
            'training step': f'{self.step_seconds:.3g} s, the mean of {self.steps} after {WARM_UP} to warm up; '
            f'{100 * self.waiting:.0f} % of it waits for data',
            'estimated time': f'{total} for the training steps; validations and checkpoints besides',
        }
        return '\n'.join(filter(None, [self.geometry, aligned(rows)]))


def dry_run(config: Config, progress: Progress) -> Cost:
    """Build what a config trains and take a few steps with it, from weights that nothing has initialised.

    Nothing is written, and nothing downloaded: weights that the config names are not loaded.

    Args:
        config: A whole config that ``validate_config`` has passed, of a run of one process.
        progress: Shows how far the steps are, given a description; their number is not known before.

    Returns:
        What it took.

    Raises:
        UserError: Something cannot be built, or no batch can be made.
    """
    register_all_modules()
    environment = config.get('env_cfg', {})
    torch.backends.cudnn.benchmark = bool(environment.get('cudnn_benchmark'))
    set_multi_processing(**environment.get('mp_cfg', {}), distributed=False)
    seed = set_random_seed((config.get('randomness') or {}).get('seed'))
    device = get_device()
    with refusals_in_one_line(config):
        model = MODELS.build(config.model).to(device)
        loader = Runner.build_dataloader(config.train_dataloader, seed=seed)
        optim_wrapper = build_optim_wrapper(model, config.optim_wrapper)
    check_batches(loader)
    batches = _endless(loader)
    batch = model.data_preprocessor(next(batches), False)
    inputs = batch['inputs']
    macs = count_macs(model, inputs[:1], batch['data_samples'][:1])

    times: list[tuple[float, float]] = []  # of every step: waiting, and the whole of it

    def enough() -> bool:
        return len(times) >= WARM_UP + STEPS and sum(whole for _, whole in times[WARM_UP:]) >= SECONDS

    model.train()
    messages = MessageHub.get_current_instance()
    for _ in progress(_until(enough), 'training steps'):
        messages.update_info('iter', len(times))  # BatchSyncRandomResize counts with it
        start = time.perf_counter()
        batch = next(batches)
        waiting = time.perf_counter() - start
        model.train_step(batch, optim_wrapper)
        if device == 'cuda':
            torch.cuda.synchronize()
        times.append((waiting, time.perf_counter() - start))
    waited, seconds = (sum(column) for column in zip(*times[WARM_UP:]))
    steps = len(times) - WARM_UP
    loop = config.train_cfg
    return Cost(
        geometry=model.describe() if hasattr(model, 'describe') else '',
        parameters=_size(model.parameters()),
        trained=_size(parameter for parameter in model.parameters() if parameter.requires_grad),
        input_size=(inputs.shape[3], inputs.shape[2]),
        macs=macs,
        images=len(loader.dataset),
        batch_size=loader.batch_sampler.batch_size,
        batches=len(loader),
        iterations=loop.max_iters if 'max_iters' in loop else loop.max_epochs * len(loader),
        device=describe_device(device),
        steps=steps,
        step_seconds=seconds / steps,
        waiting=waited / seconds,
        memory=_peak_memory(device),
    )


@torch.no_grad()
def count_macs(model: nn.Module, inputs: Tensor, samples: Optional[list[Any]] = None) -> int:
    """Count the multiply-accumulates of the convolutions and matrix products of a forward pass.

    This is the figure that torchvision's documentation lists as "GFLOPS" and fvcore as flops. What comes after the
    predictions (softmax, suppression) has no such products.

    Args:
        model: A detector; in evaluation mode afterwards.
        inputs: (1, 3, H, W) float, on its device.
        samples: The image's data sample, which detectors of two stages ask for.
    """
    model.eval()
    with FlopCounterMode(display=False) as counter:
        model(inputs, samples, mode='tensor')
    return counter.get_total_flops() // 2


def _endless(loader: DataLoader) -> Iterator[Any]:
    while True:
        yield from loader


def _until(done: Callable[[], bool]) -> Iterator[None]:
    while not done():
        yield


def _size(parameters: Iterable[Tensor]) -> int:
    return sum(parameter.numel() for parameter in parameters)


def _peak_memory(device: str) -> int:
    if device == 'cuda':
        return torch.cuda.max_memory_reserved()
    # Bytes on macOS, KiB elsewhere.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)
