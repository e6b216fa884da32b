from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from ssd_plugin.datasets.doctor.faults import LEFT_OUT, NOTED, REFUSED, SUSPECT, Fault
from ssd_plugin.datasets.doctor.pictures import contact_sheet, worst_cases

CELL = (480, 360)


def fault(behaviour: str, kind: str, path: Path = Path('a.png'), **more: object) -> Fault:
    return Fault(behaviour, kind, 'a.xml', 'object 1', 'a box', 'another', image=path, **more)  # type: ignore


def red(sheet: Image.Image) -> tuple:
    """The smallest box around what is red in the first image: x1, y1, x2, y2."""
    pixels = np.asarray(sheet).astype(int)[10 : 10 + CELL[1], 10 : 10 + CELL[0]]
    ys, xs = np.nonzero((pixels[..., 0] > 200) & (pixels[..., 1:].max(axis=2) < 60))
    return (xs.min(), ys.min(), xs.max(), ys.max()) if len(xs) else ()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((90, 120, 3), 128, np.uint8))
    return tmp_path / 'a.png'


def test_the_worst_of_each_kind_come_first() -> None:
    faults = [fault(NOTED, 'grey')] * 3 + [fault(SUSPECT, 'size')] * 2 + [fault(REFUSED, 'empty')] * 30
    hidden = Fault(REFUSED, 'list', 'list.txt', '', '', '')
    assert [one.kind for one in worst_cases([hidden, *faults])] == ['empty', 'size', 'empty', 'size'] + ['empty'] * 12
    assert [one.kind for one in worst_cases(faults[:4])] == ['size', 'grey', 'grey', 'grey']
    assert worst_cases([hidden]) == []


def test_a_box_is_drawn_where_it_lies(image: Path) -> None:
    sheet = contact_sheet([fault(LEFT_OUT, 'box', image, box=(30.0, 15.0, 60.0, 75.0))])
    assert red(sheet) == pytest.approx((120, 60, 240, 300), abs=2)


def test_an_image_makes_room_for_a_box_outside(image: Path) -> None:
    # The canvas is 240 pixels wide: the image takes its right half.
    sheet = contact_sheet([fault(LEFT_OUT, 'box', image, box=(-1e6, 0.0, -60.0, 45.0))])
    assert red(sheet) == pytest.approx((0, 0, 120, 90), abs=2)
    assert sheet.getpixel((10 + 239, 50)) == (40, 40, 40)
    assert sheet.getpixel((10 + 241, 50)) == (128, 128, 128)


def test_a_box_without_area_is_ringed(image: Path) -> None:
    x1, y1, x2, y2 = red(contact_sheet([fault(LEFT_OUT, 'box', image, box=(60.0, 45.0, 60.0, 45.0))]))
    assert (x2 - x1, y2 - y1) == pytest.approx((24, 24), abs=2)
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((240, 180), abs=2)


def test_a_box_turned_inside_out_is_drawn(image: Path) -> None:
    assert red(contact_sheet([fault(LEFT_OUT, 'box', image, box=(60.0, 75.0, 30.0, 15.0))])) == pytest.approx(
        (120, 60, 240, 300), abs=2
    )


def test_what_is_no_image_keeps_its_place(tmp_path: Path, image: Path) -> None:
    (tmp_path / 'empty.png').touch()
    missing = [fault(REFUSED, 'image', tmp_path / name) for name in ('empty.png', 'none.png')]
    sheet = contact_sheet([*missing, *[fault(REFUSED, 'image', image)] * 3])
    assert sheet.size == (4 * (CELL[0] + 10) + 10, 2 * (CELL[1] + 56 + 10) + 10)
    assert [sheet.getpixel((20 + 490 * i, 20))[0] for i in range(4)] == [40, 40, 128, 128]


def test_a_decompression_bomb_is_not_unpacked(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, 'imread')
    assert red(contact_sheet([fault(SUSPECT, 'image very large', image)])) == ()
