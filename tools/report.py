"""Write what a run has learnt as one HTML file: curves, accuracy, errors, images, speed and recipe.

The best checkpoint of the work folder, or else the last one, is evaluated on the validation data once.

Examples:
    python tools/report.py work_dirs/ssd300_r18_shapes
    python tools/report.py --compare work_dirs/first work_dirs/second --out compare.html
"""

import argparse
from pathlib import Path

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.device import check_device
from ssd_plugin.cli.options import OptionsAction
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.cli.writable import check_writable
from ssd_plugin.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    runs = parser.add_mutually_exclusive_group(required=True)
    runs.add_argument('work_dir', nargs='?', type=Path, metavar='WORK_DIR', help='work folder of a run')
    runs.add_argument('--compare', nargs=2, type=Path, metavar=('A', 'B'), help='two work folders, side by side')
    parser.add_argument('--out', type=Path, help='the file (default: report.html, or compare.html, in the work folder)')
    parser.add_argument('--split', choices=('val', 'test'), default='val', help='data to evaluate on (default: val)')
    parser.add_argument('--predictions', type=Path, metavar='FILE', help='take those of tools/test.py --out instead')
    parser.add_argument('--score-thr', type=float, default=0.3, help='draw detections that score at least this')
    parser.add_argument('--device', default='cpu', help='cpu, cuda, cuda:1, ... (default: %(default)s)')
    parser.add_argument(
        '--cfg-options', nargs='+', action=OptionsAction, metavar='KEY=VALUE', help='change entries of the config'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if not 0 <= args.score_thr <= 1:
        raise UserError(f'--score-thr is {args.score_thr:g}, expected a number from 0 to 1')
    if args.compare and args.predictions:
        raise UserError('--predictions: of one run, expected no --compare beside it')
    folders = args.compare or [args.work_dir]
    out = args.out or folders[0] / ('compare.html' if args.compare else 'report.html')
    check_writable(out.parent, '--out')
    check_device(args.device)

    # Seconds, which a mistake in the command need not wait for.
    from ssd_plugin.analysis.report.page import render
    from ssd_plugin.analysis.report.run_data import Settings, gather
    from ssd_plugin.whole_file import whole_file

    settings = Settings(args.split, args.predictions, args.cfg_options, args.device, args.score_thr)
    runs = [gather(folder, settings) for folder in folders]
    page = render(runs, settings)
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(out) as file:
        file.write(page)
    print(f'{out} ({len(page.encode()) / 1e6:.1f} MB)')


if __name__ == '__main__':
    run_tool(main)
