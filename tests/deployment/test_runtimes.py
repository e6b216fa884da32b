"""Files that are none of ours, or would do harm."""

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from ssd_plugin.deployment.runtimes import Runtime
from ssd_plugin.errors import UserError


class MakesFolder:
    """What a pickle may ask for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize('name', ['a.onnx', 'a.torchscript', 'a.pt2'])
def test_missing_and_unreadable_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with pytest.raises(UserError, match='no such file'):
        Runtime(path)
    path.write_bytes(b'neither of these')
    with pytest.raises(UserError, match=r'not readable \(.+\), expected a file of tools/export\.py'):
        Runtime(path)


@pytest.mark.parametrize('hidden', ['in the place of tensors', 'as an object'])
def test_a_file_of_torch_export_runs_no_code(hidden: str, tmp_path: Path) -> None:
    made, sound, path = tmp_path / 'made', tmp_path / 'sound.pt2', tmp_path / 'hostile.pt2'
    torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),)), str(sound))
    torch.save(MakesFolder(made), tmp_path / 'hostile.pt')
    hostile = (tmp_path / 'hostile.pt').read_bytes()
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(path, 'w') as target:
        for name in source.namelist():
            spoilt = hidden == 'in the place of tensors' and name.endswith('.pt')
            target.writestr(name, hostile if spoilt else source.read(name))
        if hidden == 'as an object':
            target.writestr('sound/data/constants/opaque_obj_0', hostile)
    with pytest.raises(UserError, match=r'not readable|pickled objects, which could run code'):
        Runtime(path)
    assert not made.exists()
