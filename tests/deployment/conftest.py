"""One narrow detector whose scores spread, and the files it was exported to."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from random_detector import write_detector, write_images

from ssd_plugin.cli.build_inferencer import build_inferencer
from ssd_plugin.deployment.export import describe
from ssd_plugin.deployment.formats import FORMATS
from ssd_plugin.deployment.gate import GateImages, image_files
from ssd_plugin.deployment.network import ExportableSSD


def spread_scores(model: Any) -> None:
    """Random weights score all classes alike; equal scores leave open which box is the better one."""
    generator = torch.Generator().manual_seed(1)
    for convs in model.bbox_head.cls_convs:
        weight = convs[-1].weight
        weight.data = torch.randn(weight.shape, generator=generator) * 0.05


@pytest.fixture(scope='package')
def detector(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Give the inferencer and the checkpoint."""
    config, checkpoint = write_detector(tmp_path_factory.mktemp('detector'))
    with warnings.catch_warnings():
        # mmdet's inferencer draws into files, and has no folder for the config's backend.
        warnings.filterwarnings('ignore', 'Failed to add')
        inferencer = build_inferencer(str(config), str(checkpoint), 'cpu', show_progress=False)
    spread_scores(inferencer.model)
    return inferencer, checkpoint


@pytest.fixture(scope='package')
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Give images of different sizes, none of them the network's."""
    return write_images(tmp_path_factory.mktemp('data') / 'images', 5)


@pytest.fixture
def images(detector: tuple[Any, Path], pictures: list[Path]) -> GateImages:
    return image_files(pictures, detector[0].pipeline)


@pytest.fixture(scope='package')
def export(detector: tuple[Any, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a file once, without the gate."""
    folder = tmp_path_factory.mktemp('exported')

    def written(form: str, nms: str = 'outside', preprocess: str = 'outside') -> Path:
        path = folder / f'{nms}-{preprocess}{FORMATS[form][0]}'
        if not path.exists():
            inferencer, checkpoint = detector
            network = ExportableSSD(inferencer.model, preprocess)
            metadata = describe(inferencer.model, network, inferencer.cfg, checkpoint, preprocess, nms)
            FORMATS[form][1](network, metadata, path)
        return path

    return written
