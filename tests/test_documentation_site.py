"""The site is built without a warning, shows every module of the package and fetches nothing from elsewhere."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    pytest.importorskip('mkdocstrings', reason="needs the extra: pip install -c requirements/constraints.txt '.[docs]'")
    folder = tmp_path_factory.mktemp('site')
    command = [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--site-dir', folder]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_every_module_of_the_package_is_in_the_reference(site):
    shown = {
        name
        for page in (site / 'reference').glob('*.html')
        for name in re.findall(r'id="?(ssd_plugin[\w.]*)', page.read_text())
    }
    modules = {
        '.'.join(path.relative_to(ROOT).with_suffix('').parts)
        for path in (ROOT / 'ssd_plugin').rglob('*.py')
        if path.stem != '__init__' and '.mim' not in path.parts
    }
    assert len(modules) > 100
    assert modules <= shown
    assert 'ssd_plugin.models.dense_heads.ssd_head.SSDHead.predict_by_feat' in shown


@pytest.mark.slow
def test_every_folder_of_the_package_is_in_the_menu(site):
    menu = set(re.findall(r'href="?reference/(ssd_plugin[\w.]*)\.html', (site / 'index.html').read_text()))
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / 'ssd_plugin').rglob('*.py')}
    assert menu == {'.'.join(folder.parts) for folder in folders if '.mim' not in folder.parts}


@pytest.mark.slow
def test_links_to_files_of_the_repository_lead_to_pages(site):
    page = (site / 'architecture.html').read_text()
    link = re.search(r'href="?(repository/ssd_plugin/box_ops\.py\.html)', page)
    assert 'def box_iou' in re.sub(r'<[^>]+>', '', unescape((site / link[1]).read_text()))
    assert '>ssd_plugin<' in (site / 'index.html').read_text()  # README.md


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(site):
    fetched = re.compile(
        r'<(?:script|img|iframe|source)[^>]+src="?(?:https?:)?//|<link[^>]+rel="?(?:stylesheet|preconnect|icon)"?[^>]+//'
    )
    pages = list(site.rglob('*.html'))
    assert len(pages) > 40
    assert [page for page in pages if fetched.search(page.read_text())] == []
