"""The versions this package works with, checked when it is imported.

The ranges stand here alone: ``setup.py`` reads them by running this file by itself, so that nothing beyond the standard
library may be imported at its top.
"""

import importlib
import importlib.metadata

SUPPORTED = {'torch': '>=2.6', 'mmengine': '>=0.10.4,<1', 'mmcv': '>=2.0.1,<2.2', 'mmdet': '>=3.2,<3.4'}

# Where several distributions bring a module: the one to advise comes first.
_DISTRIBUTIONS = {'mmcv': ('mmcv-lite', 'mmcv')}


def installed_versions(module: str) -> dict[str, str]:
    """Look up who brings a module, without importing it if its metadata can be read.

    Args:
        module: Import name of a top-level package.

    Returns:
        Version by name of distribution, or by the module's own name where it is found without metadata (a checkout on
        the path, a fork published under another name). Empty if there is none.
    """
    found = {}
    for distribution in _DISTRIBUTIONS.get(module, (module,)):
        try:
            found[distribution] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    if found:
        return found
    try:
        version = getattr(importlib.import_module(module), '__version__', None)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return {}
    # A folder that merely has the name imports as an empty namespace.
    return {} if version is None else {module: version}


def check() -> None:
    """Refuse to go on with a stack that this package does not work with.

    Raises:
        ImportError: A package is missing or its version is out of range. One line with the version found, the range
            supported and the command that puts it right.
    """
    from packaging.specifiers import SpecifierSet

    for module, supported in SUPPORTED.items():
        found = installed_versions(module)
        if not found:
            advised = _DISTRIBUTIONS.get(module, (module,))[0]
            raise ImportError(
                f'{module} is not installed, ssd_plugin needs {module}{supported}: pip install "{advised}{supported}"'
            )
        for distribution, version in found.items():
            # Nightly builds and vendors' containers carry pre-release numbers.
            if not SpecifierSet(supported).contains(version, prereleases=True):
                raise ImportError(
                    f'{distribution} {version} is installed, ssd_plugin needs {module}{supported}: '
                    f'pip install "{distribution}{supported}"'
                )
