"""Detect in images, videos and cameras: draw what is found, and write it as JSON, COCO or CSV.

Examples:
    python tools/infer.py CONFIG CHECKPOINT photo.jpg folder/ 'more/**/*.png' list.txt --out-dir out
    python tools/infer.py CONFIG CHECKPOINT clip.mp4 --classes cat,dog --score-thr 0.5
    python tools/infer.py CONFIG CHECKPOINT webcam:0                         # until ctrl-C
    python tools/infer.py CONFIG CHECKPOINT slide.tif --tile 640x480 --csv cells.csv

Each image becomes OUT/vis/NAME.jpg and OUT/preds/NAME.json, a video OUT/vis/NAME.mp4 and OUT/preds/NAME.json with a
line for each frame. Ctrl-C ends after the present batch, with everything written so far whole.
"""

import argparse
import sys
from functools import partial
from itertools import islice
from math import ceil
from pathlib import Path

from rich.progress import track

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.build_inferencer import build_inferencer
from ssd_plugin.cli.device import check_device
from ssd_plugin.cli.result_files import result_files
from ssd_plugin.cli.size_option import parse_size
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.cli.writable import check_writable
from ssd_plugin.errors import UserError
from ssd_plugin.prediction.sources import count_frames, find_sources, read_frames
from ssd_plugin.prediction.tiling import Tiling
from ssd_plugin.stop_signals import on_first_signal, stop_now


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='INPUT',
        help='images, videos, folders and patterns of them, webcam:NUMBER, or a .txt file with one of these on a line',
    )
    parser.add_argument('--allow-url', action='store_true', help='read inputs that are addresses, such as https://...')
    parser.add_argument('--out-dir', type=Path, default='outputs', help='drawings go to its vis/, JSON to its preds/')
    parser.add_argument('--no-save-vis', action='store_true', help='draw nothing: faster')
    parser.add_argument('--coco', type=Path, metavar='FILE.json', help='write all detections to one COCO file too')
    parser.add_argument('--csv', type=Path, metavar='FILE.csv', help='write what is drawn to one table too')
    parser.add_argument('--score-thr', type=float, default=0.3, help='draw detections that score more than this')
    parser.add_argument('--classes', metavar='NAME,NAME', help='leave out detections of other classes')
    parser.add_argument(
        '--tile', metavar='WxH', help='look at large images in tiles of so many pixels, such as 640x480'
    )
    parser.add_argument('--tile-overlap', type=float, default=0.25, help='of neighbours, as a share of a tile')
    parser.add_argument('--tile-only', action='store_true', help='do not look at the whole image beside its tiles')
    parser.add_argument('--batch-size', type=int, default=8)
    parser.add_argument('--amp', action='store_true', help='run the network in 16 bits: faster, may cost some accuracy')
    parser.add_argument('--fuse-conv-bn', action='store_true', help='fold batch normalisation into the convolutions')
    parser.add_argument('--compile', action='store_true', help='compile the network: for many images of few sizes')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, ... (default: the best there is)')
    return parser.parse_args()


def check_args(args: argparse.Namespace) -> None:
    if args.batch_size < 1:
        raise UserError(f'--batch-size is {args.batch_size}, expected a whole number above 0')
    if not 0 <= args.score_thr <= 1:
        raise UserError(f'--score-thr is {args.score_thr:g}, expected a number from 0 to 1')
    for name, suffix in (('coco', '.json'), ('csv', '.csv')):
        path = getattr(args, name)
        if path is None:
            continue
        if path.suffix != suffix or path.is_dir():
            raise UserError(f"--{name} is '{path}', expected a file name ending in {suffix}")
        check_writable(path.parent, f'--{name}')


def main() -> None:
    args = parse_args()
    check_args(args)
    sources = {source.place: source for source in find_sources(args.inputs, args.allow_url)}
    files = {sources[place]: results for place, results in result_files(sources, args.out_dir).items()}
    check_device(args.device)
    tiling = args.tile and Tiling(*parse_size(args.tile, '--tile', '640x480'), args.tile_overlap, not args.tile_only)
    inferencer = build_inferencer(
        args.config,
        args.checkpoint,
        args.device,
        fuse=args.fuse_conv_bn,
        amp=args.amp,
        compiled=args.compile,
    )

    from ssd_plugin.prediction.predictor import Predictor
    from ssd_plugin.prediction.writers import open_writers

    predict = Predictor(inferencer, args.batch_size, args.classes and args.classes.split(','), tiling)
    skipped: list[UserError] = []
    stopped: list[int] = []

    def skip(error: UserError) -> None:
        # One of a thousand costs no other its result.
        skipped.append(error)
        print(f'skipped: {error}', file=sys.stderr)

    done, total, size = 0, count_frames(files), 1 if tiling else args.batch_size
    frames = read_frames(files, skip)
    batches = iter(lambda: list(islice(frames, size)), [])
    on_first_signal(stopped.append)
    with open_writers(files, inferencer, args.score_thr, not args.no_save_vis, args.coco, args.csv) as write:
        for batch in batches if tiling else track(batches, 'Inference', total=total and ceil(total / size)):
            show = partial(track, description=f'Image {done + 1} of {total or "?"}', transient=True)
            for frame, found in zip(batch, predict([frame.image for frame in batch], show)):
                write(frame, found)
            done += len(batch)
            if stopped:
                break
    print(f'{done} images and frames, drawings: {args.out_dir}/vis, detections: {args.out_dir}/preds')
    if stopped:
        stop_now(stopped[0])
    if skipped:
        raise UserError(
            f'{len(skipped)} of {len(files)} images and videos were skipped or cut short, expected whole files; the '
            'lines above name them'
        )


if __name__ == '__main__':
    run_tool(main)
