"""Find and run scripts: our tools, those that mmdet and other packages of OpenMMLab bring, and files."""

import importlib.util
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

from mmdet import datasets

from ssd_plugin.errors import UserError
from ssd_plugin.shipped_configs import configs_folder


class _ScriptPath(str):
    """Path of the script in ``sys.argv``, which makes worker processes import this package before the script.

    A worker that is not forked (Windows, macOS) unpickles ``sys.argv`` and then runs the script's file again, to know
    its functions. The class of what it unpickles is here, so that mmdet can be imported by then.
    """


def our_tools() -> list[str]:
    """List the names of our tools."""
    return sorted(path.stem for path in _tools_folder().glob('*.py'))


def find_script(name: str) -> Path:
    """Find the file of a script.

    Args:
        name: A file; or the name of a tool of ours, such as ``train``; or one that another package ships, such as
            ``mmdet/analysis_tools/analyze_logs.py``; of both the ending may be left out.

    Raises:
        UserError: There is none.
    """
    package, _, rest = name.partition('/')
    shipped = _tools_folder() / name if not rest else _shipped_by(package, rest)
    for path in (Path(name), shipped and shipped.with_suffix('.py')):
        if path and path.is_file():
            return path
    raise UserError(
        f'{name}: no such script, expected a file, one that mmdet ships (mmdet/test.py), '
        f'or one of {", ".join(our_tools())}'
    )


def run_script(path: Path, arguments: Sequence[str]) -> None:
    """Run a script as ``python PATH ARGUMENTS`` would, with mmdet importable whichever mmcv is installed.

    Args:
        path: Of the script.
        arguments: Its own.

    Raises:
        UserError: It imports a module that is not installed.
    """
    script = _ScriptPath(path)
    sys.argv = [script, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    datasets.get_loading_pipeline = _loading_pipeline
    try:
        runpy.run_path(script, run_name='__main__')
    except ModuleNotFoundError as error:
        raise UserError(f'{path}: Python finds no module {error.name}, expected it to be installed') from error


_mmdets_loading_pipeline = datasets.get_loading_pipeline


def _loading_pipeline(pipeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the steps that load; mmdet, which ``analyze_results.py`` asks for them, knows mmcv's loader alone."""
    steps = [dict(step) for step in pipeline]
    for step in steps:
        if step['type'] == 'ssd_plugin.LoadImage':
            step['type'] = 'LoadImageFromFile'
            # The config in a work folder has it; mmcv's loader does not know it.
            step.pop('quarantine', None)
    return _mmdets_loading_pipeline(steps)


def _tools_folder() -> Path:
    return configs_folder().parent / 'tools'


def _shipped_by(package: str, path: str) -> Optional[Path]:
    """Give the place of a script that a package of OpenMMLab brings; None where there is no such package."""
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0], '.mim', 'tools', path) if folders else None
