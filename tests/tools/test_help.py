"""Every tool shows in its help how it is called."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize('tool', sorted(path.name for path in (ROOT / 'tools').glob('*.py')))
def test_the_help_of_a_tool_has_an_example(
    tool: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys, 'argv', [tool, '--help'])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert re.search(rf'^(Example: |Examples:\n    )python tools/{tool} \S', shown, re.MULTILINE), shown
    assert '--debug' in shown


@pytest.mark.parametrize('script', sorted(path.name for path in (ROOT / 'tools').glob('*.sh')))
def test_the_help_of_a_script_has_an_example(script: str) -> None:
    command = ['bash', str(ROOT / 'tools' / script), '--help']
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.search(rf'^Example: (GPUS=8 )?tools/{script} \S', shown, re.MULTILINE), shown
    assert not shown.startswith('#')
