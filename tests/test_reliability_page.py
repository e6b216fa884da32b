"""The page on reliability names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / 'docs' / 'reliability.md').read_text()


def test_named_tests_are_there():
    named = re.findall(r'`([\w/]+\.py)::(\w+)`', PAGE)
    assert len(named) > 150
    assert [
        f'{path}::{name}' for path, name in named if f'def {name}(' not in (ROOT / 'tests' / path).read_text()
    ] == []


def test_every_fault_has_a_test():
    tables = PAGE.partition('## Fuzz inputs')[0].splitlines()
    rows = [line for line in tables if line.startswith('| ') and not line.startswith(('| fault |', '| ---'))]
    assert len(rows) > 150
    assert [row for row in rows if '::' not in row] == []
