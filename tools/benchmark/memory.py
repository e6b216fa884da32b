"""Measure the memory that training takes beyond the built model and optimiser.

On a CPU every side runs in a process of its own, ``python -m benchmark.memory SIDE CASE IMAGES``, because memory once
freed stays with a process.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import torch

from ssd_plugin.cli.read_config import AMP_WRAPPER
from ssd_plugin.errors import UserError

from .peers import CASES, build_mmdet, build_ours, mmdet_config, our_config
from .report import Row
from .settings import Settings
from .timing import Figure
from .training_speed import GPU_BATCH, training_batch, training_step

STATUS = Path('/proc/self/status')
MIB = 2**20
SIDES = ('ours', 'mmdet')
BATCHES = {'SSD300 VGG-16 COCO': 8, 'SSDLite MobileNetV2 COCO': 8}
STEPS = 2


def measure(side: str, case: str, images: int, device: str) -> float:
    """Measure the peak memory of two training steps, MiB, less what was there before them.

    Args:
        side: 'ours' with ``--amp``, or 'mmdet'.
        case: One of the networks.
        images: Of the batch.
        device: 'cpu' or 'cuda'.

    Raises:
        UserError: The system does not tell the peak of a process.
    """
    if device == 'cuda':
        return _peak_cuda(_prepare(side, case, images, device))
    if not STATUS.is_file():
        raise UserError(f'memory: no {STATUS}, expected Linux to measure on a CPU')
    command = [sys.executable, '-m', __name__, side, case, str(images)]
    # The new process finds this package, which is not installed, where this one does.
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _prepare(side: str, case: str, images: int, device: str) -> Callable[[], Any]:
    ours_config = our_config(CASES[case].ours)
    ours = build_ours(ours_config, device)
    batch = training_batch(ours, images, device)
    model, config, wrapper = ours, ours_config, AMP_WRAPPER
    if side == 'mmdet':
        config = mmdet_config(CASES[case])
        model = build_mmdet(config, device)
        wrapper = 'AmpOptimWrapper' if device == 'cuda' else 'OptimWrapper'
    model.train()
    return training_step(model, config, wrapper, batch)


def _peak_cuda(step: Callable[[], Any]) -> float:
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    for _ in range(STEPS):
        step()
    return (torch.cuda.max_memory_allocated() - before) / MIB


def _peak_cpu(step: Callable[[], Any]) -> float:
    before = _status('VmRSS')
    for _ in range(STEPS):
        step()
    return _status('VmHWM') - before


def _status(name: str) -> float:
    """Read a line of the process's status, MiB."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(f'{name}:'))
    return int(line.split()[1]) / 1024


def rows(settings: Settings) -> Iterator[Row]:
    """Measure the rows of the report."""
    for case, images in list(BATCHES.items())[1 if settings.quick else 0 :]:
        batch = GPU_BATCH if settings.device == 'cuda' else images
        batch = 2 if settings.quick else batch
        peaks = [measure(side, case, batch, settings.device) for side in SIDES]
        ours, theirs = (Figure.of([peak]) for peak in peaks)
        yield Row('training memory', f'{case}, batch {batch}, beyond the built model', 'MiB', ours, theirs)


if __name__ == '__main__':
    print(json.dumps(_peak_cpu(_prepare(sys.argv[1], sys.argv[2], int(sys.argv[3]), 'cpu'))))
