"""The command-line tool over a work folder, in this process; and the page in a browser."""

import json
import re
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from random_detector import CLASSES, write_detector
from rich import progress

from ssd_plugin.analysis.report import speed
from ssd_plugin.datasets.shapes.make_shapes import ShapesParameters, make_shapes

TOOL = Path(__file__).parents[2] / 'tools' / 'report.py'
PHONE = 390


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    folder = tmp_path_factory.mktemp('data') / 'shapes'
    make_shapes(folder, ShapesParameters(10, 96, 72))
    return folder


@pytest.fixture(scope='module')
def work(shapes, tmp_path_factory):
    """What a run leaves: the whole config, a checkpoint, a log."""
    folder = tmp_path_factory.mktemp('work') / 'run'
    (folder / '20260101_000000' / 'vis_data').mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SHAPES_ROOT', str(shapes))
        path, checkpoint = write_detector(folder.parent)
        config = Config.fromfile(path)
    config.val_dataloader.update(num_workers=0, persistent_workers=False)
    config.dump(folder / 'narrow.py')
    shutil.copy(checkpoint, folder / 'best_coco_bbox_mAP_epoch_1.pth')
    lines = [dict(loss=9 / step, loss_cls=5 / step, lr=0.001, epoch=1, step=step) for step in range(1, 9)]
    lines.append({'coco/bbox_mAP': 0.01, 'coco/bbox_mAP_50': 0.04, 'step': 1})
    (folder / '20260101_000000' / 'vis_data' / 'scalars.json').write_text(''.join(json.dumps(x) + '\n' for x in lines))
    return folder


def run(*arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        patch.setattr(progress, 'track', lambda steps, *_, **__: steps)
        patch.setattr(speed, '_SECONDS', 0)
        runpy.run_path(str(TOOL), run_name='__main__')


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}


@pytest.fixture(scope='module')
def page(work):
    before = contents(work)
    run(work)
    report = work / 'report.html'
    assert contents(work) == {**before, report: report.read_bytes()}
    return report.read_text()


def test_a_page_of_a_work_folder(page):
    assert 'SSD, ResNet-18' in page
    assert '8,732' in page
    assert 'best_coco_bbox_mAP_epoch_1.pth' in page
    assert re.search(r'ms an image \(quartiles .+ images one by one\)', page)
    assert len(page) < 4e6
    assert all(f'<th scope="row">{name}</th>' in page for name in CLASSES)


@pytest.mark.slow
def test_comparing_a_run_with_itself(work, tmp_path):
    run('--compare', work, work, '--out', tmp_path / 'both.html')
    page = (tmp_path / 'both.html').read_text()
    assert '<p>Not at all.</p>' in page
    assert 'Better in' not in page
    assert 'class="differs"' not in page


def test_mistakes_are_one_line(work, tmp_path, capsys):
    shutil.copy(work / 'narrow.py', tmp_path)
    for arguments, line in (
        ([tmp_path / 'nowhere'], 'nowhere: no such folder, expected the work folder of a training run'),
        ([tmp_path], 'no checkpoint in it yet, expected best_*.pth or one that last_checkpoint names'),
        ([tmp_path, '--score-thr', 2], '--score-thr is 2, expected a number from 0 to 1'),
        (['--compare', work, work, '--predictions', 'a.pkl'], '--predictions: of one run, expected no --compare'),
        ([work, '--cfg-options', 'val_dataloader.dataset.data_root=/nowhere'], '/nowhere does not exist'),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run(*arguments)
        assert ended.value.code == 2
        error = capsys.readouterr().err
        assert line in error
        assert error.count('error: ') == 1
        assert 'Traceback' not in error
    assert [path.name for path in tmp_path.iterdir()] == ['narrow.py']


@pytest.fixture
def browser():
    webdriver = pytest.importorskip('selenium.webdriver')
    places = [shutil.which(name) for name in ('chromium', 'chromedriver')]
    if None in places:
        pytest.skip('no chromium with its chromedriver')
    options = webdriver.ChromeOptions()
    options.binary_location = places[0]
    for argument in ('--headless=new', '--no-sandbox', '--disable-dev-shm-usage'):
        options.add_argument(argument)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    started = webdriver.Chrome(options, webdriver.ChromeService(places[1]))
    yield started
    started.quit()


@pytest.mark.slow
@pytest.mark.parametrize('width', [1280, PHONE])
def test_in_a_browser(width, page, work, browser):
    browser.execute_cdp_cmd(
        'Emulation.setDeviceMetricsOverride', dict(width=width, height=900, deviceScaleFactor=1, mobile=width == PHONE)
    )
    browser.get((work / 'report.html').as_uri())
    assert browser.get_log('browser') == []
    # Nothing sticks out; a page of a desktop may have a scroll bar.
    inner, whole = browser.execute_script(
        'const page = document.documentElement; return [page.clientWidth, page.scrollWidth]'
    )
    assert width - 20 < inner == whole <= width
    pictures = browser.execute_script(
        "return Promise.all([...document.images].map(i => { i.loading = 'eager'; return i.decode().then(() => "
        'i.naturalWidth) }))'
    )
    assert len(pictures) > 0
    assert min(pictures) > 0
    charts = browser.execute_script(
        "return [...document.querySelectorAll('.chart svg')].map(s => { const b = s.getBoundingClientRect(); return ["
        'b.width, b.height, parseFloat(getComputedStyle(s.querySelector("text")).fontSize) * b.width /'
        ' s.viewBox.baseVal.width] })'
    )
    assert len(charts) >= 6
    for wide, high, letters in charts:
        assert 250 < wide <= width
        assert high > 100
        assert letters > 9  # pixels
    loaded = browser.execute_script('return performance.getEntriesByType("resource").map(e => e.name)')
    assert [name for name in loaded if not name.startswith('data:')] == []
