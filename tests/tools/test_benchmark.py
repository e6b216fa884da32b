"""The command finds the package of measurements that has its name, from wherever it is called."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / 'tools' / 'benchmark.py'


def test_an_unknown_part_is_one_line_with_those_there_are(tmp_path):
    command = [sys.executable, TOOL, '--only=loss,none']
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "error: --only has 'none', expected some of "
        'budget,pipeline,loss,predict,train,inference,deployment,memory,comparators,curves,table7'
    )
    assert not list(tmp_path.iterdir())
