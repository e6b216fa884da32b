"""Draw the training loss and the AP on val of some runs side by side, a line for each work folder.

Example: python docs/learning_curves.py docs/images/learning_curves.svg work_dirs/ssd300_r18_bccd work_dirs/other
"""

import argparse
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from ssd_plugin.analysis.report.log_curves import Point, read_curves

AP = 'coco/bbox_mAP'


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('picture', type=Path, help='.svg or .png')
    parser.add_argument('work_dirs', type=Path, nargs='+')
    arguments = parser.parse_args()
    figure = Figure(figsize=(9, 3.4), layout='constrained')
    loss, ap = figure.subplots(1, 2)
    for folder in arguments.work_dirs:
        curves = read_curves(folder)
        if not curves.train:
            parser.error(f'{folder}: no logged training, expected the work folder of a run')
        loss.plot(*column(curves.train, 'loss'), label=folder.name, linewidth=1)
        ap.plot(*column(curves.val, AP), label=folder.name, marker='o', markersize=3, linewidth=1)
    loss.set(xlabel='iteration', ylabel='training loss', yscale='log')
    ap.set(xlabel='epoch', ylabel='COCO AP on val')
    ap.legend(fontsize='small')
    with rc_context({'svg.hashsalt': 'learning curves'}):
        figure.savefig(arguments.picture, metadata={'Date': None} if arguments.picture.suffix == '.svg' else None)


def column(points: list[Point], name: str) -> tuple[list[int], list[float]]:
    """Give a logged number over its step."""
    there = [point for point in points if name in point.values]
    return [point.step for point in there], [point.values[name] for point in there]


if __name__ == '__main__':
    main()
