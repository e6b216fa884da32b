"""Whole exports: the file is there once it is proved, and not before."""

from pathlib import Path
from typing import Any

import pytest

from ssd_plugin.deployment import export
from ssd_plugin.deployment.formats import FORMATS, write_torchscript
from ssd_plugin.deployment.gate import GateImages
from ssd_plugin.deployment.metadata import FileMetadata
from ssd_plugin.deployment.network import ExportableSSD
from ssd_plugin.deployment.runtimes import Runtime
from ssd_plugin.errors import UserError


def write(detector: tuple[Any, Path], images: GateImages, out: Path, nms: str = 'outside') -> str:
    return export.write_proved(*detector, 'torchscript', nms, 'outside', images, out)


def test_a_proved_file_is_put_in_its_place(detector: tuple[Any, Path], images: GateImages, tmp_path: Path) -> None:
    out = tmp_path / 'new' / 'narrow.torchscript'
    table = write(detector, images, out)
    assert [path.name for path in out.parent.iterdir()] == ['narrow.torchscript']
    assert table.startswith('5 images, 45 detections\n')
    metadata = Runtime(out).metadata
    assert metadata.input_size == [300, 300]
    assert metadata.channel_order == 'RGB'
    assert metadata.mean == pytest.approx([123.675, 116.28, 103.53])
    assert metadata.test_cfg == dict(
        score_thr=0.01, nms=dict(type='nms', iou_threshold=0.45), nms_pre_per_class=400, max_per_img=9
    )
    assert sum(metadata.level_priors) == 8732
    assert metadata.config == 'narrow.py'


def test_a_spoilt_file_is_refused_and_not_left(
    detector: tuple[Any, Path], images: GateImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(network: ExportableSSD, metadata: FileMetadata, path: Path) -> None:
        network.priors += 0.1
        write_torchscript(network, metadata, path)

    monkeypatch.setitem(FORMATS, 'torchscript', ('.torchscript', spoil, ()))
    with pytest.raises(UserError) as caught:
        write(detector, images, tmp_path / 'narrow.torchscript')
    assert 'does not predict as its checkpoint: 00' in str(caught.value)
    assert 'a box differs by so many pixels: 0.0' in str(caught.value)
    assert '\n' not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_compare_is_no_proof(
    detector: tuple[Any, Path], images: GateImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(detector[0].model.bbox_head.test_cfg, 'score_thr', 1.0)
    with pytest.raises(UserError, match='no detection in 5 images to compare'):
        write(detector, images, tmp_path / 'narrow.torchscript')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('form', 'nms', 'out', 'line'),
    [
        ('onnx', 'inside', 'a.xml', r'--out is a\.xml, expected a file name ending in \.onnx for --format onnx'),
        ('torch-export', 'inside', 'a.pt2', r'--nms inside: torch-export has no suppression'),
    ],
)
def test_what_does_not_go_together(form: str, nms: str, out: str, line: str) -> None:
    with pytest.raises(UserError, match=line):
        export.check_export(form, nms, Path(out))


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, 'onnx', ('.onnx', write_torchscript, ('no_such_library',)))
    with pytest.raises(UserError, match=r"no_such_library is not installed, .+ '\.\[export\]'"):
        export.check_export('onnx', 'inside', Path('a.onnx'))
