from pathlib import Path

import pytest
import torch
from random_detector import CLASSES, ROOT, write_detector

from ssd_plugin.cli.build_inferencer import build_inferencer
from ssd_plugin.errors import UserError

# mmdet's inferencer draws into files, and has no folder for the config's backend.
pytestmark = pytest.mark.filterwarnings('ignore:Failed to add:UserWarning')


def test_the_model_has_the_weights_and_the_classes_of_the_checkpoint(tmp_path: Path) -> None:
    config, checkpoint = map(str, write_detector(tmp_path))
    plain = build_inferencer(config, checkpoint, 'cpu')
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    assert all(torch.equal(value, weights[name]) for name, value in plain.model.state_dict().items())
    assert plain.model.dataset_meta['classes'] == CLASSES
    fused = build_inferencer(config, checkpoint, 'cpu', fuse=True, show_progress=False)
    assert len(fused.model.state_dict()) < len(weights)
    assert not fused.show_progress


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    _, checkpoint = write_detector(tmp_path)
    with pytest.raises(UserError, match=r'narrow\.pth: does not fit the model of the config'):
        build_inferencer(str(ROOT / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'), str(checkpoint), 'cpu')
