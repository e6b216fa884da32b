import re
from pathlib import Path

import pytest

from ssd_plugin.analysis.paper_rows import find_row, paper_rows, rows_table
from ssd_plugin.errors import UserError

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
PAGE = (ROOT / 'docs' / 'reproduce.md').read_text()


def test_every_config_of_the_paper_is_a_row():
    configs = [path for folder in ('ssd', 'ablation') for path in (CONFIGS / folder).glob('*.py')]
    assert sorted(paper_rows()) == sorted(path.stem for path in configs)
    assert all(row.config.is_file() and row.config.stem == name for name, row in paper_rows().items())


@pytest.mark.parametrize(
    ('name', 'line', 'published'),
    [
        ('ssd300_vgg16_voc0712', 'Table 6, SSD300* 07+12', 'VOC2007 test: mAP 77.2'),
        ('ssd512_vgg16_voc0712pp-coco_no-expand', 'Table 4, SSD512 07++12+COCO', 'VOC2012 test: mAP 80.0'),
        (
            'ssd300_vgg16_coco-trainval35k_no-expand',
            'Table 5, SSD300 trainval35k',
            'COCO test-dev2015: box AP 23.2, AP50 41.2, AP75 23.4',
        ),
        ('ssd300_vgg16_ilsvrc-det_no-expand', 'Section 3.5, SSD300', 'ILSVRC DET val2: mAP 43.4'),
        ('table3_sources-1_no-boundary', 'Table 3, 1 layer, no boundary boxes', 'VOC2007 test: mAP 64.0'),
        ('ssd300_vgg16_coco', '', ''),
    ],
)
def test_published_figures(name, line, published):
    row = find_row(name)
    assert row.line == line
    assert row.describe_published() == published


def test_how_many_lines_of_each_table_there_are():
    lines = [row.line.split(',')[0] for row in paper_rows().values() if row.line]
    counts = {table: lines.count(table) for table in set(lines)}
    assert counts == {
        'Table 1': 6,
        'Table 2': 5,
        'Table 3': 12,
        'Table 4': 4,
        'Table 5': 2,
        'Table 6': 10,
        'Section 3.5': 1,
    }


def test_the_list_says_what_a_row_needs():
    rows = {cells[0]: cells for cells in rows_table()}
    assert rows['ssd512_vgg16_voc0712-coco'] == [
        'ssd512_vgg16_voc0712-coco',
        'Table 6',
        'mAP 83.2',
        'VOC 07+12',
        'ssd512_vgg16_coco',
        '3.84 M',
    ]


def test_an_unknown_row_names_the_closest():
    with pytest.raises(UserError, match=r'^ssd300_voc0712: no row of the paper, expected one such as ssd300_vgg16_voc'):
        find_row('ssd300_voc0712')


def test_hours_on_the_page_are_images_over_the_rates_there():
    sources = PAGE.partition('What they stand on')[2].partition('Newer GPUs')[0]
    rates = [[float(rate) for rate in found] for found in re.findall(r'\| ([\d.]+) \| ([\d.]+) \|$', sources, re.M)]
    assert len(rates) == 2
    listed = re.findall(r'^\| SSD(\d+) \| ([\d,]+) \| ([\d.]+) M \| (\d+) to (\d+) \|$', PAGE, re.M)
    for size, iterations, images, fewest, most in listed:
        seen = int(iterations.replace(',', '')) * 32
        assert float(images) == round(seen / 1e6, 2)
        hours = [round(seen / source[size == '512'] / 3600) for source in rates]
        assert [int(fewest), int(most)] == sorted(hours)
    lengths = {('512' if '512' in row.name else '300', f'{row.iterations:,}') for row in paper_rows().values()}
    assert lengths == {(size, iterations) for size, iterations, *_ in listed}
