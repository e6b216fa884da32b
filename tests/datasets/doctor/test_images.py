from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from ssd_plugin.datasets.doctor.faults import NOTED, REFUSED, SUSPECT, ImageEntry
from ssd_plugin.datasets.doctor.images import check_image

NOISE = np.random.RandomState(0).randint(0, 256, (30, 40, 3), dtype=np.uint8)


def found(path: Path, width: int = 40, height: int = 30) -> list[tuple[str, str]]:
    return [(fault.behaviour, fault.kind) for fault in check_image(ImageEntry(path, width, height, 1)).faults]


def test_sound_images_have_a_hash_of_their_content(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ('a.jpg', 'b.png', 'c.bmp', 'd.webp')]
    for path in paths:
        assert cv2.imwrite(str(path), NOISE)
        assert found(path) == []
    (tmp_path / 'e.jpg').write_bytes(paths[0].read_bytes())
    digests = [check_image(ImageEntry(path, None, None, 0)).digest for path in [*paths, tmp_path / 'e.jpg']]
    assert digests[0] == digests[4]
    assert len(set(digests)) == 4


@pytest.mark.parametrize('mode', ['L', 'LA', '1', 'RGBA', 'CMYK'])
def test_other_modes_are_noted(mode: str, tmp_path: Path) -> None:
    path = tmp_path / ('a.jpg' if mode == 'CMYK' else 'a.png')
    Image.fromarray(NOISE).convert(mode).save(path)
    assert found(path) == [(NOTED, f'image {mode}')]


@pytest.mark.parametrize('pixels', [NOISE.astype(np.uint16), NOISE[..., 0].astype(np.uint16)])
def test_sixteen_bits_are_suspect(pixels: Any, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), pixels)
    assert found(tmp_path / 'a.png') == [(SUSPECT, 'image of 16 bits')]


def test_another_format_than_the_ending_says_is_noted(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), NOISE)
    (tmp_path / 'a.png').rename(tmp_path / 'a.jpg')
    assert found(tmp_path / 'a.jpg') == [(NOTED, 'image of another format')]


@pytest.mark.parametrize('ending', ['jpg', 'png', 'webp'])
def test_a_cut_image_is_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f'a.{ending}'
    cv2.imwrite(str(path), NOISE)
    path.write_bytes(path.read_bytes()[:-200])
    assert [behaviour for behaviour, _ in found(path)] == [REFUSED]


def test_missing_empty_and_other_files_are_refused(tmp_path: Path) -> None:
    assert found(tmp_path / 'none.jpg') == [(REFUSED, 'image missing')]
    (tmp_path / 'a.jpg').touch()
    assert found(tmp_path / 'a.jpg') == [(REFUSED, 'image empty')]
    (tmp_path / 'b.jpg').write_text('<html>')
    assert found(tmp_path / 'b.jpg') == [(REFUSED, 'image unreadable')]


@pytest.mark.parametrize(
    ('orientation', 'size', 'expected'),
    [
        (1, (20, 15), [(SUSPECT, 'image of another size')]),
        (6, (40, 30), [(REFUSED, 'image on its side')]),
        (6, (30, 40), []),
        (3, (40, 30), [(SUSPECT, 'image turned by Exif')]),
    ],
)
def test_sizes_and_turns(orientation: int, size: tuple, expected: list, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(NOISE).save(tmp_path / 'a.jpg', exif=exif)
    assert found(tmp_path / 'a.jpg', *size) == expected
