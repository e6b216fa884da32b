from pathlib import Path

import cv2
import numpy as np
import pytest
from random_detector import write_images

from ssd_plugin.errors import UserError
from ssd_plugin.prediction.sources import Frame, Source, count_frames, find_sources, read_frames


def write_video(path: Path, frames: int, codec: str = 'mp4v') -> Path:
    """Frames of one grey value each: 0, 10, 20, ..."""
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 12.5, (64, 48))
    for number in range(frames):
        video.write(np.full((48, 64, 3), number * 10, np.uint8))
    video.release()
    return path


def read(*inputs: object, allow_url: bool = False) -> tuple[list[Frame], list[str]]:
    skipped: list[str] = []
    frames = list(read_frames(find_sources(map(str, inputs), allow_url), lambda error: skipped.append(str(error))))
    return frames, skipped


def test_images_and_videos_come_in_their_order(tmp_path: Path) -> None:
    first, second = write_images(tmp_path / 'images', 2)
    video = write_video(tmp_path / 'images' / '000a.avi', 5, 'MJPG')
    (tmp_path / 'list.txt').write_text(f'{second}\n\n{tmp_path}/images/*1.jpg\n')
    frames, skipped = read(tmp_path / 'images', tmp_path / 'list.txt')
    assert skipped == []
    assert [(frame.source.name, frame.number) for frame in frames] == [
        (str(first), None),
        *((str(video), number) for number in range(5)),
        *((str(second), None) for _ in range(3)),
    ]
    assert count_frames(find_sources([str(tmp_path / 'images')], False)) == 7
    shown = [frame for frame in frames if frame.number is not None]
    assert [round(float(frame.image.mean()) / 10) for frame in shown] == [0, 1, 2, 3, 4]
    assert {(frame.image.shape, frame.fps) for frame in shown} == {((48, 64, 3), 12.5)}


def test_what_cannot_be_read_is_skipped(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    (image,) = write_images(tmp_path / 'images', 1)
    whole = write_video(tmp_path / 'whole.avi', 20, 'MJPG').read_bytes()
    for name, content in (('text.mp4', b'<html>'), ('empty.mp4', b''), ('cut.avi', whole[: len(whole) * 3 // 4])):
        (tmp_path / name).write_bytes(content)
    write_video(tmp_path / 'no_frame.mp4', 0)
    names = ('text.mp4', 'empty.mp4', 'no_frame.mp4', 'cut.avi')
    frames, skipped = read(*(tmp_path / name for name in names), image)
    expected = 'no frame can be read, expected a video whose format OpenCV reads'
    assert skipped[:3] == [f'{tmp_path}/{name}: {expected}' for name in names[:3]]
    assert frames[-1].source.name == str(image)
    cut = len(frames) - 1
    assert 3 < cut < 18
    assert skipped[3:] == [f'{tmp_path}/cut.avi: ends after {cut} of 20 frames, expected a whole video']
    assert capfd.readouterr() == ('', '')


def test_a_camera_has_no_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    video = cv2.VideoCapture(str(write_video(tmp_path / 'a.mp4', 3)))
    monkeypatch.setattr(cv2, 'VideoCapture', lambda number: {1: video}[number])
    sources = find_sources(['webcam:1'], False)
    assert sources == [Source('webcam:1', Path('webcam1.mp4'))]
    assert count_frames(sources) is None
    frames, skipped = read('webcam:1')
    assert [frame.number for frame in frames] == [0, 1, 2]
    assert skipped == []
    assert read('webcam:1')[1] == ['webcam:1: no frame can be read, expected the number of a camera that is free']


def test_addresses_have_names_of_their_own() -> None:
    names = {
        'https://a.org/x/1.jpg': 'a.org/x/1.jpg',
        'http://a.org:80/1.png?id=3&s=/': 'a.org_80/id%3D3%26s%3D%2F-1.png',
        'https://a.org/1.mp4': 'a.org/1.mp4',
        'rtsp://me:secret@a.org:554/live': 'a.org_554/live.mp4',
    }
    found = find_sources(names, True)
    assert [str(source.place) for source in found] == list(names.values())
    assert [source.is_endless for source in found] == [False, False, True, True]


def test_an_image_at_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ssd_plugin.datasets.transforms import loading

    (image,) = write_images(tmp_path / 'images', 1)
    monkeypatch.setattr(loading, 'get', lambda path, **_: {'https://a.org/1.jpg': image.read_bytes()}[path])
    (frame,), _ = read('https://a.org/1.jpg', allow_url=True)
    assert np.array_equal(frame.image, cv2.imread(str(image)))


@pytest.mark.parametrize(
    ('name', 'line'),
    [
        ('https://a.org/1.jpg', 'https://a.org/1.jpg: an address, expected --allow-url with it, or a file'),
        ('rtsp://a.org/live', 'rtsp://a.org/live: an address, expected --allow-url with it, or a file'),
        ('webcam:', 'webcam:: expected the number of a camera, such as webcam:0'),
        ('webcam:one', 'webcam:one: expected the number of a camera, such as webcam:0'),
        ('none.mp4', 'none.mp4: no such file or folder, expected an image'),
        ('none.txt', 'none.txt: No such file or directory, expected a text file with an image or video on each line'),
    ],
)
def test_what_is_refused(name: str, line: str, tmp_path: Path) -> None:
    for inputs in ([name], [str(tmp_path / 'list.txt')]):
        (tmp_path / 'list.txt').write_text(name)
        if not name.endswith('.txt') or inputs == [name]:
            with pytest.raises(UserError) as refused:
                find_sources(inputs, False)
            assert str(refused.value) == line


def test_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / 'list.txt').write_text('\n')
    with pytest.raises(UserError, match=r'list\.txt: names nothing, expected an image or video on each line$'):
        find_sources([str(tmp_path / 'list.txt')], False)
