import distutils.core
import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ssd_plugin
from ssd_plugin.compatibility import SUPPORTED, installed_versions

ROOT = Path(__file__).parents[1]
BESIDE_THE_PACKAGE = ('configs', 'tools', 'model-index.yml')
OFFLINE = ('--no-deps', '--no-build-isolation', '--no-index', '--quiet')
NOT_SHIPPED = shutil.ignore_patterns('__pycache__', '*.pyc', '.mim', '*.egg-info')


def files_under(root, *names):
    """Relative path -> bytes of all that a checkout holds under the names, links followed."""
    found = {}
    for name in names:
        paths = [root / name] if (root / name).is_file() else (root / name).rglob('*')
        for path in paths:
            if path.is_file() and path.suffix != '.pyc':
                found[path.relative_to(root).as_posix()] = path.read_bytes()
    return found


def run(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f'{command}\n{done.stdout}\n{done.stderr}'
    return done.stdout


@pytest.fixture(scope='module')
def distribution():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return distutils.core.run_setup('setup.py', stop_after='init')


@pytest.fixture(scope='module')
def constraints():
    lines = (ROOT / 'requirements' / 'constraints.txt').read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith('#')]
    return {canonicalize_name(requirement.name): requirement.specifier for requirement in requirements}


def test_the_version_is_that_of_the_package(distribution):
    assert distribution.get_name() == 'ssd_plugin'
    assert distribution.get_version() == ssd_plugin.__version__ == '0.1.0'
    assert str(distribution.python_requires) == '>=3.9'


def test_every_subpackage_is_shipped(distribution):
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / 'ssd_plugin').rglob('*.py')}
    folders = {folder for folder in folders if '.mim' not in folder.parts}
    assert set(distribution.packages) == {'.'.join(folder.parts) for folder in folders}


def test_what_is_no_python_of_the_package_is_shipped(distribution):
    files = {path for path in (ROOT / 'ssd_plugin').rglob('*') if path.is_file() and '.mim' not in path.parts}
    shipped = {
        path for pattern in distribution.package_data['ssd_plugin'] for path in (ROOT / 'ssd_plugin').glob(pattern)
    }
    assert {path for path in files if path.suffix not in ('.py', '.pyc')} == shipped
    assert len(shipped) == 2


def test_the_extras_choose_the_mmcv_of_the_supported_range(distribution):
    assert set(distribution.extras_require) == {'docs', 'export', 'full', 'lite', 'ray', 'test'}
    assert [Requirement(r) for r in distribution.extras_require['lite']] == [Requirement('mmcv-lite>=2.0.1,<2.2')]
    assert [Requirement(r) for r in distribution.extras_require['full']] == [Requirement('mmcv>=2.0.1,<2.2')]


def test_the_ranges_are_those_checked_at_import(distribution):
    required = {r.name: str(r.specifier) for r in map(Requirement, distribution.install_requires)}
    assert {name: required[name] for name in ('torch', 'mmengine', 'mmdet')} == {
        name: str(Requirement(name + SUPPORTED[name]).specifier) for name in ('torch', 'mmengine', 'mmdet')
    }
    assert 'mmcv' not in required  # Chosen by an extra, lite or full.
    assert required['setuptools'] == '<81'


def test_the_constraints_fix_one_supported_version_of_all_that_is_required(distribution, constraints):
    required = [*distribution.install_requires]
    for extra in distribution.extras_require.values():
        required += extra
    for requirement in map(Requirement, required):
        specifier = constraints[canonicalize_name(requirement.name)]
        assert str(specifier).startswith('=='), requirement
        version = str(specifier)[len('==') :]
        assert requirement.specifier.contains(version), f'{requirement} against {version}'
    assert all(str(specifier).startswith('==') for specifier in constraints.values())


