"""Run a tool of this package, or any script of OpenMMLab, whichever mmcv is installed.

Examples: python -m ssd_plugin train configs/shapes/ssd300_r18_shapes.py
          python -m ssd_plugin mmdet/analysis_tools/analyze_logs.py plot_curve LOG.json --keys loss --out loss.png
          python -m ssd_plugin path/to/script.py ARGUMENTS
"""

import sys
from argparse import REMAINDER

from ssd_plugin.cli.scripts import find_script, our_tools, run_script
from ssd_plugin.cli.tool_main import run_tool, tool_parser


def main() -> None:
    """Read the command line and run what it names."""
    parser = tool_parser(__doc__)
    parser.prog = 'python -m ssd_plugin'
    parser.add_argument('script', help=f'a file, a script that mmdet ships, or one of {", ".join(our_tools())}')
    parser.add_argument('arguments', nargs=REMAINDER, help='those of the script')
    args = parser.parse_args(sys.argv[1:] or ['--help'])
    run_script(find_script(args.script), args.arguments)


if __name__ == '__main__':
    run_tool(main)
