"""All predictions are in the file, or there is none."""

import errno
import os
import pickle
from pathlib import Path

import pytest
import torch
from mmdet.evaluation import DumpDetResults

from ssd_plugin.evaluation.whole_dump import WholeDump


def samples() -> list[dict]:
    return [
        {'img_id': i, 'gt_instances': 1, 'pred_instances': {'scores': torch.tensor([0.5, 0.1 * i])}} for i in range(3)
    ]


def test_the_file_is_mmdets(tmp_path: Path) -> None:
    contents = []
    for kind, name in ((WholeDump, 'new/ours.pkl'), (DumpDetResults, 'theirs.pkl')):
        metric = kind(str(tmp_path / name))
        metric.process({}, samples())
        assert metric.evaluate(3) == {}
        contents.append(pickle.loads((tmp_path / name).read_bytes()))
    assert str(contents[0]) == str(contents[1])
    assert [sorted(one) for one in contents[0]] == [['img_id', 'pred_instances']] * 3


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, 'fsync', full)
    metric = WholeDump(str(tmp_path / 'a.pkl'))
    metric.process({}, samples())
    with pytest.raises(OSError, match=r'No space left on device: .*a\.pkl'):
        metric.evaluate(3)
    assert list(tmp_path.iterdir()) == []
