"""Reproduce a row of the paper's tables: check the data, train, measure, write its line beside the published figure.

The same command goes on with a run that was stopped, and measures again one that is done. What a row costs:
docs/reproduce.md.

Examples:
    python tools/reproduce.py --list
    python tools/reproduce.py ssd300_vgg16_voc0712 --gpus 4
"""

import argparse
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.analysis.paper_rows import find_row, rows_table
from ssd_plugin.cli.options import OptionsAction
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('row', nargs='?', help='name of a config in configs/ssd or configs/ablation')
    parser.add_argument('--list', action='store_true', help='show all rows, with what they need')
    parser.add_argument('--gpus', type=int, default=1, help='processes, one for each GPU (default: %(default)s)')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs'),
        help='folder of the work folders and results.md (default: %(default)s)',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help="change entries of the config, for training and evaluation: the row is the paper's no more",
    )
    return parser.parse_args()


def show_rows() -> None:
    head, *rows = rows_table()
    table = Table(box=SIMPLE)
    for number, name in enumerate(head):
        table.add_column(name, no_wrap=number == 0, overflow='fold')
    for cells in rows:
        table.add_row(*cells)
    Console().print(table)


def main() -> None:
    args = parse_args()
    if args.list:
        show_rows()
        return
    if args.row is None:
        raise UserError('no row, expected the name of one; --list shows all')
    row = find_row(args.row)

    from ssd_plugin.analysis.reproduce import reproduce

    for line in reproduce(row, args.out, args.gpus, args.cfg_options or {}):
        print(line)


if __name__ == '__main__':
    run_tool(main)
