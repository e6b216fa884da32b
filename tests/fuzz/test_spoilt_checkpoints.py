"""Spoilt checkpoints: one line, and a run goes on from an older one or from exactly what was written."""

import io
import os
import re
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mutate_bytes import DAMAGE, spoil
from numbered import numbered
from one_line import assert_one_line

from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.engine.checkpoint_search import find_latest_checkpoint
from ssd_plugin.errors import UserError

WEIGHTS = torch.arange(2000.0)


def saved(zipped: bool) -> bytes:
    content = {
        'meta': {'iter': 7, 'dataset_meta': {'classes': ('cat', 'dog')}, 'time': '20260101_000000'},
        'state_dict': {'weight': WEIGHTS, 'steps': torch.tensor(3)},
        'message_hub': {
            'log_scalars': {'loss': HistoryBuffer([0.5, 0.25], [1, 1])},
            'runtime_info': {'iter': np.int64(7)},
        },
        'optimizer': {'param_groups': [{'lr': 0.1}], 'state': {0: {'momentum_buffer': torch.ones(300)}}},
    }
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    data = file.getvalue()
    # The old format names tensors by their addresses, which are others in every process.
    for i, address in enumerate(() if zipped else dict.fromkeys(re.findall(rb'\d{12,}', data))):
        data = data.replace(address, b'%0*d' % (len(address), i))
    return data


@pytest.fixture(scope='module')
def checkpoints() -> list[bytes]:
    return [saved(zipped=True), saved(zipped=False)]


@numbered(60, 500)
def test_loading(number: int, rng: Random, checkpoints: list[bytes], tmp_path: Path, record_property: Any) -> None:
    path, zipped = tmp_path / 'a.pth', rng.random() < 0.7
    path.write_bytes(spoil(checkpoints[not zipped], number, rng, DAMAGE))
    kind = 'checkpoints' if zipped else "checkpoints in torch's old format, without checksums"
    try:
        content = load_checkpoint_file(path)
    except UserError as error:
        assert_one_line(error)
        record_property(kind, 'refused')
        return
    record_property(kind, 'loaded')
    assert isinstance(content, dict)
    if zipped:
        assert torch.equal(content['state_dict']['weight'], WEIGHTS)
        assert content['meta']['iter'] == 7


@numbered(60, 500)
def test_resuming(number: int, rng: Random, checkpoints: list[bytes], tmp_path: Path, record_property: Any) -> None:
    older, newest = tmp_path / 'epoch_1.pth', tmp_path / 'epoch_2.pth'
    older.write_bytes(checkpoints[0])
    os.utime(older, (0, 0))
    newest.write_bytes(spoil(checkpoints[0], number, rng, DAMAGE))
    found = find_latest_checkpoint(str(tmp_path))
    if found == str(older):
        record_property('checkpoints of a run that goes on', 'passed over for an older one')
        return
    assert found == str(newest)
    assert load_checkpoint_file(newest)['meta']['iter'] == 7
    record_property('checkpoints of a run that goes on', 'used, nothing lost')
