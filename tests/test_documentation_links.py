"""Every relative link of the Markdown pages leads to a file or folder, and to a heading where it names one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob('*.md'), *(ROOT / 'docs').rglob('*.md')])
LINK = re.compile(r'\]\((?![a-z]+:)([^)\s]+)\)')


def prose(page):
    """The text without its blocks of code, in which nothing is a link or a heading."""
    return re.sub(r'^( *```).*?^\1$', '', page.read_text(), flags=re.M | re.S)


def anchors(page):
    headings = re.findall(r'^#+ (.+)$', prose(page), re.M)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page(page):
    for link in LINK.findall(prose(page)):
        path, _, anchor = link.partition('#')
        target = page.parent / path if path else page
        assert target.exists(), f'{page.name}: {link}'
        assert ROOT in target.resolve().parents, f'{page.name}: {link}'
        assert not anchor or anchor in anchors(target), f'{page.name}: {link}'


def test_links_are_found():
    assert sum(len(LINK.findall(prose(page))) for page in PAGES) > 50
