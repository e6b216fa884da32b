"""Ctrl-C, SIGTERM and kill -9 through the real tools: one line, what is saved, and no process left."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# No checkpoint but by a signal.
TEXT = """
_base_ = '{config}'
model = dict(backbone=dict(base_channels=16))
train_cfg = dict(max_epochs=99, val_interval=99)
train_dataloader = dict(batch_size=4)
default_hooks = dict(checkpoint=dict(interval=99), logger=dict(interval=1))
"""


def main(folder: Path) -> None:
    from forked_tools import CONFIG, Tool, make_shapes, train, until

    def training(tool: Tool) -> bool:
        return until(lambda: tool.output.exists() and 'Epoch(train)' in tool.output.read_text())

    def listens(tool: Tool) -> bool:
        status = Path(f'/proc/{tool.pid}/status')
        return until(lambda: int(re.search(r'SigCgt:\s*(\w+)', status.read_text())[1], 16) >> (signal.SIGTERM - 1) & 1)

    def report(name: str, tool: Tool) -> None:
        status, last = tool.wait(), next(iter(tool.lines()[::-1]), '')
        gone = until(lambda: not tool.alive_in_group())
        print('result', name, status, gone, 'Traceback' in tool.output.read_text(), last, sep='; ', flush=True)

    make_shapes(folder / 'shapes')
    config, work = folder / 'c.py', folder / 'work'
    config.write_text(TEXT.format(config=CONFIG))
    tool = train(config, work)
    assert training(tool), tool.lines()
    second = train(config, work, '--resume', log='2')
    report('second run', second)
    tool.kill(signal.SIGTERM, group=True)
    report('scheduler', tool)
    again = train(config, work)
    report('again', again)
    tool = train(config, work, '--resume')
    assert training(tool), tool.lines()
    tool.kill(signal.SIGINT, group=True)
    report('ctrl-c', tool)
    print('resumed', any('interrupted.pth' in line for line in tool.lines()[:-1]), flush=True)
    tool = train(config, work, '--resume')
    assert training(tool), tool.lines()
    tool.kill(signal.SIGKILL)
    report('kill -9', tool)
    checkpoint, image = work / 'interrupted.pth', next((folder / 'shapes' / 'JPEGImages').iterdir())
    others = {
        'test': [config, checkpoint, '--work-dir', folder / 'test'],
        'infer': [config, checkpoint, image, '--out-dir', folder / 'out'],
        'check_dataset': [config],
        'make_shapes': [folder / 'more', '--images', 9999, '--workers', 2],
    }
    for name, arguments in others.items():
        tool = Tool(name, *arguments, output=folder / f'{name}.txt')
        assert listens(tool)
        tool.kill(signal.SIGINT, group=True)
        report(name, tool)


@pytest.mark.slow
def test_signals_end_the_tools_with_one_line(tmp_path):
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)}
    command = [sys.executable, __file__, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split('; ', 5)[1:] for line in done.stdout.splitlines() if line.startswith('result')]
    expected = {
        'second run': (
            '2',
            rf'error: {tmp_path}/work: another run is writing there \(process \d+ on .+\), expected .+',
        ),
        'scheduler': ('143', rf'stopped by SIGTERM after iteration \d+: {tmp_path}/work/interrupted.pth is saved, .+'),
        'again': ('2', rf'error: {tmp_path}/work: last_checkpoint of another run is there, expected --resume .+'),
        'ctrl-c': ('130', rf'stopped by SIGINT after iteration \d+: {tmp_path}/work/interrupted.pth is saved, .+'),
        'kill -9': ('-9', '.*'),
        **dict.fromkeys(('test', 'infer', 'check_dataset', 'make_shapes'), ('130', 'stopped by SIGINT')),
    }
    assert [row[0] for row in rows] == list(expected), done.stdout
    for (name, status, gone, traceback, line), (wanted, pattern) in zip(rows, expected.values()):
        assert (status, gone, traceback) == (wanted, 'True', 'False'), name
        assert re.fullmatch(pattern, line), line
    assert 'resumed True' in done.stdout


if __name__ == '__main__':
    main(Path(sys.argv[1]))
