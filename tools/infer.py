"""Draw detections into images, and write them as JSON.

Example: python tools/infer.py configs/shapes/ssd300_r18_shapes.py CHECKPOINT data/shapes/JPEGImages --out-dir out
"""

import argparse
from pathlib import Path

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.build_inferencer import build_inferencer
from ssd_plugin.cli.find_images import find_images
from ssd_plugin.cli.tool_main import run_tool
from ssd_plugin.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('inputs', nargs='+', type=Path, metavar='INPUT', help='images and folders of images')
    parser.add_argument('--out-dir', default='outputs', help='drawings go to its vis/, JSON to its preds/')
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
    images = [str(image) for image in find_images(args.inputs)]
    inferencer = build_inferencer(
        args.config, args.checkpoint, args.device, fuse=args.fuse_conv_bn, amp=args.amp, compiled=args.compile
    )

    from ssd_plugin.datasets.transforms import LoadImage

    # All of them before the first: a broken file leaves no half of the drawings behind.
    reader = LoadImage()
    for image in images:
        reader({'img_path': image})
    inferencer(
        images, batch_size=args.batch_size, out_dir=args.out_dir, pred_score_thr=args.score_thr, no_save_pred=False
    )
    print(f'{len(images)} images: {args.out_dir}/vis, detections: {args.out_dir}/preds')


if __name__ == '__main__':
    run_tool(main)
