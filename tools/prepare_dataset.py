"""Check a data set of the paper after unpacking its archives, and write the annotation files that the configs name.

Nothing is downloaded: what is missing is named, with the page that has it.

Example: python tools/prepare_dataset.py coco data/coco
"""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.progress import track

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.datasets.preparation.prepare_coco import prepare_coco
from ssd_plugin.datasets.preparation.prepare_ilsvrc import prepare_ilsvrc
from ssd_plugin.datasets.preparation.prepare_voc import prepare_voc

# Data set -> what prepares it, and the variable and default of its configs.
DATASETS = {
    'voc': (prepare_voc, 'VOC_ROOT', 'data/VOCdevkit'),
    'coco': (prepare_coco, 'COCO_ROOT', 'data/coco'),
    'ilsvrc': (prepare_ilsvrc, 'ILSVRC_ROOT', 'data/ILSVRC'),
}


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('dataset', choices=DATASETS)
    parser.add_argument(
        'root',
        nargs='?',
        type=Path,
        help='its folder (default: what its configs read: VOC_ROOT, COCO_ROOT or ILSVRC_ROOT of the environment, '
        'else data/VOCdevkit, data/coco or data/ILSVRC)',
    )
    return parser.parse_args()


def show_progress(steps: Iterable[Any], description: str, total: int) -> Iterable[Any]:
    return track(steps, description=description, total=total)


def main() -> None:
    args = parse_args()
    prepare, variable, default = DATASETS[args.dataset]
    for line in prepare(args.root or Path(os.environ.get(variable, default)), show_progress):
        print(line)


if __name__ == '__main__':
    run_tool(main)
