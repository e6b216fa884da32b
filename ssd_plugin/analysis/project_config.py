"""Write the config of a user's own data."""

from pathlib import Path
from typing import Any, Optional

from ssd_plugin.datasets.preparation.own_data import OwnData

from .anchor_config import anchor_lines

# Images that a run from random weights sees: 80 passes over BCCD, 40 over the shapes.
_IMAGES_SEEN = 16_000
_FEWEST_EPOCHS, _MOST_EPOCHS = 24, 200
# Letters of the classes in the config itself; more are read from a file.
_LONGEST_NAMES = 100
_PUBLISHED_SIZE = (300, 300)
# What says where the copies of a VOC data set are; the others have one file.
_COPIES = ('ann_file', 'ann_subdir')


def epochs_for(images: int) -> int:
    """Choose the passes over the training data, so that few images are seen often enough.

    Args:
        images: Training images.

    Returns:
        24 to 200, whole quarters.
    """
    return min(max(round(_IMAGES_SEEN / images / 4) * 4, _FEWEST_EPOCHS), _MOST_EPOCHS)


def project_config(
    data: OwnData, folder: Path, draft: Path, size: tuple[int, int], anchors: Optional[dict[str, list[Any]]]
) -> str:
    """Write a config of SSD on ResNet-18 from random weights, which trains on a CPU.

    Args:
        data: The user's data.
        folder: Where they came from.
        draft: Where the copies of the annotations and ``classes.txt`` are; the config is to lie there, wherever that
            is moved to.
        size: (W, H) of the network's input, pixels.
        anchors: Settings of ``SSDAnchorGenerator``; None for the published ones.

    Returns:
        Its text, of at most 25 lines.
    """
    voc = data.layout == 'VOC'
    base = 'bccd' if voc else 'shapes'  # the one of the same layout
    test = 'test' if 'test' in data.sides else 'val'
    classes = repr(data.classes)
    if len(classes) > _LONGEST_NAMES:
        classes = "f'{here}/classes.txt'"

    def local(path: str) -> str:
        return f"f'{{here}}/{Path(path).relative_to(draft.absolute()).as_posix()}'"

    def loader(role: str) -> str:
        settings = {key: local(data.sides[role].settings[key]) for key in _COPIES if key in data.sides[role].settings}
        if not voc:
            settings['data_prefix'] = f'dict(img={str(data.images[role].absolute())!r})'
        return f'dict(dataset=dict(data, {", ".join(f"{key}={value}" for key, value in settings.items())}))'

    root = str(data.images['train'].absolute().parent) if voc else ''
    lines = [
        f'# SSD on ResNet-18 from random weights for {folder.name} ({data.layout}). Every line is yours to edit.',
        f"_base_ = ['ssd_plugin::_base_/models/ssd300_r18_quality-focal.py', 'ssd_plugin::_base_/datasets/{base}.py',",
        "          'ssd_plugin::_base_/schedules/adamw_80e.py']",
        f'from ssd_plugin.config_edits import {"with_step" if size == _PUBLISHED_SIZE else "at_size, with_step"}',
        *([] if size == _PUBLISHED_SIZE else [f'at_size(_base_, {size})']),
        '# Crops and large canvases want many more epochs: without this line they are as in the paper.',
        "with_step(_base_, 'ssd_plugin.SSDAugment', crop=False, expand_ratio_range=(1.0, 2.0))",
        "here = '{{fileDirname}}'",
        f'classes = {classes}',
        f'data = dict(metainfo=dict(classes=classes, palette=None), data_root={root!r})',
        f'train_dataloader = {loader("train")}',
        f'val_dataloader = {loader("val")}',
        f'test_dataloader = {loader(test) if test == "test" else "val_dataloader"}',
    ]
    if not voc:
        for role, part in (('val', 'val'), ('test', test)):
            lines.append(f'{role}_evaluator = dict(ann_file={local(data.sides[part].settings["ann_file"])})')
    lines += [
        f'max_epochs = {epochs_for(len(data.sides["train"].objects))}',
        'train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs // 4)',
        "param_scheduler = [dict(one, T_max=max_epochs) if 'T_max' in one else one for one in _base_.param_scheduler]",
    ]
    if anchors:
        lines += ['anchors = dict(  # fitted to the training data, an entry for each level']
        lines += [anchor_lines(anchors, '    '), ')']
    generator = ', anchor_generator=anchors' if anchors else ''
    lines += [
        f'model = dict(bbox_head=dict(num_classes={len(data.classes)}{generator}))',
        "work_dir = f'{here}/work_dir'",
    ]
    return '\n'.join(lines) + '\n'
