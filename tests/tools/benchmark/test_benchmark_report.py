import json

import pytest

from benchmark.report import BudgetRow, Report, Row, Table7Row, cells
from benchmark.timing import Figure

SLOW, FAST = Figure(200.4, 150, 1234.5), Figure(50, 0.1234, 99.96)


def test_less_time_and_more_images_are_better():
    assert Row('loss', 'SSD300', 'ms', ours=FAST, mmdet=SLOW).times() == pytest.approx(4.008)
    assert Row('pipeline', 'SSD300', 'images/s', ours=FAST, mmdet=SLOW).times() == pytest.approx(0.2495, abs=1e-4)
    assert Row('train', 'SSD300', 'ms', ours=SLOW, floor=FAST).of_floor() == pytest.approx(0.2495, abs=1e-4)
    assert Row('train', 'SSD300', 'ms', ours=SLOW).times() is None


def test_cells_of_a_row():
    row = Row('loss', 'SSD300, batch 32', 'ms', ours=FAST, mmdet=SLOW)
    assert cells(row) == (
        'loss', 'SSD300, batch 32', 'ms', '50 (0.123 to 100)', '200 (150 to 1234)', '4.01', '-', '-'
    )  # fmt: skip


@pytest.fixture
def report():
    return Report(
        environment={'CPU': 'some'},
        budget=[BudgetRow.share('loss of a step', 0.03, [1, 2, 9], [100]), BudgetRow.times('loss', 3, [2], [5])],
        rows=[Row('loss', 'a', 'ms', ours=FAST, floor=Figure(25, 25, 25))],
        table7=[Table7Row('SSD300 (published, Titan X)', 74.3, 46, 59, 8732, 300)],
    )


def test_markdown(report):
    assert report.markdown() == (
        '# Benchmark\n\n- CPU: some\n\n'
        '| budget | limit | measured | kept |\n'
        '| --- | --- | --- | --- |\n'
        '| loss of a step | at most 3% | 2.0% | yes |\n'
        '| loss | at least 3 | 2.50 | no |\n\n'
        'Medians with quartiles; above 1 times as good, ours is better.\n\n'
        '| part | case | unit | ours | mmdet | times as good | floor | of the floor |\n'
        '| --- | --- | --- | --- | --- | --- | --- | --- |\n'
        '| loss | a | ms | 50 (0.123 to 100) | - | - | 25 (25 to 25) | 50% |\n\n'
        '## Table 7 of the paper\n\n'
        '| method | mAP | FPS batch 1 | FPS batch 8 | boxes | input resolution |\n'
        '| --- | --- | --- | --- | --- | --- |\n'
        '| SSD300 (published, Titan X) | 74.3 | 46 | 59 | 8732 | 300 x 300 |\n'
    )


def test_both_files_are_written(report, tmp_path):
    report.write(tmp_path / 'new' / 'folder')
    assert (tmp_path / 'new' / 'folder' / 'results.md').read_text() == report.markdown()
    written = json.loads((tmp_path / 'new' / 'folder' / 'results.json').read_text())
    assert written['rows'][0]['ours'] == {'median': 50, 'low': 0.1234, 'high': 99.96}
    assert written['rows'][0]['of_floor'] == 0.5
    assert written['rows'][0]['times'] is None
    assert written['table7'][0]['boxes'] == 8732
    assert [row['kept'] for row in written['budget']] == [True, False]


def test_an_empty_report_has_the_environment_alone():
    assert Report({'CPU': 'some'}).markdown() == '# Benchmark\n\n- CPU: some\n'
