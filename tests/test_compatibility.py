import importlib.metadata
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from ssd_plugin import compatibility

ROOT = Path(__file__).parents[1]


@pytest.fixture
def fake_distribution(tmp_path, monkeypatch):
    """Makes a function that puts a distribution's metadata in front of whatever is installed."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def add(name, version):
        folder = tmp_path / f'{name.replace("-", "_")}-{version}.dist-info'
        folder.mkdir()
        (folder / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n')

    return add


def message_of_check():
    with pytest.raises(ImportError) as caught:
        compatibility.check()
    assert '\n' not in str(caught.value)
    return str(caught.value)


def hide(monkeypatch, *hidden):
    real = importlib.metadata.version

    def version(distribution):
        if distribution in hidden:
            raise importlib.metadata.PackageNotFoundError(distribution)
        return real(distribution)

    monkeypatch.setattr(importlib.metadata, 'version', version)


def test_the_stack_of_this_environment_passes():
    compatibility.check()


@pytest.mark.parametrize(
    ('distribution', 'version', 'message'),
    [
        ('torch', '2.5.1', 'torch 2.5.1 is installed, ssd_plugin needs torch>=2.6: pip install "torch>=2.6"'),
        (
            'mmengine',
            '0.10.3',
            'mmengine 0.10.3 is installed, ssd_plugin needs mmengine>=0.10.4,<1: pip install "mmengine>=0.10.4,<1"',
        ),
        (
            'mmcv-lite',
            '2.2.0',
            'mmcv-lite 2.2.0 is installed, ssd_plugin needs mmcv>=2.0.1,<2.2: pip install "mmcv-lite>=2.0.1,<2.2"',
        ),
        (
            'mmcv',
            '1.7.0',
            'mmcv 1.7.0 is installed, ssd_plugin needs mmcv>=2.0.1,<2.2: pip install "mmcv>=2.0.1,<2.2"',
        ),
        (
            'mmdet',
            '2.28.2',
            'mmdet 2.28.2 is installed, ssd_plugin needs mmdet>=3.2,<3.4: pip install "mmdet>=3.2,<3.4"',
        ),
    ],
)
def test_a_version_out_of_range_is_named_with_the_command(fake_distribution, distribution, version, message):
    fake_distribution(distribution, version)
    assert message_of_check() == message


@pytest.mark.parametrize(
    ('distribution', 'version'),
    [
        ('torch', '2.6.0'),
        ('torch', '2.7.0a0+79aa17489c.nv25.4'),
        ('mmengine', '0.10.4'),
        ('mmcv', '2.1.0'),
        ('mmdet', '3.2.0'),
        ('mmdet', '3.3.99'),
    ],
)
def test_versions_at_the_edges_of_the_ranges_pass(fake_distribution, distribution, version):
    fake_distribution(distribution, version)
    compatibility.check()


@pytest.mark.parametrize(('module', 'advised'), [('mmengine', 'mmengine'), ('mmcv', 'mmcv-lite'), ('mmdet', 'mmdet')])
def test_a_missing_package_is_named_with_the_command(monkeypatch, module, advised):
    hide(monkeypatch, 'mmcv', advised)
    monkeypatch.setitem(sys.modules, module, None)
    supported = compatibility.SUPPORTED[module]
    assert message_of_check() == (
        f'{module} is not installed, ssd_plugin needs {module}{supported}: pip install "{advised}{supported}"'
    )


@pytest.mark.parametrize('version', ['3.3.0', '3.1.0'])
def test_a_fork_without_metadata_is_judged_by_its_module(monkeypatch, version):
    hide(monkeypatch, 'mmdet')
    fork = types.ModuleType('mmdet')
    fork.__version__ = version
    monkeypatch.setitem(sys.modules, 'mmdet', fork)
    if version == '3.3.0':
        compatibility.check()
    else:
        assert message_of_check().startswith('mmdet 3.1.0 is installed, ')


def test_a_folder_of_the_name_is_no_installation(monkeypatch):
    hide(monkeypatch, 'mmdet')
    monkeypatch.setitem(sys.modules, 'mmdet', types.ModuleType('mmdet'))
    assert compatibility.installed_versions('mmdet') == {}


def test_a_fork_that_lacks_a_part_of_its_own_says_so(monkeypatch, tmp_path):
    (tmp_path / 'brokenfork.py').write_text('import no_such_part\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match='no_such_part'):
        compatibility.installed_versions('brokenfork')


def test_importing_the_package_checks_before_it_needs_torch(tmp_path):
    code = (
        'import sys; sys.modules["torch"] = None; import importlib.metadata as m; real = m.version\n'
        'def version(name):\n'
        '    if name == "torch": raise m.PackageNotFoundError(name)\n'
        '    return real(name)\n'
        'm.version = version; import ssd_plugin'
    )
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last_line = done.stderr.strip().splitlines()[-1]
    assert re.fullmatch(r'ImportError: torch is not installed, .*: pip install "torch>=2\.6"', last_line)
