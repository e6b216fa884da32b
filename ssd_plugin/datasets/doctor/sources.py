"""Where the annotations and images of a data set lie: read from a config, or found in a folder."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import mmengine
import yaml
from mmdet.datasets import CocoDataset, XMLDataset
from mmdet.registry import DATASETS

from ssd_plugin.datasets.voc_unannotated import VOCTestDataset
from ssd_plugin.errors import UserError

_HOOK = 'AnnotationReportHook'


@dataclass(frozen=True)
class Source:
    """One annotated data set.

    Attributes:
        key: Its key path in the config, or the name of its folder.
        annotations: A JSON file for COCO; for VOC a list of names, or ``xml_folder`` for all that it holds; for YOLO
            the folder of the label files.
        images: The folder of its images.
        xml_folder: The folder of the XML files of VOC; None for the others.
        classes: The classes that it lists; empty takes those that are found.
        training: Whether it is trained on.
        other_classes: Whether objects of other classes are left out; else they are refused.
        yolo: Whether the layout is YOLO's.
    """

    key: str
    annotations: Path
    images: Path
    xml_folder: Optional[Path]
    classes: tuple[str, ...]
    training: bool
    other_classes: bool = False
    yolo: bool = False


def config_sources(config: Any, loaders: tuple[str, ...]) -> Iterator[tuple[Source, dict[str, Any]]]:
    """List the data sets of a config that mmdet reads from VOC or COCO files on a disk.

    Args:
        config: A whole config.
        loaders: The sections to look at, of ``train_dataloader``, ``val_dataloader``, ``test_dataloader``.

    Yields:
        The source and the part of the config it was read from. Other data sets, and those that are read through
        ``backend_args``, are passed over.
    """
    hooks = [hook for hook in config.get('custom_hooks') or () if str(hook.get('type')).endswith(_HOOK)]
    other_classes = any(hook.get('allow_other_classes') for hook in hooks)
    for loader in loaders:
        for key, part in _parts((config.get(loader) or {}).get('dataset'), f'{loader}.dataset'):
            kind = part['type'] if isinstance(part['type'], type) else DATASETS.get(part['type'])
            supported = isinstance(kind, type) and issubclass(kind, (CocoDataset, XMLDataset))
            if not supported or issubclass(kind, VOCTestDataset) or part.get('backend_args'):
                continue
            root, prefix = part.get('data_root') or '', part.get('data_prefix') or {}
            folder = Path(root, prefix.get('sub_data_root' if issubclass(kind, XMLDataset) else 'img', ''))
            xml = issubclass(kind, XMLDataset)
            source = Source(
                key,
                Path(root, part.get('ann_file') or ''),
                folder / part.get('img_subdir', 'JPEGImages') if xml else folder,
                folder / part.get('ann_subdir', 'Annotations') if xml else None,
                _classes(part, kind),
                training=not part.get('test_mode', False),
                other_classes=other_classes,
            )
            yield source, part


def folder_sources(folder: Path) -> Iterator[Source]:
    """List the data sets of a folder in the layout of VOC, YOLO or COCO.

    Args:
        folder: VOC's holds ``Annotations``, ``JPEGImages`` and perhaps the lists ``ImageSets/Main/*.txt``; YOLO's
            ``labels`` and ``images``, in it, each with a folder for every split, or in a folder for every split;
            COCO's JSON files, in itself or in ``annotations``, or a file ``_annotations.coco.json`` in a folder for
            every split.

    Yields:
        A source for each list, split or COCO file; one with 'train' in its name is trained on. The list ``trainval``
        is passed over where its halves are there, and so are JSON files of other things than boxes. YOLO's classes are
        those of ``data.yaml`` or ``classes.txt``, the others' any.

    Raises:
        UserError: YOLO's classes cannot be read.
    """
    xml_folder = folder / 'Annotations'
    if xml_folder.is_dir():
        lists = {path.stem: path for path in sorted((folder / 'ImageSets' / 'Main').glob('*.txt'))}
        halves = ('train', 'val') if {'train', 'val'} <= set(lists) or 'trainval' not in lists else ('trainval',)
        wanted = [name for name in (*halves, 'test') if name in lists]
        for annotations in [lists[name] for name in wanted] or [xml_folder]:
            training = annotations == xml_folder or 'train' in annotations.stem
            yield Source(annotations.stem, annotations, folder / 'JPEGImages', xml_folder, (), training)
        return
    yolo = _yolo_folders(folder)
    for name, (labels, images) in yolo.items():
        classes = _yolo_classes(folder) or _yolo_classes(labels)
        yield Source(name, labels, images, None, classes, len(yolo) == 1 or 'train' in name, yolo=True)
    if yolo:
        return
    for path in sorted(path for place in ('', 'annotations/', '*/_') for path in folder.glob(f'{place}*.json')):
        try:
            content = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            content = None  # The check of the file says why.
        if content is None or _has_boxes(content):
            key = path.relative_to(folder).with_suffix('').as_posix()
            yield Source(key, path, _image_folder(folder, path.parent, content), None, (), 'train' in key)


def _yolo_folders(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Find the folders of labels and of images by the name of their split."""
    labels, images = folder / 'labels', folder / 'images'
    if labels.is_dir():
        splits = [path.name for path in sorted(labels.iterdir()) if (images / path.name).is_dir()]
        return {name: (labels / name, images / name) for name in splits} or {folder.name: (labels, images)}
    splits = [path.name for path in sorted(folder.iterdir()) if (path / 'labels').is_dir()]
    return {name: (folder / name / 'labels', folder / name / 'images') for name in splits}


