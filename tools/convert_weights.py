"""Convert the weights of another SSD implementation, or maps a detector to other classes.

Examples:
    python tools/convert_weights.py ssd300_vgg16_coco.pth ssd300_coco.pth --classes coco
    python tools/convert_weights.py VGG_VOC0712_SSD_300x300_iter_120000.caffemodel ssd300_voc.pth --classes voc
    python tools/convert_weights.py ssd300_coco.pth start.pth --classes coco --to-classes cat,dog,hamster
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import torch

from ssd_plugin.cli.tool_main import run_tool
from ssd_plugin.converters.caffemodel import read_caffemodel
from ssd_plugin.converters.convert import KINDS, convert, detect_source, read_state_dict
from ssd_plugin.converters.partial import map_classes
from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.errors import UserError
from ssd_plugin.whole_file import whole_file


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', type=Path, help='weights: .pth, .pt or .caffemodel')
    parser.add_argument('target', type=Path, help='file to write')
    parser.add_argument(
        '--from', dest='kind', choices=KINDS, help='where they come from (default: recognised by their names)'
    )
    parser.add_argument('--num-classes', type=int, help='number of foreground classes the weights must have')
    parser.add_argument('--classes', type=class_names, help='their names in order: a,b,c or coco or voc')
    parser.add_argument('--to-classes', type=class_names, help='classes to map the detector to; needs --classes')
    return parser.parse_args()


def class_names(text: str) -> tuple[str, ...]:
    if text in ('coco', 'voc'):
        from mmdet.datasets import CocoDataset, VOCDataset  # takes seconds, and comes after ssd_plugin

        return tuple({'coco': CocoDataset, 'voc': VOCDataset}[text].METAINFO['classes'])
    return tuple(name.strip() for name in text.split(','))


def save(checkpoint: dict[str, Any], target: Path) -> None:
    """Write the file whole or not at all."""
    if not target.parent.is_dir():
        raise UserError(f'{target}: folder {target.parent} is missing, expected an existing one')
    with whole_file(target, 'wb') as file:
        torch.save(checkpoint, file)


def main() -> None:
    args = parse_args()
    count: Optional[int] = len(args.classes) if args.classes else args.num_classes
    if args.classes and args.num_classes not in (None, count):
        raise UserError(f'--num-classes is {args.num_classes}, expected {count}: the number of names in --classes')
    if args.to_classes and not args.classes:
        raise UserError('--to-classes is given without --classes, expected the names of the classes there are')
    if args.source.suffix == '.caffemodel':
        weights, meta = read_caffemodel(args.source), {}
    else:
        weights, meta = read_state_dict(load_checkpoint_file(str(args.source)))
    kind = args.kind or detect_source(weights, meta)
    converted = convert(weights, kind, count)
    classes = args.classes
    if args.to_classes:
        state_dict, mapping = map_classes(converted.state_dict, args.classes, args.to_classes)
        converted = replace(converted, state_dict=state_dict, num_classes=len(args.to_classes))
        classes = args.to_classes
        print(mapping)
    save(converted.checkpoint(classes, meta), args.target)
    predicts = 'no classes' if converted.num_classes is None else f'{converted.num_classes} classes'
    print(f'{args.target}: {len(converted.state_dict)} weights of {kind}, {predicts}')
    for note in converted.notes:
        print(f'note: {note}')
    if converted.default_boxes is not None:
        print(f'default boxes: {converted.default_boxes}')
    if converted.config_line() is not None:
        print(f'in the config: {converted.config_line()}')


if __name__ == '__main__':
    run_tool(main)
