"""Make pages of the repository's files that pages link to, so that one relative link works on GitHub and in the site.

A page of ``docs/`` links to what lies outside of it as GitHub wants it: ``../configs/bccd``. Here every such target
becomes a page below ``repository/``: Markdown as it is, other files as code, folders as a list. README.md becomes the
home page. A link to what is not there stays as it is, and the strict build refuses it.
"""

import json
import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
LINK = re.compile(r'(?<=\]\()(?![a-z]+:|#|/)([^)\s#]+)')
LANGUAGES = {'.py': 'python', '.yml': 'yaml', '.toml': 'toml', '.sh': 'bash', '': 'text'}
NOT_LISTED = {'__pycache__', '__init__.py'}

places: dict[str, str] = {}  # page -> path in the repository of its text, for the pages made here


def page_of(path: str) -> str:
    """Name the page, or the file beside the pages, that shows a path of the repository."""
    if path == 'README.md':
        return 'index.md'
    if path.startswith('docs/'):
        return path.removeprefix('docs/')
    if (ROOT / path).is_dir():
        return f'repository/{path}/index.md'
    return f'repository/{path}' if path.endswith('.md') else f'repository/{path}.md'


def targets(text: str, place: str) -> set[str]:
    """Collect the paths of the repository that a text at ``place`` links to."""
    found = {posixpath.normpath(posixpath.join(posixpath.dirname(place), link)) for link in LINK.findall(text)}
    return {path for path in found if (ROOT / path).exists() and not path.startswith('..')}


def relink(text: str, place: str, page: str) -> str:
    """Lead the links of a text at ``place`` from its page to the pages of their targets."""

    def replace(match: re.Match) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(place), match[1]))
        if path.startswith('..') or not (ROOT / path).exists():
            return match[1]
        return os.path.relpath(page_of(path), posixpath.dirname(page) or '.')

    return LINK.sub(replace, text)


def text_of(path: str) -> str:
    """Write the Markdown that shows a file or folder of the repository."""
    source = ROOT / path
    if source.is_dir():
        names = sorted(entry.name for entry in source.iterdir() if entry.name not in NOT_LISTED)
        return f'# `{path}`\n\n' + ''.join(f'- [`{name}`]({source.name}/{name})\n' for name in names)
    text = source.read_text(encoding='utf-8')
    if path == 'README.md':
        return f'---\nhide: [navigation]\n---\n\n{text}'
    if source.suffix == '.md':
        return text
    if source.suffix == '.ipynb':
        return notebook(text)
    return f'# `{path}`\n\n~~~~~~{LANGUAGES[source.suffix]}\n{text}\n~~~~~~\n'


def notebook(text: str) -> str:
    """Write the cells of a notebook as Markdown."""
    cells = [(cell['cell_type'], ''.join(cell['source'])) for cell in json.loads(text)['cells']]
    return '\n\n'.join(source if kind == 'markdown' else f'```python\n{source}\n```' for kind, source in cells)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Make a page of all that the pages link to, and of what is linked from there."""
    places.clear()
    texts = {f'docs/{file.src_uri}': file.content_string for file in files.documentation_pages()}
    waiting = {'README.md'}.union(*(targets(text, place) for place, text in texts.items()))
    while waiting:
        path = waiting.pop()
        if path.startswith('docs/') or page_of(path) in places:
            continue
        text = text_of(path)
        places[page_of(path)] = path
        files.append(File.generated(config, page_of(path), content=text))
        if shows_links(path):
            waiting |= targets(text, path)
    return files


def shows_links(path: str) -> bool:
    """Tell whether the page of a path holds links; in code, what looks like one is none."""
    return path.endswith(('.md', '.ipynb')) or (ROOT / path).is_dir()


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead the links of a page to pages."""
    place = places.get(page.file.src_uri, f'docs/{page.file.src_uri}')
    return relink(markdown, place, page.file.src_uri) if shows_links(place) else markdown
