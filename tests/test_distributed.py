"""Two processes on a CPU train together, also when one of them meets no object."""

import os
import socket

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

import ssd_plugin  # noqa: F401  a spawned process has no conftest

CONFIG = 'configs/shapes/ssd300_r18_shapes.py'
BOX = torch.tensor([[20.0, 30.0, 200.0, 180.0]])


def detector(config):
    register_all_modules()
    model = Config.fromfile(config).model.to_dict()
    model['backbone']['base_channels'] = 16
    torch.manual_seed(0)
    built = MODELS.build(model)
    built.train()
    return built


def backward(model, objects):
    sample = DetDataSample(metainfo=dict(img_shape=(300, 300)))
    sample.gt_instances = InstanceData(bboxes=BOX[:objects], labels=torch.zeros(objects, dtype=torch.int64))
    images = torch.randn((2, 3, 300, 300), generator=torch.Generator().manual_seed(objects))
    losses = model(images, [sample, sample], mode='loss')
    (losses['loss_cls'] + losses['loss_bbox']).backward()


def work(rank, config, port, out):
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    dist.init_process_group('gloo', rank=rank, world_size=2)
    model = detector(config)
    backward(MMDistributedDataParallel(model), objects=1 - rank)
    torch.save(model.bbox_head.cls_convs[0][0].weight.grad, f'{out}/{rank}.pt')
    dist.destroy_process_group()


@pytest.mark.slow
def test_gradients_are_the_mean_of_both_processes(tmp_path, request):
    config = str(request.config.rootpath / CONFIG)
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    mp.spawn(work, args=(config, port, str(tmp_path)), nprocs=2)
    first, second = (torch.load(tmp_path / f'{rank}.pt', weights_only=True) for rank in (0, 1))
    torch.testing.assert_close(first, second)
    # The process without objects adds zeros, and each normalises by its own positives: half the gradient remains.
    alone = detector(config)
    backward(alone, objects=1)
    torch.testing.assert_close(first, alone.bbox_head.cls_convs[0][0].weight.grad / 2, rtol=1e-3, atol=1e-4)
