"""Train a detector.

Examples:
    python tools/train.py configs/shapes/ssd300_r18_shapes.py
    python tools/train.py configs/shapes/ssd300_r18_shapes.py --dry-run
"""

import argparse
import os
from tempfile import TemporaryDirectory

from mmengine.config import Config
from rich.progress import track

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.checkpoint_fit import CheckpointFitHook
from ssd_plugin.cli.config_data import check_batches
from ssd_plugin.cli.config_file import load_config
from ssd_plugin.cli.config_types import refusals_in_one_line
from ssd_plugin.cli.launch import join_processes, on_main_process, resume_if_restarted
from ssd_plugin.cli.options import OptionsAction
from ssd_plugin.cli.read_config import AMP_WRAPPER, read_config
from ssd_plugin.cli.schedule_length import follow_length
from ssd_plugin.cli.skip_unreadable_images import skip_unreadable_images
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.cli.validate_config import validate_config
from ssd_plugin.cli.work_dir import check_work_dir, claim_work_dir
from ssd_plugin.cli.writable import check_writable
from ssd_plugin.engine.stop_hook import StopHook
from ssd_plugin.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints (default: work_dirs/CONFIG)')
    parser.add_argument('--amp', action='store_true', help='mixed precision, on a GPU and on a CPU (bfloat16)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from a checkpoint; without a path from the last one in the work folder',
    )
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the learning rate to the batch size over all devices'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='change entries of the config, e.g. train_cfg.max_epochs=5 model.input_size="(400,300)"',
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='check everything, measure a few steps, say what training would take; train and write nothing',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    # torch.distributed.launch passes it.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def print_cost(config: Config) -> None:
    """Print what training would take."""
    if config.launcher != 'none':
        raise UserError(f'--dry-run with --launcher {config.launcher}, expected one process: it measures alone')
    check_writable(config.work_dir, 'work_dir')
    work_dir = config.work_dir
    # Repaired annotations and the list of unreadable images go where a run has its work folder.
    with TemporaryDirectory() as config.work_dir:
        lines = validate_config(config, 'train')
        followed = follow_length(config, load_config(config.filename))
        skip_unreadable_images(config)

        from ssd_plugin.analysis.dry_run import dry_run

        cost = dry_run(config, track)
        lines = [line.replace(config.work_dir, work_dir) for line in lines]
    print(
        '\n'.join([*lines, *filter(None, [followed]), cost.describe(), f'work folder     {work_dir} (not written to)'])
    )


def main() -> None:
    args = parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    config = read_config(args.config, args.cfg_options, args.work_dir, args.launcher)
    join_processes(config)
    if args.amp:
        config.optim_wrapper.type = AMP_WRAPPER
    if args.auto_scale_lr:
        if 'base_batch_size' not in config.get('auto_scale_lr', {}):
            raise UserError(f'{args.config}: no auto_scale_lr.base_batch_size, which --auto-scale-lr needs')
        config.auto_scale_lr.enable = True
    if args.resume:
        config.resume = True
        config.load_from = None if args.resume == 'auto' else args.resume
    resume_if_restarted(config)
    check_work_dir(config)
    if args.dry_run:
        print_cost(config)
        return
    lines = validate_config(config, 'train')
    followed = follow_length(config, load_config(args.config))
    on_main_process(lambda: claim_work_dir(config))
    skip_unreadable_images(config)

    from ssd_plugin.cli.build_runner import ShortRunner, describe_run
    from ssd_plugin.engine import AnnotationReportHook

    with refusals_in_one_line(config):
        runner = ShortRunner.from_cfg(config)
        runner.register_hook(CheckpointFitHook())
        runner.register_hook(StopHook())
        for hook in runner.hooks:
            if isinstance(hook, AnnotationReportHook):
                hook.lines = lines
        check_batches(runner.train_dataloader)
        runner.logger.info(describe_run(runner, config, 'train'))
        if followed:
            runner.logger.info(followed)
        runner.train()


if __name__ == '__main__':
    run_tool(main)
