"""Build and install ``ssd_plugin`` together with its configs, its tools and its model index."""

import runpy
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
PACKAGE = ROOT / 'ssd_plugin'

# Each file is run by itself: importing the package needs the stack that this script is there to install.
VERSION = runpy.run_path(str(PACKAGE / 'version.py'))['__version__']
SUPPORTED = runpy.run_path(str(PACKAGE / 'compatibility.py'))['SUPPORTED']


class BuildPy(build_py):
    """Put what lies beside the package into ``ssd_plugin/.mim``, where OpenMMLab's tools look for it.

    A wheel gets copies, made in the build folder alone; an editable install gets links, which git ignores.
    """

    beside_the_package = ('configs', 'tools', 'model-index.yml')

    def run(self) -> None:
        """Build the package, then its ``.mim`` folder."""
        super().run()
        target = PACKAGE / '.mim' if self.editable_mode else Path(self.build_lib) / 'ssd_plugin' / '.mim'
        # What an earlier build left there may be of another version.
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in self.beside_the_package:
            if not self.editable_mode or not self._linked(target / name):
                self._copy(ROOT / name, target / name)

    @staticmethod
    def _linked(link: Path) -> bool:
        try:
            link.symlink_to(Path('..', '..', link.name), target_is_directory=(ROOT / link.name).is_dir())
        except OSError:  # Windows allows links to administrators and developers only.
            return False
        return True

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns('__pycache__', '*.pyc'))
        else:
            shutil.copy2(source, target)


setup(
    name='ssd_plugin',
    version=VERSION,
    description='SSD (Single Shot MultiBox Detector) as a plugin of MMDetection 3.x, on any PyTorch from 2.6',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Developers',
        'Intended Audience :: Science/Research',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
    packages=find_packages(include=['ssd_plugin', 'ssd_plugin.*']),
    package_data={'ssd_plugin': ['py.typed', 'analysis/report/*.j2']},
    cmdclass={'build_py': BuildPy},
    python_requires='>=3.9',
    install_requires=[
        f'torch{SUPPORTED["torch"]}',
        f'mmengine{SUPPORTED["mmengine"]}',
        f'mmdet{SUPPORTED["mmdet"]}',
        'jinja2',
        'matplotlib',
        'numpy',
        'opencv-python',
        'packaging',
        'pillow',
        'pyyaml',
        'protobuf',
        'pycocotools',
        'rich',
        'setuptools<81',
        'terminaltables',
    ],
    extras_require={
        'lite': [f'mmcv-lite{SUPPORTED["mmcv"]}'],
        'full': [f'mmcv{SUPPORTED["mmcv"]}'],
        'docs': ['mkdocs-material', 'mkdocstrings[python]'],
        'export': ['nncf', 'onnx', 'onnxruntime', 'onnxscript', 'openvino'],
        'ray': ['pyarrow', 'ray[data]'],
        'test': [
            'hypothesis',
            'ipykernel',
            'mypy',
            'nbclient',
            'onnx',
            'onnxruntime',
            'onnxscript',
            'openvino',
            'pytest',
            'pytest-xdist',
            'ruff',
            'tensorboard',
        ],
    },
    zip_safe=False,
)
