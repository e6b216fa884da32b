"""mmdet's own ways to predict from Python take our configs and checkpoints."""

from pathlib import Path

import pytest
from random_detector import CLASSES, write_detector, write_images

# mmdet's inferencer draws into files, and has no folder for the config's backend.
pytestmark = pytest.mark.filterwarnings('ignore:Failed to add:UserWarning')


@pytest.fixture(scope='module')
def detector(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return list(map(str, write_detector(tmp_path_factory.mktemp('detector'))))


@pytest.fixture(scope='module')
def images(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return list(map(str, write_images(tmp_path_factory.mktemp('data') / 'images', 2)))


def test_the_inferencer_and_the_functions_find_the_same(detector: list[str], images: list[str], tmp_path: Path) -> None:
    from mmdet.apis import DetInferencer, inference_detector, init_detector

    inferencer = DetInferencer(*detector, device='cpu', show_progress=False)
    found = inferencer(images, out_dir=str(tmp_path))['predictions']
    assert [len(one['labels']) for one in found] == [9, 9]
    assert (tmp_path / 'vis' / '000.jpg').is_file()

    model = init_detector(*detector, device='cpu')
    assert model.dataset_meta['classes'] == CLASSES
    samples = inference_detector(model, images)
    for one, sample in zip(found, samples):
        assert sample.pred_instances.labels.tolist() == one['labels']
        assert sample.pred_instances.scores.tolist() == pytest.approx(one['scores'], rel=1e-5)
        assert sample.pred_instances.bboxes.flatten().tolist() == pytest.approx(sum(one['bboxes'], []), abs=1e-3)
