"""Scripts are found by path or name, and run as Python runs them with mmdet importable."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from mmdet import datasets
from mmengine.config import Config

from ssd_plugin.cli.scripts import find_script, our_tools, run_script
from ssd_plugin.errors import UserError

ROOT = Path(__file__).parents[2]
# Starts a worker that is not forked, with a function of its own; mmcv.ops wants compiled ops to be imported.
SCRIPT = """
import sys
from multiprocessing import get_context
from mmcv.ops import nms
import beside


def answer(number):
    print(number + beside.ONE, sys.argv[1:], nms.__name__, flush=True)


if __name__ == '__main__':
    worker = get_context('spawn').Process(target=answer, args=(1,))
    worker.start()
    worker.join()
    sys.exit(worker.exitcode)
"""


@pytest.fixture
def arguments(monkeypatch):
    """Whatever a run changes of the process is put back."""
    monkeypatch.setattr(sys, 'argv', sys.argv)
    monkeypatch.setattr(sys, 'path', [*sys.path])
    monkeypatch.setattr(datasets, 'get_loading_pipeline', datasets.get_loading_pipeline)


def script(tmp_path, text):
    (tmp_path / 'script.py').write_text(text)
    return tmp_path / 'script.py'


def test_tools_of_ours_go_by_their_names():
    assert {'train', 'test', 'infer', 'check_dataset'} <= set(our_tools())
    assert find_script('train') == find_script('train.py')
    # An editable install links to them.
    assert find_script('train').samefile(ROOT / 'tools' / 'train.py')


def test_scripts_of_mmdet_go_by_their_places():
    path = find_script('mmdet/analysis_tools/analyze_logs')
    assert path == find_script('mmdet/analysis_tools/analyze_logs.py')
    assert path.parts[-5:] == ('mmdet', '.mim', 'tools', 'analysis_tools', 'analyze_logs.py')


def test_a_file_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('train.py').touch()
    assert find_script('train.py') == Path('train.py')


@pytest.mark.parametrize(
    'name', ['nothing', 'mmdet/nothing.py', 'not_a_package/test.py', '/nothing.py', 'os/a', '..', '']
)
def test_a_script_that_is_nowhere_is_one_line(name):
    with pytest.raises(UserError, match=r'no such script, expected a file, .* or one of .*, train$'):
        find_script(name)


def test_a_script_runs_as_main_with_its_arguments(tmp_path, arguments, capsys):
    path = script(tmp_path, 'import sys\nprint(__name__, __file__, sys.argv, sys.path[0])')
    run_script(path, ['--a', 'b'])
    assert capsys.readouterr().out == f'__main__ {path} {[str(path), "--a", "b"]} {tmp_path}\n'


def test_a_missing_module_is_one_line(tmp_path, arguments):
    with pytest.raises(UserError, match=r'script\.py: Python finds no module not_there, expected it to be installed$'):
        run_script(script(tmp_path, 'import not_there.part'), [])


def test_mmdet_sees_which_of_our_steps_load(tmp_path, arguments):
    config = Config.fromfile(ROOT / 'configs' / 'shapes' / 'ssd300_r18_shapes.py')
    with pytest.raises(AssertionError, match='must include loading image'):
        datasets.get_loading_pipeline(config.train_pipeline)
    # As a run writes it into its work folder.
    config.train_pipeline[0].quarantine = 'quarantine.txt'
    run_script(script(tmp_path, ''), [])
    loading = datasets.get_loading_pipeline(config.train_pipeline)
    assert loading == [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', with_bbox=True)]


@pytest.mark.slow
def test_workers_that_are_not_forked_can_import_mmdet_too(tmp_path):
    path = script(tmp_path, SCRIPT)
    (tmp_path / 'beside.py').write_text('ONE = 1')
    command = [sys.executable, '-m', 'ssd_plugin', str(path), 'x']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "2 ['x'] nms\n"), done.stderr


def test_the_command_line_runs_what_it_names(tmp_path, arguments, capsys):
    path = script(tmp_path, 'import sys\nprint(sys.argv[1:])')
    sys.argv = ['ssd_plugin', str(path), '--help', 'x']
    runpy.run_module('ssd_plugin', run_name='__main__')
    assert capsys.readouterr().out == "['--help', 'x']\n"


def test_the_command_line_alone_is_its_help(arguments, capsys):
    sys.argv = ['ssd_plugin']
    with pytest.raises(SystemExit, match=r'^0$'):
        runpy.run_module('ssd_plugin', run_name='__main__')
    printed = capsys.readouterr().out
    assert printed.startswith('usage: python -m ssd_plugin [-h] [--debug] script ...')
    assert all(tool in printed for tool in our_tools())


def test_the_command_line_refuses_in_one_line(arguments, capsys):
    sys.argv = ['ssd_plugin', 'nothing']
    with pytest.raises(SystemExit, match=r'^2$'):
        runpy.run_module('ssd_plugin', run_name='__main__')
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith('error: nothing: no such script')
