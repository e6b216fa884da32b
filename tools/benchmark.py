"""Measure speed and memory beside mmdet's own SSD, in one run, without any data.

Examples:
    python tools/benchmark.py --quick
    python tools/benchmark.py --only loss,predict --threads 1
"""

import argparse
from pathlib import Path

import torch

from benchmark.report import Row, cells
from benchmark.settings import Settings
from benchmark.suite import NAMES, run
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('--quick', action='store_true', help='two rounds of small cases: a look, not a result')
    parser.add_argument('--only', default=','.join(NAMES), metavar='PARTS', help='(default: %(default)s)')
    parser.add_argument('--device', choices=('cpu', 'cuda'), default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--threads', type=int, help="threads of PyTorch (default: PyTorch's own choice)")
    parser.add_argument('--out', type=Path, default=Path('work_dirs/benchmark'), help='folder (default: %(default)s)')
    return parser.parse_args()


def show(row: Row) -> None:
    print(' | '.join(cells(row)), flush=True)


def main() -> None:
    args = parse_args()
    names = args.only.split(',')
    for name in names:
        if name not in NAMES:
            raise UserError(f'--only has {name!r}, expected some of {",".join(NAMES)}')
    if args.device == 'cuda':
        if not torch.cuda.is_available():
            raise UserError('--device is cuda, but PyTorch finds no GPU, expected cpu')
        torch.backends.cudnn.benchmark = True  # as in the configs
    if args.threads is not None:
        if args.threads < 1:
            raise UserError(f'--threads is {args.threads}, expected at least 1')
        torch.set_num_threads(args.threads)
    report = run(names, Settings(args.device, args.quick), show)
    report.write(args.out)
    print(f'\n{report.markdown()}\n{args.out}/results.md, {args.out}/results.json')


if __name__ == '__main__':
    run_tool(main)
