"""Files of results, written from a detector that draws and finds what it is told."""

import csv
import io
import json
import resource
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional

import cv2
import numpy as np
import pytest
import torch
from mmdet.apis import DetInferencer
from mmengine.config import Config
from mmengine.structures import InstanceData
from pycocotools.coco import COCO

from ssd_plugin.cli.result_files import result_files
from ssd_plugin.errors import UserError
from ssd_plugin.prediction.result_writers import draw_frame, video_file
from ssd_plugin.prediction.sources import Frame, Source
from ssd_plugin.prediction.writers import open_writers

META = {'classes': ('cat', 'dog'), 'palette': [(255, 0, 0), (0, 0, 255)]}
FOUND = InstanceData(
    bboxes=torch.tensor([[10.0, 12, 30, 36], [40, 8, 60, 28]]),
    scores=torch.tensor([0.75, 0.25]),
    labels=torch.tensor([1, 0]),
)
NOTHING = InstanceData(bboxes=torch.empty(0, 4), scores=torch.empty(0), labels=torch.empty(0, dtype=torch.int64))


class Inferencer:
    """What writing needs of a DetInferencer; draws images white.

    Args:
        test_set: Settings of its test data.
    """

    pred2dict = DetInferencer.pred2dict

    def __init__(self, test_set: Optional[dict] = None) -> None:
        self.model = SimpleNamespace(dataset_meta=META)
        self.cfg = Config(
            dict(test_dataloader=dict(dataset=test_set or dict(type='CocoDataset', ann_file='none.json')))
        )

    def visualize(self, images: list, samples: list, **_: Any) -> list:
        return [np.full_like(image, 255) for image in images]


def sources(folder: Path, *names: str) -> list[Source]:
    return [Source(str(folder / name), folder / name) for name in names]


def frames(source: Source, count: int, size: tuple[int, int] = (64, 48)) -> list[Frame]:
    image = np.zeros((*size[::-1], 3), np.uint8)
    return [Frame(source, image, number, 12.5) for number in range(count)]


def write(folder: Path, shown: list[tuple[Frame, InstanceData]], *, draw: bool = True, test_set: Any = None) -> Path:
    places = {frame.source.place: frame.source for frame, _ in shown}
    files = {places[place]: found for place, found in result_files(places, folder / 'out').items()}
    tables = folder / 'tables' / 'a.json', folder / 'tables' / 'a.csv'
    with open_writers(files, Inferencer(test_set), 0.3, draw, *tables) as add:
        for frame, found in shown:
            add(frame, found)
    return folder / 'out'


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


def test_each_video_has_its_frames_size_and_rate(tmp_path: Path) -> None:
    first, image, second = sources(tmp_path, 'a.avi', 'b.png', 'c.mov')
    shown = [(frame, FOUND) for frame in frames(first, 5)]
    shown += [(Frame(image, np.zeros((20, 30, 3), np.uint8)), NOTHING)]
    shown += [(frame, NOTHING) for frame in frames(second, 3, (96, 32))]
    out = write(tmp_path, shown)
    assert files(out) == ['preds/a.json', 'preds/b.json', 'preds/c.json', 'vis/a.mp4', 'vis/b.png', 'vis/c.mp4']
    for name, count, size in (('a', 5, (64.0, 48.0)), ('c', 3, (96.0, 32.0))):
        video = cv2.VideoCapture(str(out / 'vis' / f'{name}.mp4'))
        assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == size
        assert video.get(cv2.CAP_PROP_FPS) == 12.5
        assert [video.read()[0] for _ in range(count + 1)] == [True] * count + [False]
        assert len(json.loads((out / 'preds' / f'{name}.json').read_text())) == count
    lines = (out / 'preds' / 'a.json').read_text().splitlines()
    assert len(lines) == 7
    assert json.loads(lines[3].rstrip(',')) == {
        'bboxes': [[10.0, 12.0, 30.0, 36.0], [40.0, 8.0, 60.0, 28.0]],
        'scores': [0.75, 0.25],
        'labels': [1, 0],
    }
    assert cv2.imread(str(out / 'vis' / 'b.png')).tolist() == np.full((20, 30, 3), 255).tolist()


def test_without_drawings(tmp_path: Path) -> None:
    video, image = sources(tmp_path, 'a.avi', 'b.jpg')
    shown = [*((frame, FOUND) for frame in frames(video, 2)), (Frame(image, np.zeros((9, 9, 3), np.uint8)), FOUND)]
    assert files(write(tmp_path, shown, draw=False)) == ['preds/a.json', 'preds/b.json']


def test_a_frame_shows_what_scores_more_in_the_colour_of_its_class() -> None:
    image = np.full((48, 64, 3), 9, np.uint8)
    drawn = draw_frame(image, FOUND, 0.3, META)
    assert (image == 9).all()
    assert drawn[36, 20].tolist() == drawn[24, 30].tolist() == [255, 0, 0]  # blue, of the dog
    assert drawn[28, 50].tolist() == drawn[24, 20].tolist() == [9, 9, 9]
    assert draw_frame(image, FOUND, 0.2, META)[28, 50].tolist() == [0, 0, 255]
    assert np.array_equal(draw_frame(image, NOTHING, 0.3, META), image)


