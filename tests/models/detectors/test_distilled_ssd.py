"""The detector that learns from a teacher."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.structures import InstanceData
from torch import Tensor

from ssd_plugin.errors import UserError
from ssd_plugin.models import DistilledSSD


def plain(head: Any = None, mean: float = 0.0) -> dict[str, Any]:
    return dict(
        type='ssd_plugin.SSD',
        data_preprocessor=dict(type='DetDataPreprocessor', mean=[mean] * 3, std=[255] * 3),
        backbone=dict(type='MobileNetV2', widen_factor=0.25, out_indices=(2, 4)),
        bbox_head={'type': 'ssd_plugin.SSDHead', 'num_classes': 2, 'in_channels': None, **(head or {})},
        input_size=64,
        train_cfg=dict(assigner=dict(type='ssd_plugin.SSDAssigner')),
    )


@pytest.fixture(params=[{}, dict(loss_cls=dict(type='FocalLoss'))], ids=['softmax', 'sigmoid'])
def model(request: pytest.FixtureRequest) -> dict[str, Any]:
    return plain(head=request.param)


def write_teacher(folder: Path, config: dict[str, Any]) -> dict[str, str]:
    """Write the files of a teacher; gives the arguments that name them."""
    register_all_modules()
    torch.manual_seed(0)
    detector = MODELS.build(config)
    Config(dict(model=config)).dump(folder / 'teacher.py')
    torch.save(detector.state_dict(), folder / 'teacher.pth')
    return dict(teacher_config=str(folder / 'teacher.py'), teacher_ckpt=str(folder / 'teacher.pth'))


def build(config: dict[str, Any], **teacher: Any) -> DistilledSSD:
    return MODELS.build({**config, 'type': 'ssd_plugin.DistilledSSD', **teacher})


def batch() -> tuple[Tensor, list[DetDataSample]]:
    samples = []
    for _ in range(2):
        objects = InstanceData(bboxes=torch.tensor([[8.0, 8, 40, 40]]), labels=torch.tensor([1]))
        samples.append(DetDataSample(gt_instances=objects, metainfo=dict(img_shape=(64, 64))))
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)), samples


def test_the_teacher_pulls_the_student_to_itself(tmp_path: Path, model: dict[str, Any]) -> None:
    student = build(model, **write_teacher(tmp_path, model)).train()
    student.init_weights()
    images, samples = batch()
    optimiser = torch.optim.Adam(student.parameters(), 1e-2)
    taught = []
    for _ in range(5):
        losses = student.loss(images, samples)
        distilled = losses['loss_distill_cls'] + losses['loss_distill_bbox']
        optimiser.zero_grad()
        distilled.backward()
        optimiser.step()
        taught.append(distilled.item())
    assert taught[-1] < 0.9 * taught[0]


def test_a_student_equal_to_its_teacher_has_nothing_to_learn_from_it(tmp_path: Path, model: dict[str, Any]) -> None:
    files = write_teacher(tmp_path, model)
    student = build(model, **files)
    weights = torch.load(files['teacher_ckpt'], weights_only=True)
    student.load_state_dict(weights)
    images, samples = batch()
    losses = student.eval().loss(images, samples)  # batch normalisation as the teacher's
    assert losses['loss_distill_bbox'] == 0
    assert set(student.state_dict()) == set(weights)  # the teacher, which is there now, is no part of it
    losses['loss_distill_cls'].backward()
    gradients = [weight.grad.abs().max() for weight in student.parameters() if weight.grad is not None]
    assert max(gradients) < 1e-5
    assert {'loss_cls', 'loss_bbox'} < set(losses)


def test_the_weight_scales_both_parts(tmp_path: Path) -> None:
    files = write_teacher(tmp_path, plain())
    parts = []
    for weight in (1.0, 0.25):
        torch.manual_seed(3)
        student = build(plain(), **files, distill_weight=weight).eval()
        parts.append({name: value.item() for name, value in student.loss(*batch()).items()})
    assert parts[1]['loss_distill_cls'] == pytest.approx(parts[0]['loss_distill_cls'] / 4)
    assert parts[1]['loss_distill_bbox'] == pytest.approx(parts[0]['loss_distill_bbox'] / 4)
    assert parts[1]['loss_cls'] == parts[0]['loss_cls']


def test_checkpoints_and_prediction_know_nothing_of_the_teacher() -> None:
    register_all_modules()
    student = build(plain(), teacher_config='gone.py', teacher_ckpt='gone.pth').eval()
    assert set(student.state_dict()) == set(MODELS.build(plain()).state_dict())
    images, samples = batch()
    with torch.no_grad():
        assert len(student.predict(images, samples, rescale=False)) == 2


@pytest.mark.parametrize(
    ('teacher', 'line'),
    [
        (
            plain(head=dict(anchor_generator=dict(type='ssd_plugin.SSDAnchorGenerator', ratios=[[2, 3], [2, 3]]))),
            'default boxes',
        ),
        (plain(head=dict(num_classes=3)), r'classes or classification loss \(4 outputs, not 3\)'),
        (plain(head=dict(loss_cls=dict(type='FocalLoss'))), r'classes or classification loss \(2 outputs, not 3\)'),
        (plain(mean=100.0), 'mean or std'),
    ],
)
def test_a_teacher_that_does_not_fit_is_one_line(tmp_path: Path, teacher: dict[str, Any], line: str) -> None:
    student = build(plain(), **write_teacher(tmp_path, teacher))
    with pytest.raises(UserError, match=f'^model.teacher_config: a teacher of other {line}.*, expected those of the'):
        student.init_weights()


def test_missing_and_foreign_files_are_one_line(tmp_path: Path) -> None:
    files = write_teacher(tmp_path, plain())
    with pytest.raises(
        UserError, match=r'^model.teacher_config: .*gone.py, expected the config file of a trained SSD$'
    ):
        build(plain(), **{**files, 'teacher_config': tmp_path / 'gone.py'}).init_weights()
    torch.save({}, tmp_path / 'teacher.pth')
    with pytest.raises(UserError, match=r'^model.teacher_ckpt: .*teacher.pth, expected the weights of teacher_config'):
        build(plain(), **files).init_weights()
