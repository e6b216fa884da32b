import importlib.util
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd_plugin import mmcv_ops
from ssd_plugin.errors import UserError

ROOT = Path(__file__).parents[1]
LITE = isinstance(sys.modules.get(mmcv_ops.EXTENSION), mmcv_ops._FallbackExtension)
needs_lite = pytest.mark.skipif(not LITE, reason='the compiled ops of full mmcv are installed')


def literal_nms(boxes, scores, iou_threshold, offset):
    """The textbook's words, box by box, in float32 as the op computes."""
    boxes, scores = boxes.numpy(), scores.tolist()
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    kept = []
    for i in order:
        for j in kept:
            width = max(np.float32(0), min(boxes[i][2], boxes[j][2]) - max(boxes[i][0], boxes[j][0]) + offset)
            height = max(np.float32(0), min(boxes[i][3], boxes[j][3]) - max(boxes[i][1], boxes[j][1]) + offset)
            area_i, area_j = ((b[2] - b[0] + offset) * (b[3] - b[1] + offset) for b in (boxes[i], boxes[j]))
            union = area_i + area_j - width * height
            if union > 0 and width * height / union > np.float32(iou_threshold):
                break
        else:
            kept.append(i)
    return kept


@st.composite
def scenes(draw):
    count = draw(st.integers(0, 12))
    number = st.integers(0, 12)
    rows = draw(st.lists(st.tuples(number, number, number, number), min_size=count, max_size=count))
    scores = draw(st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=count, max_size=count))
    boxes = torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1), torch.tensor(scores)


@given(scenes(), st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.sampled_from([0, 1]))
def test_nms_equals_the_literal_one(scene, iou_threshold, offset):
    boxes, scores = scene
    kept = mmcv_ops.nms(boxes, scores, iou_threshold, offset)
    assert kept.tolist() == literal_nms(boxes, scores, iou_threshold, offset)


def test_nms_equals_the_literal_one_on_many_boxes():
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(300, 2, generator=generator) * 100
    boxes = torch.cat([corner, corner + 5 + 40 * torch.rand(300, 2, generator=generator)], 1)
    scores = torch.rand(300, generator=generator)
    assert mmcv_ops.nms(boxes, scores, 0.45).tolist() == literal_nms(boxes, scores, 0.45, 0)


def test_nms_of_a_case_done_by_hand():
    # B overlaps A by 50 / 150 and C overlaps B by 50 / 150; A and C only touch.
    boxes = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10]])
    scores = torch.tensor([0.8, 0.9, 0.7])
    assert mmcv_ops.nms(boxes, scores, 0.3).tolist() == [1]
    assert mmcv_ops.nms(boxes, scores, 0.34).tolist() == [1, 0, 2]
    # B, which A removes, must not remove C.
    assert mmcv_ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.3).tolist() == [0, 2]


def test_nms_keeps_a_box_whose_overlap_equals_the_threshold():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5]])
    assert mmcv_ops.nms(boxes, torch.tensor([0.9, 0.8]), 0.5).tolist() == [0, 1]
    assert mmcv_ops.nms(boxes, torch.tensor([0.9, 0.8]), 0.49).tolist() == [0]


def test_the_legacy_offset_counts_both_edge_pixels():
    # Widths of 2 + 1 and a shared column of 0 + 1: IoU 1 / 5, and 0 without the offset.
    boxes = torch.tensor([[0.0, 0, 2, 0], [2, 0, 4, 0]])
    assert mmcv_ops.nms(boxes, torch.tensor([0.9, 0.8]), 0.1, offset=1).tolist() == [0]
    assert mmcv_ops.nms(boxes, torch.tensor([0.9, 0.8]), 0.1, offset=0).tolist() == [0, 1]


def test_nms_of_nothing_is_nothing():
    kept = mmcv_ops.nms(torch.zeros(0, 4), torch.zeros(0), 0.5)
    assert kept.dtype == torch.int64
    assert kept.tolist() == []


def test_nms_of_half_precision_is_done_in_single():
    # These areas are beyond 65504, where half precision ends.
    boxes = torch.tensor([[0.0, 0, 1000, 1000], [0, 0, 1000, 900], [1200, 0, 2000, 900]], dtype=torch.float16)
    assert mmcv_ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7], dtype=torch.float16), 0.5).tolist() == [0, 2]


@needs_lite
def test_mmcv_reaches_the_stand_in_through_its_own_names():
    from mmcv.ops import batched_nms, nms

    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])
    scores = torch.tensor([0.6, 0.9, 0.8])
    assert nms(boxes, scores, 0.5)[1].tolist() == [1, 2]
    kept = batched_nms(boxes, scores, torch.tensor([0, 1, 0]), {'type': 'nms', 'iou_threshold': 0.5})[1]
    assert kept.tolist() == [1, 2, 0]


@needs_lite
@pytest.mark.parametrize('op', ['softnms', 'roi_pool_forward', 'deform_conv_forward', 'softmax_focal_loss_forward'])
def test_every_other_op_says_what_to_install(op):
    extension = sys.modules[mmcv_ops.EXTENSION]
    with pytest.raises(UserError, match=rf'^{op} is one of .*pip install "mmcv>=2\.0\.1,<2\.2"$'):
        getattr(extension, op)(torch.zeros(1), offset=1)


