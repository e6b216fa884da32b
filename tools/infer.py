"""Draw detections into images, and write them as JSON.

Example: python tools/infer.py configs/shapes/ssd300_r18_shapes.py CHECKPOINT data/shapes/JPEGImages --out-dir out
"""

import argparse
import sys
from pathlib import Path

from rich.progress import track

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.build_inferencer import build_inferencer
from ssd_plugin.cli.device import check_device
from ssd_plugin.cli.find_images import find_images
from ssd_plugin.cli.result_files import result_files
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('inputs', nargs='+', type=Path, metavar='INPUT', help='images and folders of images')
    parser.add_argument('--out-dir', type=Path, default='outputs', help='drawings go to its vis/, JSON to its preds/')
    parser.add_argument('--score-thr', type=float, default=0.3, help='draw detections that score at least this')
    parser.add_argument('--batch-size', type=int, default=8)
    parser.add_argument('--amp', action='store_true', help='run the network in 16 bits: faster, may cost some accuracy')
    parser.add_argument('--fuse-conv-bn', action='store_true', help='fold batch normalisation into the convolutions')
    parser.add_argument('--compile', action='store_true', help='compile the network: for many images of few sizes')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, ... (default: the best there is)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if args.batch_size < 1:
        raise UserError(f'--batch-size is {args.batch_size}, expected a whole number above 0')
    if not 0 <= args.score_thr <= 1:
        raise UserError(f'--score-thr is {args.score_thr:g}, expected a number from 0 to 1')
    results = list(result_files(find_images(args.inputs), args.out_dir).items())
    check_device(args.device)
    inferencer = build_inferencer(
        args.config,
        args.checkpoint,
        args.device,
        fuse=args.fuse_conv_bn,
        amp=args.amp,
        compiled=args.compile,
    )

    from ssd_plugin.datasets.transforms import LoadImage

    reader = LoadImage()
    broken = 0
    for start in track(range(0, len(results), args.batch_size), description='Inference'):
        loaded = []
        for path, files in results[start : start + args.batch_size]:
            try:
                loaded.append((reader({'img_path': str(path)})['img'], files))
            except UserError as error:
                # One of a thousand costs no other its result.
                broken += 1
                print(f'skipped: {error}', file=sys.stderr)
        if not loaded:
            continue
        samples = inferencer.forward(inferencer.collate_fn([inferencer.pipeline(image) for image, _ in loaded]))
        # The pipeline takes BGR, the visualizer RGB.
        drawings = inferencer.visualize(
            [image[..., ::-1] for image, _ in loaded], samples, return_vis=True, pred_score_thr=args.score_thr
        )
        for (_, files), sample, drawing in zip(loaded, samples, drawings):
            files.write(drawing, inferencer.pred2dict(sample))
    done = len(results) - broken
    print(f'{done} images: {args.out_dir}/vis, detections: {args.out_dir}/preds')
    if broken:
        raise UserError(
            f'{broken} of {len(results)} images were skipped, expected image files; the lines above name them'
        )


if __name__ == '__main__':
    run_tool(main)
