from pathlib import Path

import mmengine
import pytest
from mmengine.fileio.io import file_handlers

from ssd_plugin.engine import data_file_safety
from ssd_plugin.errors import UserError


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix, handler in dict(file_handlers).items():
        monkeypatch.setitem(file_handlers, suffix, handler)  # put back afterwards
    data_file_safety.install()
    data_file_safety.install()


@pytest.mark.parametrize('suffix', ['pkl', 'pickle'])
def test_pickles_are_written_and_not_read(suffix: str, tmp_path: Path) -> None:
    file = str(tmp_path / f'results.{suffix}')
    mmengine.dump([1], file)
    for name in (file, Path(file)):
        with pytest.raises(UserError, match='a pickle, which could run code, is not read, expected JSON or XML'):
            mmengine.load(name)


def test_yaml_holds_values_alone(tmp_path: Path) -> None:
    file = tmp_path / 'data.yaml'
    mmengine.dump({'size': (3, 4), 'names': ['a']}, str(file))
    assert mmengine.load(str(file)) == {'size': (3, 4), 'names': ['a']}
    for text in (f'!!python/object/apply:os.mkdir ["{tmp_path}/mark"]', 'a: [1'):
        file.write_text(text)
        with pytest.raises(UserError, match=r'ann_file: a YAML file is not readable as plain values \(.+\)$'):
            mmengine.load(str(file))
    assert not (tmp_path / 'mark').exists()


def test_json_is_read_as_before(tmp_path: Path) -> None:
    (tmp_path / 'data.json').write_text('[1]')
    assert mmengine.load(str(tmp_path / 'data.json')) == [1]
