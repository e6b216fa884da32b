"""Make a folder of annotated photographs ready to train on: one command, one config to read and edit.

The folder is in the layout of VOC (with or without lists of images), COCO or YOLO, and is not changed. DIR gets cleaned
copies of the annotations, divided into training and validation where the folder does not say which, and config.py with
default boxes that fit the objects.

Example: python tools/init_project.py data/BCCD --out cells
"""

import argparse
import re
import shlex
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Optional

from rich.progress import track
from terminaltables import AsciiTable

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.analysis.anchor_fit import AnchorFit, fit_anchors
from ssd_plugin.analysis.project_config import epochs_for, project_config
from ssd_plugin.analysis.training_boxes import build_detector, training_boxes
from ssd_plugin.cli.read_config import read_config
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.cli.writable import check_writable
from ssd_plugin.datasets.doctor.check_annotations import check_annotations
from ssd_plugin.datasets.doctor.examine import expect_new_folder
from ssd_plugin.datasets.preparation.own_data import OwnData, prepare_own_data
from ssd_plugin.errors import UserError

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
MOST_ROWS = 20


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('data', type=Path, metavar='DATA_FOLDER')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='a new or empty folder')
    parser.add_argument('--size', default='300', help="side, or WIDTHxHEIGHT, of the network's input (default: 300)")
    parser.add_argument(
        '--val-share', type=float, default=0.2, help='share of the images to validate with (default: 0.2)'
    )
    parser.add_argument('--seed', type=int, default=0, help='of the division into training and validation (default: 0)')
    return parser.parse_args()


def parse_size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r'([1-9]\d{1,4})(?:x([1-9]\d{1,4}))?', text)
    if found is None:
        raise UserError(f'--size {text}: expected a side or WIDTHxHEIGHT in pixels, such as 300 or 400x300')
    return int(found[1]), int(found[2] or found[1])


def check_arguments(args: argparse.Namespace) -> None:
    if not args.data.is_dir():
        raise UserError(f'{args.data}: no such folder, expected one with images and annotations')
    if not 0 < args.val_share < 1:
        raise UserError(f'--val-share {args.val_share:g}: expected a share above 0 and below 1')
    expect_new_folder(args.out)
    if args.data.resolve() in (args.out.resolve(), *args.out.resolve().parents):
        raise UserError(f'--out {args.out}: lies in {args.data}, which is not written to, expected another place')
    check_writable(args.out, '--out')


def show_progress(steps: Iterable[Any], description: str, total: int) -> Iterable[Any]:
    return track(steps, description, total, transient=True, disable=not sys.stdout.isatty())


def fit_boxes(config_path: Path) -> AnchorFit:
    config = read_config(str(config_path), None, None, 'none')
    check_annotations(config, LOADERS, None)
    detector = build_detector(config)
    return fit_anchors(detector, training_boxes(config, detector.input_size, show_progress))


def write_project(args: argparse.Namespace, size: tuple[int, int], draft: Path) -> tuple[OwnData, Optional[AnchorFit]]:
    data = prepare_own_data(args.data, draft, args.val_share, args.seed, show_progress)
    (draft / 'classes.txt').write_text(''.join(f'{name}\n' for name in data.classes))
    config_path = draft / 'config.py'
    folder = args.data.resolve()
    config_path.write_text(project_config(data, folder, draft, size, None))
    fit = fit_boxes(config_path)
    if fit.gains:
        config_path.write_text(project_config(data, folder, draft, size, fit.settings))
    return data, fit


def sides_table(data: OwnData) -> str:
    names = {'train': 'training', 'val': 'validation', 'test': 'test'}
    sides = list(data.sides.values())
    totals = [side.total for side in sides]
    rows = [['', *(names[role] for role in data.sides)], ['images', *(str(len(side.objects)) for side in sides)]]
    rows += [[name, *(str(total[name]) for total in totals)] for name in data.classes[:MOST_ROWS]]
    if rest := data.classes[MOST_ROWS:]:
        rows.append([f'{len(rest)} more classes', *(str(sum(total[name] for name in rest)) for total in totals)])
    return AsciiTable(rows).table


def main() -> None:
    args = parse_args()
    size = parse_size(args.size)
    check_arguments(args)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='.init-', dir=args.out.parent) as folder:
        draft = Path(folder, 'project')
        draft.mkdir()
        data, fit = write_project(args, size, draft)
        draft.rename(args.out)
    division = "the folder's own division" if data.found_split else f'divided with seed {args.seed}'
    print(f'{args.data}: {data.layout}, {len(data.classes)} classes, {division}')
    print(sides_table(data))
    if data.lines:
        print(f'The copies in {args.out} are without what is refused, removed, skipped or left out:')
    for line in data.lines:
        print(f'  {line}')
    if data.unused:
        print(f'left out: classes without objects: {", ".join(data.unused)}')
    for role in data.sides:
        missing = [name for name in data.classes if not data.sides[role].total[name]]
        if missing:
            print(f'not in {role}: {", ".join(missing)}')
    now, fitted, _ = fit.recalls
    print(
        f'default boxes fitted to the objects: recall {now:.3f} -> {fitted:.3f}'
        if fit.gains
        else f'default boxes as published: recall {now:.3f}, and none better were found'
    )
    config, tools = args.out / 'config.py', Path(sys.argv[0]).parent
    epochs = epochs_for(len(data.sides['train'].objects))
    print(f'\n{config} is ready. Next:')
    for tool, rest in (('train.py', ''), ('infer.py', f' {args.out / "work_dir" / f"epoch_{epochs}.pth"} PHOTOS')):
        print(f'  python {shlex.quote(str(tools / tool))} {config}{rest}')


if __name__ == '__main__':
    run_tool(main)
