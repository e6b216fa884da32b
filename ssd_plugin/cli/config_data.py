"""Checks that the data a config names is there, and that model and data agree on the classes."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import mmengine
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS

from ssd_plugin.datasets.class_names import format_class_names
from ssd_plugin.errors import UserError

from .config_types import find, option_key, walk

_IMAGE_PREFIXES = ('img', 'img_path', 'sub_data_root')
# MMEngine's {{$NAME:default}}, a value that an environment variable replaces.
_VARIABLE = re.compile(r'\{\{[\'"]?\s*\$(\w+)\s*:\s*(\S*?)\s*[\'"]?\}\}')
# The folders that mmdet's XMLDataset adds to sub_data_root, and their defaults.
_XML_FOLDERS = {'img_subdir': 'JPEGImages', 'ann_subdir': 'Annotations'}


def check_data(config: Config, loaders: tuple[str, ...]) -> None:
    """Look for the folders and annotation files of the data sets and metrics.

    Data sets that are read through ``backend_args`` are left alone.

    Args:
        config: A whole config.
        loaders: The sections to look at, of ``train_dataloader``, ``val_dataloader``, ``test_dataloader``.

    Raises:
        UserError: One is missing; the line has its key path, the path and what sets it.
    """
    for path, dataset in inner_datasets(config, loaders):
        if dataset.get('backend_args'):
            continue
        root = dataset.get('data_root') or ''
        _expect('folder', root, path, 'data_root', config, root)
        annotations = dataset.get('ann_file') or ''
        _expect('file', mmengine.join_path(root, annotations) if annotations else '', path, 'ann_file', config, root)
        for key, prefix in (dataset.get('data_prefix') or {}).items():
            if key not in _IMAGE_PREFIXES:
                continue
            folder = mmengine.join_path(root, prefix)
            _expect('folder', folder, path, f'data_prefix.{key}', config, root)
            if key == 'sub_data_root':
                for name, default in _XML_FOLDERS.items():
                    inner = mmengine.join_path(folder, dataset.get(name, default))
                    _expect('folder', inner, path, name, config, root)
    for loader in loaders:
        section = loader.replace('_dataloader', '_evaluator')
        for path, metric in walk(config.get(section), section):
            if not metric.get('backend_args'):
                _expect('file', metric.get('ann_file') or '', path, 'ann_file', config, '')


def check_batches(loader: Any) -> None:
    """Count the batches of an epoch.

    Args:
        loader: PyTorch's, of the training data.

    Raises:
        UserError: There is none.
    """
    if not len(loader):
        raise UserError(
            f'train_dataloader: no batch in an epoch, because drop_last leaves out what {len(loader.dataset)} images '
            f'make of a batch of {loader.batch_sampler.batch_size}, expected a smaller batch_size or more images'
        )


def check_classes(config: Config, loaders: tuple[str, ...]) -> None:
    """Compare the number of classes of an anchor head with the data sets, and the data sets with each other.

    Args:
        config: A whole config; parts of unknown types are left to the build.
        loaders: The sections to look at, as for ``check_data``.

    Raises:
        UserError: They differ; the line names both places and what to set.
    """
    scope = config.get('default_scope')
    heads = [(path, _head_classes(path, head, scope)) for path, head in walk(config.get('model'), 'model')]
    heads = [(path, number) for path, number in heads if number is not None]
    known = [(path, part, _classes(path, part, scope)) for path, part in inner_datasets(config, loaders)]
    known = [(path, part, classes) for path, part, classes in known if classes]
    if not heads or not known:
        return
    first_path, _, first = known[0]
    for path, part, classes in known:
        if classes != first:
            raise UserError(
                f'{path}: its classes are {format_class_names(classes)}, expected those of {first_path}, '
                f'{format_class_names(first)}: set metainfo.classes of both'
            )
        for head, number in heads:
            if number != len(classes):
                raise UserError(
                    f'{head}.num_classes: {number}, expected {len(classes)}, the classes of {path} '
                    f'({part["type"]}), {format_class_names(classes)}: set {head}.num_classes={len(classes)}, or '
                    'metainfo.classes of the data set'
                )


def dataset_classes(config: Config) -> Optional[tuple[str, ...]]:
    """Give the names of the classes of the data to test on.

    Args:
        config: With ``test_dataloader``.

    Returns:
        The names by label, or None where no data set has any.
    """
    scope = config.get('default_scope')
    names = (_classes(path, part, scope) for path, part in inner_datasets(config, ('test_dataloader',)))
    return next(filter(None, names), None)


def inner_datasets(config: Config, loaders: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """List the data sets inside all wrappers, as mmdet's ``ConcatDataset`` and ``RepeatDataset``.

    Args:
        config: A whole config.
        loaders: The sections to look at, as for ``check_data``.

    Yields:
        Key path and config of each.
    """
    for loader in loaders:
        for path, part in walk((config.get(loader) or {}).get('dataset'), f'{loader}.dataset'):
            key = path.rpartition('.')[2].partition('[')[0]
            if key in ('dataset', 'datasets') and not {'dataset', 'datasets'} & set(part):
                yield path, part


def _expect(kind: str, place: str, part: str, key: str, config: Config, root: str) -> None:
    found = Path(place).is_dir() if kind == 'folder' else Path(place).is_file()
    if not place or '://' in place or found:
        return
    variables = dict(_VARIABLE.findall(config.text))
    variables.update(config.env_variables)
    setting = [f'the environment variable {name}' for name, value in variables.items() if root and value == root]
    remedy = ' or '.join([*setting, f'{option_key(part)}.{"data_root" if root else key}'])
    raise UserError(f'{part}.{key}: {place} does not exist, expected a {kind}; set {remedy}')


def _classes(path: str, dataset: dict[str, Any], scope: Optional[str]) -> tuple[str, ...]:
    default = getattr(find(DATASETS, dataset['type'], scope), 'METAINFO', {}).get('classes')
    classes = (dataset.get('metainfo') or {}).get('classes', default)
    if isinstance(classes, str):
        if not Path(classes).is_file():
            raise UserError(
                f"{path}.metainfo.classes: {classes!r}, expected a tuple of names such as ('{classes}',), or a file"
            )
        classes = mmengine.list_from_file(classes)
    return tuple(classes or ())


def _head_classes(path: str, head: dict[str, Any], scope: Optional[str]) -> Optional[int]:
    """Read the number of classes of an anchor head: elsewhere ``num_classes`` need not be that of the data."""
    if path.rpartition('.')[2] != 'bbox_head':
        return None
    kind = find(MODELS, head['type'], scope)
    if kind is None or not {'SSDHead', 'AnchorHead'} & {base.__name__ for base in inspect.getmro(kind)}:
        return None
    parameter = inspect.signature(kind).parameters.get('num_classes')
    number = head.get('num_classes', None if parameter is None else parameter.default)
    return number if isinstance(number, int) else None
