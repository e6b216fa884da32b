"""Convert the weights of another SSD implementation, or map a detector to other classes.

Examples:
    python tools/convert_weights.py ssd300_vgg16_coco.pth ssd300_coco.pth --classes coco
    python tools/convert_weights.py VGG_VOC0712_SSD_300x300_iter_120000.caffemodel ssd300_voc.pth --classes voc
    python tools/convert_weights.py ssd300_coco.pth start.pth --classes coco --to-classes cat,dog,hamster
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.converters.caffemodel import read_caffemodel
from ssd_plugin.converters.convert import KINDS, convert, detect_source, read_state_dict
from ssd_plugin.converters.partial import map_classes
from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.errors import UserError
from ssd_plugin.whole_file import whole_file


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('source', type=Path, help='weights: .pth, .pt or .caffemodel')
    parser.add_argument('target', type=Path, help='file to write')
    parser.add_argument(
        '--from', dest='kind', choices=KINDS, help='where they come from (default: recognised by their names)'
    )
    parser.add_argument('--num-classes', type=int, help='number of foreground classes the weights must have')
    parser.add_argument('--classes', help='their names in order: a,b,c or coco or voc')
    parser.add_argument('--to-classes', help='classes to map the detector to; needs --classes')
    return parser.parse_args()


def class_names(option: str, text: str) -> tuple[str, ...]:
    if text in ('coco', 'voc'):
        from mmdet.datasets import CocoDataset, VOCDataset  # takes seconds, and comes after ssd_plugin

        return tuple({'coco': CocoDataset, 'voc': VOCDataset}[text].METAINFO['classes'])
    names = tuple(name.strip() for name in text.split(','))
    if '' in names or len(set(names)) < len(names):
        raise UserError(f'{option} is {text!r}, expected different names with a comma between two')
    return names


def save(checkpoint: dict[str, Any], target: Path) -> None:
    """Write the file whole or not at all."""
    try:
        if not target.parent.is_dir():
            raise UserError(f'{target}: folder {target.parent} is missing, expected an existing one')
        if target.is_dir():
            raise UserError(f'{target} is a folder, expected the name of a file to write')
        with whole_file(target, 'wb') as file:
            torch.save(checkpoint, file)
    except OSError as error:
        raise UserError(f'{target}: {error.strerror}, expected a place where a file can be written') from error


def read(source: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Give the weights and the meta of a file of any source."""
    if source.suffix == '.caffemodel':
        return read_caffemodel(source), {}
    # The training script of torchvision saves its arguments beside the weights.
    with torch.serialization.safe_globals([argparse.Namespace]):
        return read_state_dict(load_checkpoint_file(source))


def main() -> None:
    args = parse_args()
    classes = None if args.classes is None else class_names('--classes', args.classes)
    to_classes = None if args.to_classes is None else class_names('--to-classes', args.to_classes)
    if classes and args.num_classes not in (None, len(classes)):
        raise UserError(
            f'--num-classes is {args.num_classes}, expected {len(classes)}: the number of names in --classes'
        )
    if to_classes and not classes:
        raise UserError('--to-classes is given without --classes, expected the names of the classes there are')
    weights, meta = read(args.source)
    kind = args.kind or detect_source(weights, meta)
    converted = convert(weights, kind, len(classes) if classes else args.num_classes)
    if classes and to_classes:
        state_dict, mapping = map_classes(converted.state_dict, classes, to_classes)
        converted = replace(converted, state_dict=state_dict, num_classes=len(to_classes))
        classes = to_classes
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