def test_tables_of_images_and_frames(tmp_path: Path) -> None:
    video, image = sources(tmp_path, 'a.avi', 'b, c.jpg')
    write(
        tmp_path,
        [*((frame, FOUND) for frame in frames(video, 2)), (Frame(image, np.zeros((20, 30, 3), np.uint8)), FOUND)],
    )
    with redirect_stdout(io.StringIO()):
        coco = COCO(str(tmp_path / 'tables' / 'a.json'))
    assert [coco.cats[number]['name'] for number in (1, 2)] == ['cat', 'dog']
    assert list(coco.imgs.values()) == [
        {'id': 1, 'file_name': video.name, 'frame': 0, 'width': 64, 'height': 48},
        {'id': 2, 'file_name': video.name, 'frame': 1, 'width': 64, 'height': 48},
        {'id': 3, 'file_name': image.name, 'width': 30, 'height': 20},
    ]
    assert [annotation['image_id'] for annotation in coco.anns.values()] == [1, 2, 3]
    box = {'category_id': 2, 'bbox': [10, 12, 20, 24], 'area': 480, 'score': 0.75, 'iscrowd': 0}
    assert coco.anns[3] == {'id': 3, 'image_id': 3, **box}
    with (tmp_path / 'tables' / 'a.csv').open() as file:
        assert list(csv.reader(file)) == [
            ['file', 'frame', 'class', 'score', 'x1', 'y1', 'x2', 'y2'],
            [video.name, '0', 'dog', '0.7500', '10.00', '12.00', '30.00', '36.00'],
            [video.name, '1', 'dog', '0.7500', '10.00', '12.00', '30.00', '36.00'],
            [image.name, '', 'dog', '0.7500', '10.00', '12.00', '30.00', '36.00'],
        ]


def test_images_of_the_test_set_keep_its_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    annotations = {
        'images': [{'id': 70, 'file_name': 'x.jpg', 'width': 30, 'height': 20}, {'id': 71, 'file_name': 'y.jpg'}],
        'categories': [{'id': 17, 'name': 'dog'}, {'id': 4, 'name': 'cow'}, {'id': 9, 'name': 'cat'}],
        'annotations': [],
    }
    (tmp_path / 'test.json').write_text(json.dumps(annotations))
    test_set = dict(type='CocoDataset', data_root=str(tmp_path), ann_file='test.json', data_prefix=dict(img='images/'))
    monkeypatch.chdir(tmp_path)
    shown = [(Frame(source, np.zeros((20, 30, 3), np.uint8)), FOUND) for source in sources(Path('images'), 'x.jpg')]
    write(tmp_path, shown, test_set=test_set)
    written = json.loads((tmp_path / 'tables' / 'a.json').read_text())
    # All of them: results are for rating.
    assert written == [
        {'image_id': 70, 'category_id': 17, 'bbox': [10, 12, 20, 24], 'score': 0.75},
        {'image_id': 70, 'category_id': 9, 'bbox': [40, 8, 20, 20], 'score': 0.25},
    ]
    with redirect_stdout(io.StringIO()):
        assert len(COCO('test.json').loadRes('tables/a.json').anns) == 2
    # Another image among them has no number there.
    (other,) = sources(tmp_path, 'other.jpg')
    write(tmp_path, [*shown, (Frame(other, np.zeros((20, 30, 3), np.uint8)), NOTHING)], test_set=test_set)
    written = json.loads((tmp_path / 'tables' / 'a.json').read_text())
    assert [image['file_name'] for image in written['images']] == ['images/x.jpg', other.name]


@pytest.mark.parametrize('shown', [0, 1])
def test_tables_of_nothing_are_whole(shown: int, tmp_path: Path) -> None:
    (image,) = sources(tmp_path, 'a.jpg')
    frame = Frame(image, np.zeros((20, 30, 3), np.uint8))
    with open_writers(
        dict(zip([image], result_files([image.place], tmp_path).values())),
        Inferencer(),
        0.3,
        False,
        tmp_path / 'a.json',
        None,
    ) as add:
        for _ in range(shown):
            add(frame, NOTHING)
    written = json.loads((tmp_path / 'a.json').read_text())
    assert (len(written['images']), written['annotations']) == (shown, [])


@pytest.mark.parametrize('size', [2000, 9000])
def test_a_video_on_a_full_disk(size: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8)

    def write_noise() -> None:
        with video_file(tmp_path / 'a.mp4', 12.5, 64, 48) as add:
            for _ in range(30):
                add(noise)

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(UserError, match=r'a\.mp4: 0 of 30 frames could be written, expected room on the disk$'):
            write_noise()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(tmp_path) == []


def test_a_video_that_opencv_does_not_write(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    (video,) = sources(tmp_path, 'a.avi')
    line = r'vis/a\.mp4: OpenCV writes no video of 1 x 1 pixels and 12\.5 frames a second, expected --no-save-vis, or'
    with pytest.raises(UserError, match=line):
        write(tmp_path, [(frame, NOTHING) for frame in frames(video, 1, (1, 1))])
    assert files(tmp_path) == []
    assert capfd.readouterr() == ('', '')
