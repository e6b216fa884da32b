"""Look through the annotations and images of a data set, and say what is wrong with them.

The data sets of a config, or of a folder in the layout of VOC, COCO or YOLO. mmdet does not read YOLO's: --fix makes
COCO files of it. The exit status is 1 if something would be lost or wrong in training.

Example: python tools/check_dataset.py configs/bccd/ssd300_r18_bccd.py --picture worst.png --fix cleaned
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.progress import track
from terminaltables import AsciiTable

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.config_data import check_data
from ssd_plugin.cli.read_config import read_config
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.datasets.doctor.examine import (
    as_json,
    examine,
    expect_new_folder,
    first_lines,
    is_lossy,
    table,
    write_clean,
)
from ssd_plugin.datasets.doctor.pictures import contact_sheet, worst_cases
from ssd_plugin.datasets.doctor.sources import Source, config_sources, folder_sources
from ssd_plugin.errors import UserError
from ssd_plugin.whole_file import whole_file

PICTURES = {'.png': 'PNG', '.jpg': 'JPEG'}
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('data', type=Path, metavar='CONFIG_OR_FOLDER')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write every fault to a file')
    parser.add_argument('--picture', type=Path, metavar='FILE', help='draw the worst cases: a .png or .jpg file')
    parser.add_argument(
        '--fix', type=Path, metavar='DIR', help='write a cleaned copy of the annotations to a new folder'
    )
    return parser.parse_args()


def find_sources(data: Path) -> list[Source]:
    if data.is_dir():
        sources = list(folder_sources(data))
    else:
        config = read_config(str(data), None, None, 'none')
        check_data(config, LOADERS)
        # The test data are mostly the validation data.
        by_files = {
            (source.annotations, source.images, source.training): source
            for source, _ in reversed(list(config_sources(config, LOADERS)))
        }
        sources = list(by_files.values())[::-1]
    if not sources:
        raise UserError(f'{data}: no data set, expected annotations in the layout of VOC, COCO or YOLO')
    return sources


def show_progress(steps: Iterable[Any], description: str, total: int) -> Iterable[Any]:
    return track(steps, description=description, total=total)


def main() -> None:
    args = parse_args()
    if args.picture and args.picture.suffix not in PICTURES:
        raise UserError(f'--picture {args.picture}: expected a name that ends in {" or ".join(PICTURES)}')
    for place in (args.json, args.picture):
        if place and not place.parent.is_dir():
            raise UserError(f'{place}: {place.parent} is no folder, expected one to write into')
    if args.fix:
        expect_new_folder(args.fix)
    results = examine(find_sources(args.data), show_progress)
    print(AsciiTable(table(results)).table)
    for line in first_lines(results):
        print(line)
    if args.json:
        with whole_file(args.json) as file:
            json.dump(as_json(results), file, indent=1)
    cases = worst_cases(fault for one in results for fault in one.faults)
    if args.picture and cases:
        with whole_file(args.picture, 'wb') as file:
            contact_sheet(cases).save(file, format=PICTURES[args.picture.suffix])
    if args.fix:
        for key, settings in write_clean(results, args.fix).items():
            # A folder's data sets have no place in a config yet.
            prefix, way = ('', 'in its data set') if args.data.is_dir() else (f'{key}.', '--cfg-options')
            pairs = ' '.join(shlex.quote(f'{prefix}{name}={value}') for name, value in settings.items())
            print(f'cleaned copy of {key}; a config reads it with {way} {pairs}')
    sys.exit(1 if is_lossy(results) else 0)


if __name__ == '__main__':
    run_tool(main)
