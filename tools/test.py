"""Evaluate a checkpoint, or a file that tools/export.py made of one.

Example: python tools/test.py configs/shapes/ssd300_r18_shapes.py work_dirs/ssd300_r18_shapes/epoch_20.pth
"""

import argparse
import os
from pathlib import Path

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.checkpoint_fit import CheckpointFitHook
from ssd_plugin.cli.config_types import refusals_in_one_line
from ssd_plugin.cli.exported_file import is_exported, predict_with_file
from ssd_plugin.cli.launch import join_processes
from ssd_plugin.cli.options import OptionsAction
from ssd_plugin.cli.read_config import read_config
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.cli.tta import predict_mirrored_too
from ssd_plugin.cli.validate_config import validate_config
from ssd_plugin.cli.writable import check_writable
from ssd_plugin.engine.inference_optimization import optimize_for_inference
from ssd_plugin.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file, or an exported one')
    parser.add_argument('--work-dir', help='folder for logs and figures (default: work_dirs/CONFIG)')
    parser.add_argument('--out', help='write all predictions to this .pkl file')
    parser.add_argument('--amp', action='store_true', help='run the network in 16 bits: faster, may cost some accuracy')
    parser.add_argument('--fuse-conv-bn', action='store_true', help='fold batch normalisation into the convolutions')
    parser.add_argument('--compile', action='store_true', help='compile the network: for many images of few sizes')
    parser.add_argument('--tta', action='store_true', help='predict every image mirrored too')
    parser.add_argument('--show', action='store_true', help='show every image with its detections')
    parser.add_argument('--show-dir', help='draw detections into this folder of the run')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds a shown image stays')
    parser.add_argument(
        '--cfg-options', nargs='+', action=OptionsAction, metavar='KEY=VALUE', help='change entries of the config'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    # torch.distributed.launch passes it.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if args.out:
        if Path(args.out).suffix not in ('.pkl', '.pickle') or Path(args.out).is_dir():
            raise UserError(f'--out is {args.out!r}, expected a file name ending in .pkl')
        check_writable(Path(args.out).parent, '--out')
    config = read_config(args.config, args.cfg_options, args.work_dir, args.launcher)
    join_processes(config)
    config.load_from = args.checkpoint
    if args.show or args.show_dir:
        config.default_hooks.visualization.update(
            draw=True, show=args.show, wait_time=args.wait_time, test_out_dir=args.show_dir
        )
    warnings = validate_config(config, 'test')
    exported = is_exported(args.checkpoint)
    if exported:
        options = {'--amp': args.amp, '--fuse-conv-bn': args.fuse_conv_bn, '--compile': args.compile, '--tta': args.tta}
        options['--launcher'] = args.launcher != 'none'
        options.update({f'--cfg-options {key}': key.startswith('model.') for key in args.cfg_options or {}})
        predict_with_file(config, args.checkpoint, options)
    if args.tta:
        predict_mirrored_too(config)

    from mmengine.hooks import EMAHook

    from ssd_plugin.cli.build_runner import EvaluationRunner, describe_run
    from ssd_plugin.evaluation.whole_dump import WholeDump

    with refusals_in_one_line(config):
        runner = EvaluationRunner.from_cfg(config)
        runner.register_hook(CheckpointFitHook())
        runner.logger.info(describe_run(runner, config, 'test'))
        for warning in warnings:
            runner.logger.warning(warning)
        if args.out:
            runner.test_evaluator.metrics.append(WholeDump(args.out))
        if args.fuse_conv_bn or exported:
            # A checkpoint holds the averaged weights in place of the last ones, so that testing needs no average; and
            # the hook could not exchange weights with a folded network, nor with a file.
            runner.hooks[:] = [hook for hook in runner.hooks if not isinstance(hook, EMAHook)]
            # Folding needs the trained weights, which test() would load too late.
            runner.load_or_resume()
        if not exported:
            optimize_for_inference(runner.model, args.fuse_conv_bn, args.amp, args.compile)
        runner.test()


if __name__ == '__main__':
    run_tool(main)
