import struct
import zlib
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from PIL import Image

from ssd_plugin.datasets.doctor.faults import NOTED, REFUSED, REPAIRED, SKIPPED, SUSPECT, Fault, ImageEntry
from ssd_plugin.datasets.doctor.images import check_head, check_image, in_training, shown_size

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


@pytest.mark.parametrize('ending', ['png', 'tiff'])
@pytest.mark.parametrize('pixels', [NOISE.astype(np.uint16), NOISE[..., 0].astype(np.uint16)])
def test_sixteen_bits_are_suspect(pixels: Any, ending: str, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / f'a.{ending}'), pixels)
    assert found(tmp_path / f'a.{ending}') == [(SUSPECT, 'image of 16 bits')]


@pytest.mark.parametrize('ending', ['gif', 'webp', 'png', 'tiff'])
def test_further_frames_are_noted(ending: str, tmp_path: Path) -> None:
    first, *others = (Image.fromarray(NOISE + shift) for shift in (0, 40, 90))
    first.save(tmp_path / f'a.{ending}', save_all=True, append_images=others, lossless=True)
    assert found(tmp_path / f'a.{ending}') == [(NOTED, 'image of several frames')]


def test_a_format_that_opencv_does_not_read_is_refused(tmp_path: Path) -> None:
    Image.fromarray(NOISE).save(tmp_path / 'a.ico', sizes=[(40, 30)])
    (fault,) = check_head(ImageEntry(tmp_path / 'a.ico', 40, 30, 1))
    assert fault.line() == (
        f'{tmp_path}/a.ico: ICO, which OpenCV does not read, expected a JPEG, PNG, BMP, WebP or TIFF file'
    )


@pytest.mark.parametrize(
    ('side', 'expected'), [(20_000, [(SUSPECT, 'image very large')]), (40_000, [(REFUSED, 'image too large')])]
)
def test_a_decompression_bomb_is_not_unpacked(
    side: int, expected: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    chunk = struct.pack('>I', 13) + b'IHDR' + header + struct.pack('>I', zlib.crc32(b'IHDR' + header))
    (tmp_path / 'a.png').write_bytes(b'\x89PNG\r\n\x1a\n' + chunk + struct.pack('>I', 10) + b'IDAT')
    monkeypatch.delattr(cv2, 'imread')
    monkeypatch.delattr(cv2, 'imdecode')
    limit = Image.MAX_IMAGE_PIXELS
    assert found(tmp_path / 'a.png', side, side) == expected
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize('value', [0, 9])
def test_an_orientation_that_is_none_is_upright(value: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    # As text: type 2 in place of 3, for whole numbers.
    forms = [exif.tobytes(), exif.tobytes().replace(b'\x01\x12\x00\x03', b'\x01\x12\x00\x02')]
    for form in forms:
        Image.fromarray(NOISE).save(tmp_path / 'a.jpg', exif=form)
        assert found(tmp_path / 'a.jpg') == []
        assert found(tmp_path / 'a.jpg', 30, 40) == [(REFUSED, 'image of another size')]


@pytest.mark.parametrize('error', [TypeError, KeyError, ZeroDivisionError, struct.error])
def test_whatever_stops_pillow_opencv_is_asked(
    error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), NOISE)
    (tmp_path / 'b.png').write_text('<html>')
    monkeypatch.setattr(Image, 'open', Mock(side_effect=error))
    assert found(tmp_path / 'a.png') == []
    assert shown_size(tmp_path / 'a.png') == (40, 30)
    assert found(tmp_path / 'b.png') == [(REFUSED, 'image unreadable')]


def test_images_spoilt_at_random_are_judged(tmp_path: Path) -> None:
    random, path = np.random.RandomState(0), tmp_path / 'a'
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ('jpeg', 'png', 'webp', 'tiff', 'gif'):
        Image.fromarray(NOISE).save(path, kind, **({} if kind == 'gif' else {'exif': exif}))
        data = bytearray(path.read_bytes())
        for _ in range(40):
            spoilt = data.copy()
            for place in random.randint(0, min(len(data), 300), 4):
                spoilt[place] = random.choice([0, 1, 255])
            path.write_bytes(spoilt)
            check = check_image(ImageEntry(path, 40, 30, 1))
            assert check.digest or check.faults
            size = shown_size(path)
            assert size is None or min(size) > 0


def test_what_training_makes_of_a_fault() -> None:
    behaviours = {(REFUSED, 'image missing'): SKIPPED, (REFUSED, 'image on its side'): REPAIRED}
    for (behaviour, kind), expected in {**behaviours, (SUSPECT, 'image of 16 bits'): SUSPECT}.items():
        assert in_training(Fault(behaviour, kind, 'a.jpg', '', '', '')).behaviour == expected


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
        (1, (20, 15), [(REFUSED, 'image of another size')]),
        (1, (30, 40), [(REFUSED, 'image of another size')]),
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
