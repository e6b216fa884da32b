from pathlib import Path

import pytest

from ssd_plugin.cli.config_file import load_config
from ssd_plugin.errors import UserError


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_config_is_read_with_its_bases_and_overrides(tmp_path: Path) -> None:
    write(tmp_path / 'base.py', "model = dict(type='SSD', depth=1)\ncustom_imports = dict(imports=['ssd_plugin'])\n")
    path = write(tmp_path / 'a.py', "_base_ = 'base.py'\nmodel = dict(depth=2)\n")
    assert load_config(path).model == {'type': 'SSD', 'depth': 2}
    assert load_config(str(path), {'model.depth': 3}).model.depth == 3


def test_the_input_size_changes_in_model_and_pipelines(tmp_path: Path) -> None:
    text = """
model = dict(type='SSD', input_size=300)
test_pipeline = [dict(type='Resize', scale=(300, 300))]
train_dataloader = dict(dataset=dict(pipeline=[dict(type='Resize', scale=(300, 300))]))
"""
    config = load_config(write(tmp_path / 'a.py', text), {'model.input_size': (400, 300)})
    assert config.model.input_size == (400, 300)
    assert config.test_pipeline[0].scale == config.train_dataloader.dataset.pipeline[0].scale == (400, 300)
    with pytest.raises(UserError, match=r"'wide', expected a side or \(width, height\), whole numbers"):
        load_config(tmp_path / 'a.py', {'model.input_size': 'wide'})


@pytest.mark.parametrize(
    ('text', 'line'),
    [
        ('model = dict(', 'not a readable config (SyntaxError: '),
        ('model = depth', "not a readable config (NameError: name 'depth' is not defined)"),
        ("_base_ = 'none.py'", 'not a readable config (FileNotFoundError: '),
        (
            "custom_imports = dict(imports=['no_such_module'])",
            "custom_imports: Failed to import no_such_module (No module named 'no_such_module')",
        ),
        (
            'custom_imports = 1',
            'custom_imports: 1, expected dict(imports=[...], allow_failed_imports=False) and names of',
        ),
        ("custom_imports = dict(imports=['a..b'])", "custom_imports: {'imports': ['a..b']}, expected dict(imports="),
        ("custom_imports = dict(import_='a')", "custom_imports: {'import_': 'a'}, expected dict(imports="),
    ],
)
def test_a_broken_config_is_one_line(text: str, line: str, tmp_path: Path) -> None:
    path = write(tmp_path / 'a.py', text)
    with pytest.raises(UserError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f'{path}: {line}')
    assert '\n' not in str(caught.value)


def test_a_missing_config_and_an_override_that_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'none\.py: no such config, expected a file$'):
        load_config(tmp_path / 'none.py')
    path = write(tmp_path / 'a.py', "work_dir = 'x'\n")
    with pytest.raises(UserError, match=r'a\.py: cannot be changed by work_dir\.here=1 \(\w+Error: '):
        load_config(path, {'work_dir.here': 1})


def test_keys_that_nothing_reads(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.py', "train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=2)\n")
    with pytest.raises(UserError, match=r'^--cfg-options max_epochs: .* train_cfg\.max_epochs$'):
        load_config(path, {'max_epochs': 1})
    write(path, 'train_dataloder = dict()\n')
    with pytest.raises(UserError, match=r'a\.py: train_dataloder is read by nothing, expected train_dataloader'):
        load_config(path)


def test_a_module_with_a_bug_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / 'has_a_bug.py', 'from os import no_such_name\n')
    monkeypatch.syspath_prepend(tmp_path)
    path = write(tmp_path / 'a.py', "custom_imports = dict(imports=['has_a_bug'])\n")
    with pytest.raises(ImportError, match='has_a_bug'):
        load_config(path)
