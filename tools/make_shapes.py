"""Draw the embedded data set of shapes.

Example: python tools/make_shapes.py data/shapes --images 500
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from rich.progress import track

from ssd_plugin.cli.size_option import parse_size
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.cli.writable import check_writable
from ssd_plugin.datasets.shapes.annotations import ImageRecord
from ssd_plugin.datasets.shapes.make_shapes import ShapesParameters, make_shapes


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    defaults = ShapesParameters()
    parser.add_argument('out', type=Path, help='folder to write; one that already holds this data set is left alone')
    parser.add_argument('--images', type=int, default=defaults.images, help='number of images (default: %(default)s)')
    parser.add_argument('--size', default='320x240', help='width x height in pixels (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=defaults.seed, help='(default: %(default)s)')
    parser.add_argument(
        '--val-fraction', type=float, default=defaults.val_fraction, help='share held out (default: %(default)s)'
    )
    parser.add_argument('--workers', type=int, default=2, help='processes (default: %(default)s)')
    return parser.parse_args()


def show_progress(records: Iterable[ImageRecord], total: int) -> Iterable[ImageRecord]:
    return track(records, description='drawing', total=total)


def main() -> None:
    args = parse_args()
    width, height = parse_size(args.size, '--size', '320x240')
    parameters = ShapesParameters(args.images, width, height, args.seed, args.val_fraction)
    if not args.out.exists():
        check_writable(args.out, 'OUT')
    written = make_shapes(args.out, parameters, args.workers, show_progress)
    print(f'{args.out}: {parameters.images} images {"written" if written else "already there"}')


if __name__ == '__main__':
    run_tool(main)
