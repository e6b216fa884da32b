"""Export a trained detector for another runtime, and prove on real images that the file predicts the same.

Example: python tools/export.py CONFIG CHECKPOINT --format onnx --out detector.onnx

The file takes images of the network's size; resizing stays outside. Boxes come in pixels of that size. Inside the file,
under the name ssd_plugin, JSON says the classes, the input size, how images are prepared and how detections come out:
examples/onnx_numpy.py reads it. tools/infer.py and tools/test.py take the file in place of a checkpoint.

Before the file is put in its place it predicts the validation set of the config beside the checkpoint: boxes have to
agree to 0.01 pixels, scores and AP to 0.001. Otherwise there is an error and no file. The same goes for --int8, by what
it costs in AP.
"""

import argparse
from pathlib import Path

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.build_inferencer import build_inferencer
from ssd_plugin.cli.config_types import refusals_in_one_line
from ssd_plugin.cli.find_images import find_images
from ssd_plugin.cli.read_config import read_config
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.cli.validate_config import validate_config
from ssd_plugin.cli.writable import check_writable
from ssd_plugin.errors import UserError

FORMATS = ('onnx', 'openvino', 'torchscript', 'torch-export')


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', type=Path, help='checkpoint file')
    parser.add_argument('--format', choices=FORMATS, default='onnx', help='(default: %(default)s)')
    parser.add_argument('--out', type=Path, required=True, help='the file: .onnx, .xml, .torchscript or .pt2')
    parser.add_argument(
        '--nms',
        choices=['inside', 'outside'],
        help='inside: the file gives detections; outside: boxes and scores of all default boxes, for a runtime without '
        'suppression (default: inside for onnx and openvino, outside for the others, which have none)',
    )
    parser.add_argument(
        '--preprocess',
        choices=['inside', 'outside'],
        default='outside',
        help='inside: the file takes uint8 BGR as OpenCV reads it; outside: normalised float32 (default: %(default)s)',
    )
    parser.add_argument(
        '--images', nargs='+', type=Path, metavar='IMAGE', help='compare on these, without AP, instead of the set'
    )
    parser.add_argument(
        '--int8', action='store_true', help='compute in 8 bits, with --format openvino: faster, costs a little AP'
    )
    parser.add_argument(
        '--calibration-images',
        type=int,
        default=300,
        metavar='N',
        help='training images that the ranges of 8 bits are measured on (default: %(default)s)',
    )
    parser.add_argument(
        '--max-ap-drop', type=float, default=0.005, help='mean AP that 8 bits may cost (default: %(default)s)'
    )
    parser.add_argument('--num-images', type=int, help='compare on the first so many of the set (default: all)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if args.num_images is not None and args.num_images < 1:
        raise UserError(f'--num-images is {args.num_images}, expected a whole number above 0')
    if args.calibration_images < 1:
        raise UserError(f'--calibration-images is {args.calibration_images}, expected a whole number above 0')
    if not 0 <= args.max_ap_drop <= 1:
        raise UserError(f'--max-ap-drop is {args.max_ap_drop:g}, expected a number from 0 to 1')
    if args.int8 and args.images:
        raise UserError('--int8 is given beside --images, expected the validation set, on which AP is measured')
    check_writable(args.out.parent, '--out')
    paths = find_images(args.images) if args.images else []

    from ssd_plugin.deployment import export, gate, quantization

    nms = args.nms or ('inside' if args.format in export.SUPPRESSING else 'outside')
    export.check_export(args.format, nms, args.out, args.int8)
    inferencer = build_inferencer(args.config, str(args.checkpoint), 'cpu', show_progress=False)
    calibration = None
    if paths:
        images = gate.image_files(paths, inferencer.pipeline)
    else:
        config = read_config(args.config, None, None, 'none')
        config.test_dataloader, config.test_evaluator = config.val_dataloader, config.val_evaluator
        for mode in ('test', 'train') if args.int8 else ('test',):
            for line in validate_config(config, mode):
                print(line)
        config.val_dataloader = config.test_dataloader  # of annotations that were repaired
        with refusals_in_one_line(config):
            images = gate.validation_images(config, args.num_images)
            if args.int8:
                samples = quantization.choose_samples(config, args.calibration_images)
                calibration = quantization.Calibration(samples, args.max_ap_drop)
    print(
        export.write_proved(
            inferencer, args.checkpoint, args.format, nms, args.preprocess, images, args.out, calibration
        )
    )
    print(f'{args.out}: predicts as {args.checkpoint}{", but for 8 bits" if args.int8 else ""}')


if __name__ == '__main__':
    run_tool(main)
