"""The command-line tool, run in this process."""

import runpy
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest
from dirty_data import coco_content, config_of, edit_json, write_data
from mmengine.config import Config

TOOL = Path(__file__).parents[2] / 'tools' / 'fit_anchors.py'


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Any:
    def run(*arguments: Any) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        status = 0
        try:
            runpy.run_path(str(TOOL), run_name='__main__')
        except SystemExit as ended:
            status = int(ended.code or 0)
        return (status, *capsys.readouterr())

    return run


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """A small network, and data of 8 small objects on each image."""
    root = tmp_path / 'data'
    root.mkdir()
    write_data(root)
    boxes = [[4 * i + 1, 3 * i + 2, 3.5, 2] for i in range(8)]
    content = coco_content(['a', 'b'])
    content['annotations'] = [
        {'id': 8 * i + j + 1, 'image_id': i + 1, 'category_id': 7 + 2 * i, 'bbox': box, 'area': 7, 'iscrowd': 0}
        for i in range(2)
        for j, box in enumerate(boxes)
    ]
    edit_json(root / 'train.json', lambda old: old.update(content))
    config = config_of(root, 'coco')
    config.model = dict(
        type='ssd_plugin.SSD',
        input_size=128,
        backbone=dict(type='ResNet', depth=18, base_channels=4, out_indices=(1, 2)),
        neck=dict(type='ssd_plugin.SSDNeck', l2_norm_scale=None),
        bbox_head=dict(
            type='ssd_plugin.SSDHead',
            num_classes=2,
            anchor_generator=dict(type='ssd_plugin.SSDAnchorGenerator', basesize_ratio_range=(0.3, 0.9)),
        ),
    )
    path = tmp_path / 'config.py'
    config.dump(path)
    return path


def rows_of(out: str) -> dict[str, list[str]]:
    cells = [[cell.strip() for cell in line.split('|')[1:-1]] for line in out.splitlines() if line.startswith('|')]
    return {row[0]: row[1:] for row in cells}


def test_the_written_config_has_what_the_table_says(run: Any, config_file: Path) -> None:
    variant, picture = config_file.parent / 'new' / 'variant.py', config_file.parent / 'boxes.png'
    status, out, _ = run(config_file, '--write', variant, '--picture', picture)
    assert status == 0
    assert out.startswith('16 gt boxes of 2 images, at an input of 128x128\n')
    before = rows_of(out)
    assert before['all'][0] == '16'
    assert before['class cat'][0] == before['class dog'][0] == '8'
    assert float(before['all'][2]) > float(before['all'][1])
    assert f'{variant}: recall {before["all"][1]} -> {before["all"][2]} with as many default boxes' in out
    generator = Config.fromfile(variant).model.bbox_head.anchor_generator
    assert before['0'][2] == str(generator.min_sizes[0]) != before['0'][1]
    # A row of what is and one of what is proposed, a panel for each level.
    levels = sum(key.isdecimal() for key in before)
    assert cv2.imread(str(picture)).shape == (2 * (225 + 36 + 8) + 8, levels * 308 + 8, 3)
    _, out, _ = run(variant)
    assert rows_of(out)['all'][1] == before['all'][2]
    assert rows_of(out)['all'][4] == before['all'][5]
    assert run(config_file, '--write', variant)[::2] == (
        2,
        f'error: --write {variant}: expected the name of a new file that ends in .py\n',
    )


def test_nothing_is_written_without_a_gain(run: Any, config_file: Path) -> None:
    # As large as the last level's small square of 115 pixels, in its only cell.
    edit_json(
        config_file.parent / 'data' / 'train.json',
        lambda content: [one.update(bbox=[2.03, 1.52, 35.94, 26.95]) for one in content['annotations']],
    )
    variant = config_file.parent / 'variant.py'
    status, out, _ = run(config_file, '--write', variant)
    assert status == 0
    assert 'No better default boxes were found (recall 1.000), so nothing is written.' in out
    assert not variant.exists()


def test_mistakes_are_one_line(run: Any, config_file: Path) -> None:
    assert run(config_file, '--picture', 'boxes.gif')[::2] == (
        2,
        'error: --picture boxes.gif: expected a name that ends in .png or .jpg\n',
    )
    edit_json(config_file.parent / 'data' / 'train.json', lambda content: content.update(annotations=[]))
    status, _, err = run(config_file)
    assert status == 2
    assert 'no object of its classes to learn from' in err
    assert err.count('\n') == 1
