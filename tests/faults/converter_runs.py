"""Runs tools/convert_weights.py in this process, on weights made here."""

import logging
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

TOOL = Path(__file__).parents[2] / 'tools' / 'convert_weights.py'
State = dict[Any, Any]
OURS = {'cfg': "model = dict(type='ssd_plugin.SSD')"}


def saved(kind: str, state: State, folder: Path) -> Path:
    torch.save({'state_dict': state, 'meta': OURS if kind == 'ours' else {}}, folder / 'source.pth')
    return folder / 'source.pth'


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    # MMEngine's logger would write to the output of the test that made it.
    monkeypatch.setattr(logging, 'raiseExceptions', False)
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
    runpy.run_path(str(TOOL), run_name='__main__')


def residual() -> State:
    """Weights of ours with another backbone, as far as their names go."""
    state = {'backbone.conv1.weight': torch.zeros(8, 3, 7, 7)}
    state.update({f'backbone.bn1.{name}': torch.zeros(8) for name in ('weight', 'bias', 'running_mean', 'running_var')})
    state['backbone.bn1.num_batches_tracked'] = torch.tensor(3)
    for pair in range(2):
        for part in range(2):
            state[f'neck.extra_layers.{pair}.{part}.conv.weight'] = torch.zeros(8, 8, 1, 1)
            state[f'neck.extra_layers.{pair}.{part}.conv.bias'] = torch.zeros(8)
    for level in range(4):
        for branch, channels in (('cls', 4 * 3), ('reg', 4 * 4)):
            state[f'bbox_head.{branch}_convs.{level}.0.weight'] = torch.zeros(channels, 8, 3, 3)
            state[f'bbox_head.{branch}_convs.{level}.0.bias'] = torch.zeros(channels)
    return state
