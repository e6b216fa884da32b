"""Fit the default boxes of a config to the gt boxes of its training data, and show how well they cover them.

Recall is the share of gt boxes that some default box overlaps with an IoU of at least 0.5; possible is what default
boxes of any shape would reach in the cells that there are. Sizes are square roots of areas, in pixels of the network's
input.

Example: python tools/fit_anchors.py configs/bccd/ssd300_r18_bccd.py --picture boxes.png --write my_config.py
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.progress import track
from terminaltables import AsciiTable

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.analysis.anchor_config import variant_config
from ssd_plugin.analysis.anchor_fit import AnchorFit, fit_anchors
from ssd_plugin.analysis.anchor_picture import draw_levels
from ssd_plugin.analysis.anchor_recall import recall_rows
from ssd_plugin.analysis.training_boxes import build_detector, training_boxes
from ssd_plugin.cli.read_config import read_config
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.cli.writable import check_writable
from ssd_plugin.errors import UserError
from ssd_plugin.whole_file import whole_file

PICTURES = {'.png': 'PNG', '.jpg': 'JPEG'}


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', type=Path, help='config file')
    parser.add_argument(
        '--picture',
        type=Path,
        metavar='FILE',
        help='draw, over an image, default boxes of a cell of each level (yellow), the gt boxes that the level matches '
        '(green) and those that no level does (red): a .png or .jpg file',
    )
    parser.add_argument(
        '--write', type=Path, metavar='FILE.py', help='write a config with the fitted boxes, if they are better'
    )
    return parser.parse_args()


def check_places(args: argparse.Namespace) -> None:
    if args.picture and args.picture.suffix not in PICTURES:
        raise UserError(f'--picture {args.picture}: expected a name that ends in {" or ".join(PICTURES)}')
    if args.write and (args.write.suffix != '.py' or args.write.exists()):
        raise UserError(f'--write {args.write}: expected the name of a new file that ends in .py')
    for option, place in (('--picture', args.picture), ('--write', args.write)):
        if place:
            check_writable(place.parent, option)


def show_progress(steps: Iterable[Any], description: str, total: int) -> Iterable[Any]:
    return track(steps, description, total, transient=True, disable=not sys.stdout.isatty())


def levels_table(fit: AnchorFit, generator: Any) -> str:
    rows = [['level', 'cells', 'min size', 'fitted', 'max size', 'fitted', 'ratios', 'fitted']]
    now = (generator.min_sizes, generator.max_sizes, generator.box_ratios)
    for number, level in enumerate(fit.levels):
        row = [str(number), f'{len(level.xs)}x{len(level.ys)}']
        for before, after in zip(now, fit.settings.values()):
            # What stays is left blank.
            row += [str(before[number]), '' if before[number] == after[number] else str(after[number])]
        rows.append(row)
    return AsciiTable(rows).table


def main() -> None:
    args = parse_args()
    check_places(args)
    config = read_config(str(args.config), None, None, 'none')
    detector = build_detector(config)
    found = training_boxes(config, detector.input_size, show_progress)
    fit = fit_anchors(detector, found)
    width, height = detector.input_size
    print(f'{len(found.labels)} gt boxes of {len(found.paths)} images, at an input of {width}x{height}')
    header = ['gt boxes', 'number', 'recall', 'fitted', 'possible', 'mean IoU', 'fitted', 'possible']
    print(AsciiTable([header, *recall_rows(found, fit.ious)]).table)
    print(levels_table(fit, detector.bbox_head.prior_generator))
    ways = {'now': fit.levels, 'fitted': fit.fitted_levels} if fit.gains else {'now': fit.levels}
    if args.picture:
        args.picture.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(args.picture, 'wb') as file:
            draw_levels(found, ways, detector.input_size).save(file, format=PICTURES[args.picture.suffix])
        print(f'picture: {args.picture}')
    now, fitted, _ = fit.recalls
    if not fit.gains:
        print(
            f'No better default boxes were found (recall {now:.3f}){", so nothing is written" if args.write else ""}.'
        )
    elif args.write:
        args.write.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(args.write) as file:
            file.write(variant_config(args.config, args.write, fit.settings, fit.recalls))
        print(f'{args.write}: recall {now:.3f} -> {fitted:.3f} with as many default boxes as before')
    else:
        print(
            f'Recall {now:.3f} -> {fitted:.3f} with as many default boxes as before: --write FILE.py makes the config.'
        )


if __name__ == '__main__':
    run_tool(main)
