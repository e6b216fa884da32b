"""Compute the loss of a batch again that NonFiniteLossHook saved, and name the layer where it goes wrong.

Example: python tools/replay_batch.py configs/shapes/ssd300_r18_shapes.py work_dirs/x/non_finite/iter_17.pth
"""

import argparse

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.config_types import refusals_in_one_line
from ssd_plugin.cli.read_config import AMP_WRAPPER, read_config
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.engine.checkpoint_safety import load_checkpoint_file
from ssd_plugin.engine.saved_batch import describe_samples, replay
from ssd_plugin.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file of the run')
    parser.add_argument('file', help='non_finite/iter_N.pth in its work folder')
    parser.add_argument('--amp', action='store_true', help='mixed precision, where the run was trained with --amp')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    config = read_config(args.config, None, None, 'none')
    for section in ('model', 'optim_wrapper'):
        if not config.get(section):
            raise UserError(f'{args.config}: no {section}, expected the config of the run')
    saved = load_checkpoint_file(args.file)
    parts = [saved.get(name) for name in ('batch', 'state_dict', 'terms')]
    if not all(isinstance(part, dict) for part in parts) or not {'inputs', 'data_samples'} <= saved['batch'].keys():
        raise UserError(f'{args.file}: holds {sorted(map(str, saved))}, expected a file of NonFiniteLossHook')
    if args.amp:
        config.optim_wrapper.type = AMP_WRAPPER

    from mmdet.registry import MODELS
    from mmdet.utils import register_all_modules
    from mmengine.optim import build_optim_wrapper

    register_all_modules()
    with refusals_in_one_line(config):
        model = MODELS.build(config.model)
        optim_wrapper = build_optim_wrapper(model, config.optim_wrapper)
    try:
        model.load_state_dict(saved['state_dict'])
    except RuntimeError as error:
        raise UserError(
            f'{args.file}: its weights are not those of {args.config}, expected the config of the run'
        ) from error
    terms, layer = replay(model, optim_wrapper, saved['batch'])
    print(*describe_samples(saved['batch']), sep='\n')
    for name, value in terms.items():
        print(f'{name}: {value}, in training {saved["terms"].get(name)}')
    print(f'first layer whose output is not finite: {layer}')


if __name__ == '__main__':
    run_tool(main)
