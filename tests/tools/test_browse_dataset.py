from pathlib import Path
from typing import Callable

import cv2
import pytest


def test_augmentations_of_an_image_stand_in_a_row(
    run_tool_on_shapes: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    run_tool_on_shapes('browse_dataset', '--out-dir', tmp_path / 'a', '--images', '2', '--repeat', '2')
    (page,) = (tmp_path / 'a').iterdir()
    height, width = cv2.imread(str(page)).shape[:2]
    assert page.name == 'train_001.png'
    assert 900 < width < 1100  # two columns of 480 dots
    assert 900 < height < 1200  # two rows, captions and legend
    assert capsys.readouterr().out.splitlines()[-1] == f'4 samples on 1 page: {tmp_path}/a/train_*.png'


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        (['--images', '0'], '--images is 0, expected at least 1'),
        (['--repeat', '-1'], '--repeat is -1, expected at least 1'),
        (['--seed', '-1'], '--seed is -1, expected a whole number from 0 to 4294967295'),
        (['--out-dir', __file__], f'--out-dir: {__file__} cannot be written to'),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], expected: str, run_tool_on_shapes: Callable[..., None], capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_tool_on_shapes('browse_dataset', *arguments)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f'error: {expected}')