def test_the_constraints_cover_what_the_requirements_require(distribution, constraints):
    direct = [*distribution.install_requires, *distribution.extras_require['test']]
    waiting = [Requirement(r).name for r in direct] + list(installed_versions('mmcv'))
    seen = set()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in seen:
            continue
        seen.add(name)
        requirements = [Requirement(r) for r in importlib.metadata.requires(name) or []]
        waiting += [r.name for r in requirements if r.marker is None or r.marker.evaluate({'extra': ''})]
        # The builds of torch for a GPU require CUDA's libraries, in versions that they fix themselves.
        waiting = [name for name in waiting if not name.startswith(('nvidia-', 'cuda-', 'triton'))]
    assert seen <= set(constraints)


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A copy, so that building leaves nothing in the working tree."""
    copy = tmp_path_factory.mktemp('source') / 'checkout'
    copy.mkdir()
    for path in ROOT.iterdir():
        if path.name in {'configs', 'tools', 'ssd_plugin', 'requirements'}:
            shutil.copytree(path, copy / path.name, ignore=NOT_SHIPPED)
        elif path.is_file():
            shutil.copy2(path, copy / path.name)
    return copy


def new_environment(folder):
    """An environment that sees the packages of this one and has nothing of its own."""
    venv.create(folder, with_pip=False)
    interpreter = folder / 'bin' / 'python'
    site_packages = Path(run(interpreter, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))', cwd='/')[:-1])
    (site_packages / 'stack.pth').write_text(sysconfig.get_path('purelib') + '\n')
    return interpreter, site_packages


def install(interpreter, what, *options):
    """Installs without the network; the copy of the package that this environment may have stays as it is."""
    pip = (sys.executable, '-m', 'pip', '--python', interpreter, 'install', '--ignore-installed', *OFFLINE)
    run(*pip, *options, what, cwd=interpreter.parent)


def check_installed(interpreter, outside, mim):
    """Import and tools work away from the checkout, from what the installation holds alone."""
    command = 'import ssd_plugin; print(ssd_plugin.__file__)'
    package = Path(run(interpreter, '-c', command, cwd=outside).splitlines()[-1]).parent
    assert package == mim.parent
    for tool in ('train', 'benchmark'):
        assert f'usage: {tool}.py' in run(interpreter, mim / 'tools' / f'{tool}.py', '--help', cwd=outside)
    # The measurements read our configs from beside them.
    command = 'import sys; sys.path.append(sys.argv[1]); from benchmark import peers; print(peers.CONFIGS)'
    configs = run(interpreter, '-c', command, mim / 'tools', cwd=outside).splitlines()[-1]
    assert Path(configs).resolve() == (mim / 'configs').resolve()
    assert mim in Path(configs).parents
    command = 'import sys, mmengine; print(mmengine.Config.fromfile(sys.argv[1]).model.type)'
    config = mim / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'
    assert run(interpreter, '-c', command, config, cwd=outside).splitlines()[-1] == 'ssd_plugin.SSD'


@pytest.fixture(scope='module')
def from_wheel(checkout, tmp_path_factory):
    """An environment with a wheel made from the source archive: its interpreter and its packages."""
    folder = tmp_path_factory.mktemp('wheel')
    before = files_under(checkout, *BESIDE_THE_PACKAGE, 'ssd_plugin')
    run(sys.executable, 'setup.py', '--quiet', 'egg_info', '--egg-base', folder, 'sdist', '-d', folder, cwd=checkout)
    archive = folder / f'ssd_plugin-{ssd_plugin.__version__}.tar.gz'
    run(sys.executable, '-m', 'pip', 'wheel', *OFFLINE, '--wheel-dir', folder, archive, cwd=folder)
    assert files_under(checkout, *BESIDE_THE_PACKAGE, 'ssd_plugin') == before

    interpreter, site_packages = new_environment(folder / 'environment')
    install(interpreter, folder / f'ssd_plugin-{ssd_plugin.__version__}-py3-none-any.whl')
    return interpreter, site_packages


@pytest.mark.slow
def test_a_wheel_made_from_the_source_archive_works_outside_the_checkout(checkout, from_wheel, tmp_path):
    interpreter, site_packages = from_wheel
    mim = site_packages / 'ssd_plugin' / '.mim'
    assert files_under(mim, *BESIDE_THE_PACKAGE) == files_under(checkout, *BESIDE_THE_PACKAGE)
    assert (site_packages / 'ssd_plugin' / 'py.typed').is_file()
    check_installed(interpreter, tmp_path, mim)


@pytest.mark.slow
def test_mim_and_the_package_itself_run_what_a_wheel_carries(from_wheel, tmp_path):
    pytest.importorskip('mim')
    interpreter, _ = from_wheel
    images = ('--images', '20', '--size', '96x72', '--workers', '1')
    run(interpreter, '-m', 'ssd_plugin', 'make_shapes', 'data/shapes', *images, cwd=tmp_path)
    mim = (interpreter, '-m', 'mim')
    loaders = [f'{part}_dataloader.num_workers=0' for part in ('train', 'val', 'test')]
    small = ('--cfg-options', 'model.backbone.base_channels=16', 'train_cfg.max_epochs=1', *loaders)
    config = 'ssd300_r18_shapes.py'  # by its name alone
    run(*mim, 'train', 'ssd_plugin', config, '--work-dir', 'work', *small, cwd=tmp_path)
    checkpoint = tmp_path / 'work' / 'epoch_1.pth'
    weights = ('--checkpoint', checkpoint, '--work-dir', 'out')
    tested = run(*mim, 'test', 'ssd_plugin', config, *weights, *small, cwd=tmp_path)
    assert 'coco/bbox_mAP_50' in tested
    images = ('work/ssd300_r18_shapes.py', checkpoint, 'data/shapes/JPEGImages')
    run(*mim, 'run', 'ssd_plugin', 'infer', *images, cwd=tmp_path)
    assert len(list(tmp_path.glob('**/vis/*.jpg'))) == 20


@pytest.mark.slow
def test_an_editable_install_links_what_lies_beside_the_package(checkout, tmp_path):
    interpreter, _ = new_environment(tmp_path / 'environment')
    install(interpreter, checkout, '--editable')
    mim = checkout / 'ssd_plugin' / '.mim'
    assert files_under(mim, *BESIDE_THE_PACKAGE) == files_under(checkout, *BESIDE_THE_PACKAGE)
    (checkout / 'configs' / 'added_later.py').write_text('')
    assert (mim / 'configs' / 'added_later.py').is_file()
    check_installed(interpreter, tmp_path, mim)
    # Again over what the first time left.
    install(interpreter, checkout, '--editable')
