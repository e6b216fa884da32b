"""Two processes on a CPU give the gradients of their whole batch on one."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.model import MMDistributedDataParallel
from mmengine.structures import InstanceData
from torch.nn.modules.batchnorm import _BatchNorm

import ssd_plugin  # noqa: F401  a spawned process has no conftest

CONFIG = Path(__file__).parents[2] / 'configs/shapes/ssd300_r18_shapes.py'
BOXES = torch.tensor([[20.0, 30.0, 200.0, 180.0], [150.0, 160.0, 290.0, 280.0], [5.0, 200.0, 60.0, 260.0]])
# Objects of the images: the second process has fewer, and the third batch has none at all.
BATCHES = {'both': [2, 3, 1, 0], 'first': [1, 3, 0, 0], 'none': [0, 0, 0, 0]}
SETTINGS = {'default': {}, 'floor_per_image': {'floor_per_image': True}}


def detector(setting):
    register_all_modules()
    model = Config.fromfile(CONFIG).model.to_dict()
    model['backbone']['base_channels'] = 8
    if setting:
        sampler = dict(type='ssd_plugin.HardNegativeSampler')
        model['train_cfg'] = dict(sampler=sampler, loss=dict(type='ssd_plugin.MultiBoxLoss', **setting))
    torch.manual_seed(0)
    built = MODELS.build(model)
    built.train()
    for module in built.modules():
        if isinstance(module, _BatchNorm):
            module.eval()  # its statistics are those of a process's images
    return built


def gradients(model, objects, first):
    samples = []
    for count in objects:
        sample = DetDataSample(metainfo=dict(img_shape=(300, 300)))
        sample.gt_instances = InstanceData(bboxes=BOXES[:count], labels=torch.arange(count))
        samples.append(sample)
    images = torch.randn((4, 3, 300, 300), generator=torch.Generator().manual_seed(1))[first : first + len(objects)]
    losses = model(images, samples, mode='loss')
    (losses['loss_cls'] + losses['loss_bbox']).backward()
    # DDP names the parameters of the module it holds.
    return {name.removeprefix('module.'): value.grad for name, value in model.named_parameters()}


def work(rank, out):
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'file://{out}/rendezvous', rank=rank, world_size=2)
    for name, setting in SETTINGS.items():
        for batch, objects in BATCHES.items():
            model = MMDistributedDataParallel(detector(setting))
            torch.save(gradients(model, objects[2 * rank :][:2], 2 * rank), f'{out}/{name}_{batch}_{rank}.pt')
    dist.destroy_process_group()


@pytest.mark.slow
def test_gradients_are_those_of_the_whole_batch(tmp_path):
    mp.spawn(work, args=(str(tmp_path),), nprocs=2)
    for name, setting in SETTINGS.items():
        for batch, objects in BATCHES.items():
            alone = gradients(detector(setting), objects, 0)
            for rank in (0, 1):
                found = torch.load(tmp_path / f'{name}_{batch}_{rank}.pt', weights_only=True)
                torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-6)
            assert any(gradient.any() for gradient in alone.values()) == (batch != 'none')
