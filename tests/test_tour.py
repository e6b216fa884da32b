"""The walk of docs/tour.md, command by command, on some of the photographs and with a shorter training."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / 'docs' / 'tour.md').read_text()
COMMANDS = [line for block in re.findall(r'^```bash\n([\s\S]*?)^```$', PAGE, re.M) for line in block.splitlines()]
# As many as a training of seconds takes.
IMAGES = {'train': 24, 'val': 8, 'test': 6}
EPOCHS = 4


@pytest.fixture
def walk(tmp_path):
    """Make a folder as a checkout has it, with a few of BCCD's images."""
    source = os.environ.get('BCCD_ROOT')
    if source is None:
        pytest.skip('BCCD_ROOT is not set: the walk is over photographs of BCCD')
    pytest.importorskip('nncf', reason='the walk ends in an INT8 file, which the extra "export" writes')
    for name in ('configs', 'examples', 'tools'):
        (tmp_path / name).symlink_to(ROOT / name)
    data = tmp_path / 'data' / 'BCCD'
    for folder in ('Annotations', 'JPEGImages', 'ImageSets/Main'):
        (data / folder).mkdir(parents=True)
    for part, count in IMAGES.items():
        names = Path(source, 'ImageSets', 'Main', f'{part}.txt').read_text().split()[:count]
        (data / 'ImageSets' / 'Main' / f'{part}.txt').write_text('\n'.join(names))
        for name in names:
            for folder, suffix in (('Annotations', 'xml'), ('JPEGImages', 'jpg')):
                (data / folder / f'{name}.{suffix}').symlink_to(Path(source, folder, f'{name}.{suffix}').resolve())
    return tmp_path


@pytest.mark.slow
def test_every_command_of_the_walk_runs(walk):
    assert len(COMMANDS) >= 10
    for number, command in enumerate(COMMANDS):
        words = shlex.split(re.sub(r'epoch_\d+\.pth', f'epoch_{EPOCHS}.pth', command))
        assert words[0] == 'python', command
        environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
        environment.pop('BCCD_ROOT')
        done = subprocess.run(
            [sys.executable, *words[1:]], cwd=walk, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f'{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}'
        config = walk / 'cells' / 'config.py'
        if number == 0:
            shortened, count = re.subn(r'^max_epochs = \d+$', f'max_epochs = {EPOCHS}', config.read_text(), flags=re.M)
            assert count == 1
            # After so few steps no score is worth more.
            config.write_text(f"{shortened}model['test_cfg'] = dict(score_thr=0.001)\n")
    # What the page says is there afterwards.
    for name in re.findall(r'`(cells/[\w./-]+\.(?:html|onnx|xml|csv|png|py))`', PAGE):
        assert (walk / name).stat().st_size > 0, name
