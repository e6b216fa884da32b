"""The commands, entries and names that the pages give are those that there are."""

import re
from pathlib import Path

import pytest
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]
TOOLS = {path.stem: path.read_text() for path in (ROOT / 'tools').glob('*.py')}
SHARED = ''.join(path.read_text() for path in (ROOT / 'ssd_plugin' / 'cli').glob('*.py'))
COMPARED = (ROOT / 'docs' / 'compare.md').read_text()
OURS = [row.split('|')[2] for row in COMPARED.partition('## What users file')[0].splitlines() if row.startswith('| ')]
FILED = re.findall(r'^\| \d+ \|.*\| (.*) \|$', COMPARED, re.M)
ENTRIES = [
    pytest.param(block, id=f'{page.stem}{number}')
    for page in PAGES
    if page.parent.name == 'howto'
    for number, block in enumerate(re.findall(r'^```python\n(_base_ = \'\.\./[\s\S]*?)^```$', page.read_text(), re.M))
]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tools_and_their_options(page):
    for name, arguments in re.findall(
        r'(?<![\w/])tools/((?!test_)\w+)\.py((?:[^`\n#]|(?<=[\w=])#)*)', page.read_text()
    ):
        assert name in TOOLS, name
        for option in re.findall(r'(?<=[\s\[])--[a-z][a-z0-9-]*', arguments):
            assert f"'{option}'" in TOOLS[name] + SHARED, f'tools/{name}.py {option}'


def test_commands_are_found():
    assert sum(len(re.findall(r'tools/\w+\.py ', page.read_text())) for page in PAGES) > 60


@pytest.mark.parametrize('entry', ENTRIES)
def test_an_entry_of_a_how_to_page_builds_a_detector(entry, tmp_path):
    register_all_modules()
    path = tmp_path / 'mine.py'
    path.write_text(entry.replace("'../", f"'{ROOT}/configs/"))
    config = Config.fromfile(path)
    assert MODELS.build(config.model).map_sizes


def test_entries_are_found():
    assert len(ENTRIES) == 4


def test_what_the_comparison_names_is_there():
    """Files, and the classes of the package, in our column and in our answers."""
    assert len(FILED) == 25
    names = set(re.findall(r'`([^`]+)`', ' '.join([*OURS, *FILED])))
    files = {
        path.name for folder in ('tools', 'configs', 'tests', 'ssd_plugin') for path in (ROOT / folder).rglob('*.py')
    }
    code = ''.join(path.read_text() for path in (ROOT / 'ssd_plugin').rglob('*.py'))
    for name in names:
        if '*' in name:
            assert list((ROOT / 'configs').rglob(name)), name
        elif name.endswith('/'):
            assert (ROOT / name).is_dir(), name
        elif file := re.match(r'(?:\w+/)*([\w-]+\.py)\b', name):
            assert file[1] in files, name
        elif re.fullmatch(r'(?:[A-Z]\w*){2,}', name) and name.isidentifier():
            assert re.search(rf"^class {name}\b|'{name}'", code, re.M), name  # or an environment variable


def test_every_yes_of_ours_names_where():
    rows = [cell for cell in OURS if cell.strip().startswith('yes')]
    assert len(rows) > 45
    without = [cell for cell in rows if not re.search(r'`|\]\(', cell)]
    assert without == []
