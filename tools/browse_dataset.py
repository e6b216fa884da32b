"""Draw training samples as the network is given them, with their objects and the default boxes that these match.

Examples:
    python tools/browse_dataset.py configs/bccd/ssd300_r18_bccd.py
    python tools/browse_dataset.py configs/bccd/ssd300_r18_bccd.py --images 3 --repeat 4 --out-dir augmented
"""

import argparse
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import track

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.options import OptionsAction
from ssd_plugin.cli.read_config import read_config
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.cli.validate_config import validate_config
from ssd_plugin.cli.writable import check_writable
from ssd_plugin.errors import UserError
from ssd_plugin.whole_file import whole_file


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--out-dir', type=Path, default='outputs/browse', help='folder (default: %(default)s)')
    parser.add_argument('--images', type=int, default=12, help='how many, drawn by lot (default: %(default)s)')
    parser.add_argument('--repeat', type=int, default=1, help='augmentations of each (default: %(default)s)')
    parser.add_argument('--split', choices=('train', 'val'), default='train', help='(default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='another one for other images (default: %(default)s)')
    parser.add_argument(
        '--cfg-options', nargs='+', action=OptionsAction, metavar='KEY=VALUE', help='change entries of the config'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    for name in ('images', 'repeat'):
        if getattr(args, name) < 1:
            raise UserError(f'--{name} is {getattr(args, name)}, expected at least 1')
    if not 0 <= args.seed < 2**32:
        raise UserError(f'--seed is {args.seed}, expected a whole number from 0 to {2**32 - 1}')
    check_writable(args.out_dir, '--out-dir')
    # Repaired annotations go where a run has its work folder.
    with TemporaryDirectory() as work_dir:
        config = read_config(args.config, args.cfg_options, work_dir, 'none')
        validate_config(config, 'train')
        if args.split == 'val' and not config.get('val_dataloader'):
            raise UserError(f'{args.config}: no val_dataloader, expected one for --split val')

        from ssd_plugin.analysis.browse import browse
        from ssd_plugin.analysis.browse_picture import COLUMNS, ROWS, draw_page

        browsed = browse(config, args.split, args.images, args.repeat, args.seed)
        args.out_dir.mkdir(parents=True, exist_ok=True)
        # The augmentations of an image stand in a row.
        columns = args.repeat if 1 < args.repeat <= COLUMNS else COLUMNS
        samples = iter(track(browsed.samples, 'samples', browsed.number))
        number = 0
        while page := list(islice(samples, columns * ROWS)):
            number += 1
            with whole_file(args.out_dir / f'{args.split}_{number:03}.png', 'wb') as file:
                draw_page(page, browsed.classes, browsed.palette, min(columns, len(page))).savefig(file)
    pages = f'{number} page{"s" if number > 1 else ""}'
    print(f'{browsed.number} samples on {pages}: {args.out_dir}/{args.split}_*.png')


if __name__ == '__main__':
    run_tool(main)
