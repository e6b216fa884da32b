"""The notebook runs from top to bottom, finds something, and is kept without outputs."""

import json
import os
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / 'examples' / 'first_steps.ipynb'
SHAPES = ('circle', 'square', 'triangle', 'star', 'ring', 'cross')


def test_it_is_kept_without_outputs():
    cells = json.loads(NOTEBOOK.read_text())['cells']
    code = [cell for cell in cells if cell['cell_type'] == 'code']
    assert len(code) > 5
    assert [cell['source'] for cell in code if cell['outputs'] or cell['execution_count']] == []


@pytest.mark.slow
def test_it_runs(tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv('TMPDIR', str(tmp_path))
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(NOTEBOOK.parents[1]), os.environ.get('PYTHONPATH', '')]))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=1800, resources=dict(metadata=dict(path=str(tmp_path)))).execute()
    outputs = [output for cell in notebook.cells if cell['cell_type'] == 'code' for output in cell['outputs']]
    text = ''.join(output.get('text', '') for output in outputs)
    assert 'Default boxes for an input of 160x120' in text
    assert any('image/png' in output.get('data', {}) for output in outputs)
    detections = [line for line in text.splitlines() if line.split()[:1] and line.split()[0] in SHAPES]
    assert len(detections) == 3
