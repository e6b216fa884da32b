"""The page that compares us with the authors names tests and files that are there, and every difference we declare."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / 'docs' / 'fidelity.md').read_text()


def test_named_tests_are_there():
    named = re.findall(r'`([\w/]+\.py)::(\w+)`', PAGE)
    assert len(named) > 60
    assert [
        f'{path}::{name}' for path, name in named if f'def {name}(' not in (ROOT / 'tests' / path).read_text()
    ] == []


def test_every_declared_difference_is_listed():
    listed = PAGE[PAGE.index('## What differs') :]
    package = ROOT / 'ssd_plugin'
    declared = [path for path in package.rglob('*.py') if 'Differs:' in path.read_text()]
    assert len(declared) >= 7
    assert [str(path) for path in declared if f'`{path.relative_to(package)}`' not in listed] == []


def test_sections_that_docstrings_name_are_on_the_page():
    text = ''.join(path.read_text() for path in (ROOT / 'ssd_plugin').rglob('*.py'))
    named = {
        number
        for group in re.findall(r'docs/fidelity\.md`*\s+sections? ([\d., and]*\d)', text)
        for number in re.findall(r'[\d.]*\d', group)
    }
    assert {'1.2', '3', '4', '7'} <= named
    assert [
        number
        for number in sorted(named)
        if not re.search(rf'^(## {re.escape(number)}\.|\| {re.escape(number)}) ', PAGE, re.M)
    ] == []
