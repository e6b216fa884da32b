"""A small detector with random weights, and images for it."""

from pathlib import Path

import cv2
import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config

ROOT = Path(__file__).parents[1]
CLASSES = ('circle', 'square', 'triangle', 'star', 'ring', 'cross')


def write_detector(folder: Path) -> tuple[Path, Path]:
    """Write a config and a checkpoint that fits it."""
    register_all_modules()
    base = ROOT / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'
    config, checkpoint = folder / 'narrow.py', folder / 'narrow.pth'
    config.write_text(
        f"_base_ = '{base}'\nmodel = dict(backbone=dict(base_channels=8), test_cfg=dict(max_per_img=9))\n"
    )
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    torch.save({'state_dict': model.state_dict(), 'meta': {'dataset_meta': {'classes': CLASSES}}}, checkpoint)
    return config, checkpoint


def write_images(folder: Path, count: int) -> list[Path]:
    """Write coloured noise of different sizes, the files named in the order of their numbers."""
    folder.mkdir()
    random = np.random.RandomState(0)
    paths = [folder / f'{number:03d}.jpg' for number in range(count)]
    for path in paths:
        cv2.imwrite(str(path), random.randint(0, 256, (*random.randint(40, 99, 2), 3), dtype=np.uint8))
    return paths
