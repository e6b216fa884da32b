"""Make the API reference: a page for every folder of the package with all of its modules, and a menu of them."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]


def rooms() -> dict[str, list[str]]:
    """List the modules of every folder of the package, both by their dotted names, parents first."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / 'ssd_plugin').rglob('*.py')):
        folder, *_ = path.relative_to(ROOT).parents
        if '.mim' in folder.parts:
            continue  # an editable install links tools and configs there
        modules = found.setdefault('.'.join(folder.parts), [])
        if path.stem != '__init__':
            modules.append('.'.join((*folder.parts, path.stem)))
    return dict(sorted(found.items()))


def page_of(room: str) -> str:
    """Name the page of a folder."""
    return f'reference/{room}.md'


def text_of(room: str, modules: list[str]) -> str:
    """Write the page of a folder: what its ``__init__`` says, then its modules."""
    head = f'# {room}\n\n::: {room}\n    options:\n      members: false\n      show_root_heading: false\n'
    return '\n'.join([head, *(f'::: {module}\n' for module in modules)])


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages at the end of the menu."""
    assert config.nav is not None
    config.nav.append({'API reference': [{room.removeprefix('ssd_plugin.'): page_of(room)} for room in rooms()]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for room, modules in rooms().items():
        files.append(File.generated(config, page_of(room), content=text_of(room, modules)))
    return files
