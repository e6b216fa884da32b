"""An error under the launcher is one line, whichever process meets it and when."""

import socket

import pytest

CONFIG = 'configs/shapes/ssd300_r18_shapes.py'
# What a process does: an error of its own of each process before they are connected, or of one of them while the others
# wait for it, or of the main process for all of them.
FAULTS = {
    'all before': 'raise UserError("x: 1, expected 2")',
    'one while others wait': """
join_processes(config)
if get_rank() == 1:
    raise UserError("x: 1, expected 2")
barrier()
""",
    'main process for all': """
def check(): raise UserError("x: 1, expected 2")
join_processes(config)
on_main_process(check)
""",
}
PROGRAM = """
from mmengine.config import Config
from mmengine.dist import barrier, get_rank
from ssd_plugin.cli.launch import join_processes, on_main_process
from ssd_plugin.cli.tool_main import run_tool
from ssd_plugin.errors import UserError

def main():
    config = Config(dict(launcher='pytorch'))
    {fault}

run_tool(main)
"""


@pytest.mark.slow
@pytest.mark.parametrize('fault', FAULTS)
def test_of_processes(fault, start, free_port, tmp_path):
    program = tmp_path / 'program.py'
    program.write_text(PROGRAM.format(fault=FAULTS[fault].strip().replace('\n', '\n    ')))
    arguments = ['--nproc_per_node=2', f'--master_port={free_port}', program]
    launcher = start('python', '-m', 'ssd_plugin.cli.torchrun', *arguments)
    errors = [line for line in launcher.communicate()[1].splitlines() if 'Warning' not in line and 'warn' not in line]
    assert errors == ['error: x: 1, expected 2']
    assert launcher.returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize('tool', ['dist_train', 'dist_test'])
def test_of_the_scripts(tool, start, free_port):
    checkpoint = [] if tool == 'dist_train' else ['none.pth']
    arguments = ['configs/none.py', *checkpoint, 2]
    launcher = start('env', f'PORT={free_port}', 'bash', f'tools/{tool}.sh', *arguments)
    assert launcher.communicate()[1] == 'error: configs/none.py: no such config, expected a file\n'
    assert launcher.returncode == 2


@pytest.mark.slow
def test_a_port_in_use(start):
    with socket.socket() as other:
        other.bind(('0.0.0.0', 0))
        other.listen()
        port = other.getsockname()[1]
        launcher = start('env', f'PORT={port}', 'bash', 'tools/dist_train.sh', CONFIG, 2)
        assert launcher.communicate()[1] == (
            f'error: port {port} is in use on this machine, expected a free one: set PORT (MASTER_PORT under Slurm)\n'
        )
        assert launcher.returncode == 2


@pytest.mark.slow
def test_a_killed_process_is_named(start, free_port, tmp_path):
    program = tmp_path / 'program.py'
    program.write_text('import os\nos.kill(os.getpid(), 9)\n')
    launcher = start('python', '-m', 'ssd_plugin.cli.torchrun', '--nproc_per_node=1', program)
    errors = launcher.communicate()[1]
    assert 'exitcode  : -9' in errors
    assert 'Traceback' not in errors
    assert launcher.returncode == 137