def _yolo_classes(folder: Path) -> tuple[str, ...]:
    for path in sorted([*folder.glob('*.yaml'), *folder.glob('*.yml')]):
        try:
            content = yaml.safe_load(path.read_bytes())
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise UserError(f'{path}: {" ".join(str(error).split())}, expected YAML that parses') from error
        names = content.get('names') if isinstance(content, dict) else None
        if names is None:
            continue
        if isinstance(names, list):
            names = dict(enumerate(names))
        numbered = isinstance(names, dict) and set(names) == set(range(len(names)))
        if not numbered or content.get('nc', len(names)) != len(names):
            found = f'{names!r:.80} with nc {content.get("nc", "missing")}'
            raise UserError(f'{path}: names: {found}, expected a name for each class, numbered from 0')
        return tuple(str(names[number]) for number in range(len(names)))
    listed = folder / 'classes.txt'
    return tuple(mmengine.list_from_file(listed)) if listed.is_file() else ()


def _has_boxes(content: Any) -> bool:
    """Tell a COCO file from captions and from other JSON."""
    if not isinstance(content, dict):
        return False
    annotations = content.get('annotations')
    listed = annotations if isinstance(annotations, list) else []
    return 'categories' in content or any(isinstance(one, dict) and 'bbox' in one for one in listed)


def _image_folder(folder: Path, beside: Path, content: Any) -> Path:
    """Find the folder that has the first image of a COCO file, here the data set's own folder if none has it."""
    try:
        first = str(content['images'][0]['file_name'])
    except (LookupError, TypeError):
        return folder
    return next((path for path in (beside, folder, *sorted(folder.iterdir())) if (path / first).is_file()), folder)


def _parts(dataset: Any, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Look into wrappers, as mmdet's ``ConcatDataset`` (``datasets``) and ``RepeatDataset`` (``dataset``)."""
    if not isinstance(dataset, dict) or 'type' not in dataset:
        return
    for i, inner in enumerate(dataset.get('datasets') or ()):
        yield from _parts(inner, f'{key}.datasets[{i}]')
    yield from _parts(dataset.get('dataset'), f'{key}.dataset')
    if not {'dataset', 'datasets'} & set(dataset):
        yield key, dataset


def _classes(part: dict[str, Any], kind: Any) -> tuple[str, ...]:
    classes = (part.get('metainfo') or {}).get('classes', kind.METAINFO.get('classes', ()))
    return tuple(mmengine.list_from_file(classes) if isinstance(classes, str) else classes)