@needs_lite
def test_the_focal_loss_of_a_gpu_is_that_of_a_cpu():
    from mmcv.ops import sigmoid_focal_loss
    from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss

    values = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 3, 3])  # 3 is the background
    one_hot = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]])
    ours, theirs = values.clone().requires_grad_(), values.clone().requires_grad_()
    losses = sigmoid_focal_loss(ours, labels, 1.5, 0.3, None, 'none')
    expected = py_sigmoid_focal_loss(theirs, one_hot, gamma=1.5, alpha=0.3, reduction='none')
    torch.testing.assert_close(losses, expected)
    weights = torch.arange(15.0).reshape(5, 3)
    (losses * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    with pytest.raises(UserError, match='weights of classes'):
        sigmoid_focal_loss(values, labels, 1.5, 0.3, torch.ones(3), 'none')


needs_torchvision = pytest.mark.skipif(not mmcv_ops.has_torchvision(), reason='torchvision is not installed')
ROI_ALIGN = dict(aligned_height=2, aligned_width=2, spatial_scale=0.5, sampling_ratio=0, pool_mode=1, aligned=True)


def roi_align(maps, rois, grad_output):
    """Call the stand-in as mmcv does, which need not be in use."""
    output, grad_maps = torch.zeros_like(grad_output), torch.zeros_like(maps)
    mmcv_ops.roi_align_forward(maps, rois, output, maps.new_zeros(0), maps.new_zeros(0), **ROI_ALIGN)
    mmcv_ops.roi_align_backward(grad_output, rois, maps.new_zeros(0), maps.new_zeros(0), grad_maps, **ROI_ALIGN)
    return output, grad_maps


def test_regions_without_torchvision_say_what_to_install(monkeypatch):
    monkeypatch.setattr(mmcv_ops, 'has_torchvision', lambda: False)
    with pytest.raises(UserError, match=r'^RoIAlign is one .* torchvision that belongs to the installed torch\Z'):
        roi_align(torch.zeros(1, 1, 8, 8), torch.zeros(1, 5), torch.zeros(1, 1, 2, 2))


@pytest.mark.parametrize('error', [ImportError, RuntimeError])
def test_a_torchvision_of_another_torch_is_none(error, monkeypatch):
    def fail(name):
        raise error(f'{name} does not fit')

    monkeypatch.setattr(importlib, 'import_module', fail)
    assert not mmcv_ops.has_torchvision()


@needs_torchvision
def test_regions_of_a_ramp_done_by_hand():
    maps = torch.arange(8.0).expand(1, 1, 8, 8).contiguous()  # the value is x
    # From 2 to 10 in the image is 0.5 to 4.5 between centres of the map: bins around 1.5 and 3.5.
    output, grad_maps = roi_align(maps, torch.tensor([[0.0, 2, 2, 10, 10]]), torch.ones(1, 1, 2, 2))
    torch.testing.assert_close(output, torch.tensor([[[[1.5, 3.5], [1.5, 3.5]]]]))
    assert grad_maps.sum().item() == pytest.approx(4)
    assert grad_maps[..., 6:].abs().max() == 0


@needs_torchvision
@pytest.mark.skipif(LITE, reason='the compiled ops of full mmcv are not installed')
def test_regions_equal_the_compiled_op():
    from mmcv.ops import roi_align as compiled

    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(2, 3, 20, 24, generator=generator)
    corner = torch.rand(30, 2, generator=generator) * 18  # within the maps, whose scale is a half
    boxes = torch.cat([corner, corner + 20 * torch.rand(30, 2, generator=generator)], 1)
    rois = torch.cat([torch.arange(30.0)[:, None] % 2, boxes], 1)
    grad_output = torch.rand(30, 3, 2, 2, generator=generator)
    leaf = maps.clone().requires_grad_()
    expected = compiled(leaf, rois, 2, 0.5, 0, 'avg', True)
    expected.backward(grad_output)
    output, grad_maps = roi_align(maps, rois, grad_output)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(grad_maps, leaf.grad)


@needs_lite
def test_python_sees_an_ordinary_module():
    extension = sys.modules[mmcv_ops.EXTENSION]
    assert importlib.util.find_spec(mmcv_ops.EXTENSION) is extension.__spec__
    assert importlib.import_module(mmcv_ops.EXTENSION) is extension
    assert not hasattr(extension, '__path__')


@needs_lite
def test_installing_twice_changes_nothing():
    extension = sys.modules[mmcv_ops.EXTENSION]
    assert mmcv_ops.install() is True
    assert sys.modules[mmcv_ops.EXTENSION] is extension


def test_a_loaded_real_extension_is_left_alone(monkeypatch):
    real = types.ModuleType(mmcv_ops.EXTENSION)
    monkeypatch.setitem(sys.modules, mmcv_ops.EXTENSION, real)
    assert mmcv_ops.install() is False
    assert sys.modules[mmcv_ops.EXTENSION] is real


def test_a_real_extension_on_the_path_is_left_alone(monkeypatch, tmp_path):
    import mmcv

    (tmp_path / '_ext.py').write_text('')
    monkeypatch.setattr(mmcv, '__path__', [*mmcv.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, mmcv_ops.EXTENSION)
    assert mmcv_ops.install() is False
    assert mmcv_ops.EXTENSION not in sys.modules


def test_all_of_mmdet_and_the_report_of_mmcv_work_in_a_new_process():
    code = (
        'import ssd_plugin, mmdet.models, mmdet.datasets, mmdet.evaluation, mmdet.visualization, mmdet.apis\n'
        'import mmcv.ops, mmcv.utils\n'
        'print(mmcv.utils.collect_env()["MMCV Compiler"])'
    )
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if LITE:
        assert done.stdout.splitlines()[-1] == 'n/a'
