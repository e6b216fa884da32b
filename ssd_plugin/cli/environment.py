"""What the figures of a run depend on."""

import platform
import shlex
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import torch

import ssd_plugin
from ssd_plugin import mmcv_ops
from ssd_plugin.compatibility import installed_versions

CPUINFO = Path('/proc/cpuinfo')
FLAGS = ('avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_bf16', 'amx_tile')


def describe(device: str) -> dict[str, str]:
    """Name machine, versions and command.

    Args:
        device: 'cpu' or 'cuda'.

    Returns:
        Text by name.
    """
    info = CPUINFO.read_text() if CPUINFO.is_file() else ''
    found = dict(CPU=cpu_name(info), flags=cpu_flags(info))
    if device == 'cuda':
        found['GPU'] = torch.cuda.get_device_name()
    compiled = 'replaced by ours in torch' if mmcv_ops.install() else 'compiled'
    mmcv = ', '.join(f'{name} {number}' for name, number in installed_versions('mmcv').items())
    found.update(
        threads=str(torch.get_num_threads()),
        versions=f'ssd_plugin {ssd_plugin.__version__}, torch {torch.__version__}, {mmcv}, mmdet {version("mmdet")}',
        date=datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        command=shlex.join(sys.argv),
    )
    found["mmcv's ops, on which mmdet's suppression runs"] = compiled
    return found


def cpu_name(cpuinfo: str) -> str:
    """Read the model and the number of cores.

    Args:
        cpuinfo: Text of /proc/cpuinfo; empty on other systems than Linux.
    """
    names = [line.partition(':')[2].strip() for line in cpuinfo.splitlines() if line.startswith('model name')]
    return f'{names[0]}, {len(names)} cores' if names else platform.processor() or platform.machine()


def cpu_flags(cpuinfo: str) -> str:
    """Read which of the vector and matrix units that matter here there are."""
    for line in cpuinfo.splitlines():
        if line.startswith('flags'):
            return ' '.join(flag for flag in FLAGS if flag in line.split()) or 'none'
    return 'unknown'
