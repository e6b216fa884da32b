"""Predict more images than one process can, with Ray, on this machine or on a cluster; detections go to Parquet.

Example: python tools/predict_ray.py CONFIG CHECKPOINT images/ --out-dir found

INPUT is a folder of images, a text file with a path on each line, or Parquet (a file or a folder of such) with a
column of paths or of the contents of image files. Each --part-size images become one part-NNNNNN.parquet with a row for
each image: image, bboxes (x1, y1, x2, y2 in pixels), scores, labels, and error for an image that cannot be read. Parts
are there whole or not at all: started again, a run that was stopped goes on with those that are missing. Detections are
those of tools/infer.py, to the last digit where threads (OMP_NUM_THREADS; a worker has one) and batches are the same.

With --address it joins a cluster (auto, or HOST:PORT), whose machines see all these files under the same paths.
"""

import argparse
import hashlib
import json
import logging
import os
import signal
from pathlib import Path

from rich.progress import track

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
from ssd_plugin.cli.build_inferencer import build_inferencer
from ssd_plugin.cli.tool_main import run_tool, tool_parser
from ssd_plugin.errors import UserError
from ssd_plugin.prediction.image_parts import ImagePart, find_parts
from ssd_plugin.whole_file import whole_file

# Ray's store of objects passes what to do and what was done, no images.
STORE_BYTES = 500_000_000
# So many parts may fail of what nobody foresaw, before the run ends with its traceback.
FAILED_PARTS = 10


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('input', type=Path, metavar='INPUT', help='folder of images, list of paths, or Parquet')
    parser.add_argument('--column', default='image', help='of Parquet (default: %(default)s)')
    parser.add_argument('--out-dir', type=Path, default=Path('outputs'), help='(default: %(default)s)')
    parser.add_argument('--part-size', type=int, default=256, help='images in a part (default: %(default)s)')
    parser.add_argument('--batch-size', type=int, default=8, help='(default: %(default)s)')
    parser.add_argument('--amp', action='store_true', help='run the network in 16 bits: faster, may cost some accuracy')
    parser.add_argument('--fuse-conv-bn', action='store_true', help='fold batch normalisation into the convolutions')
    parser.add_argument('--workers', type=int, help='processes (default: one for each CPU, or each share of a GPU)')
    parser.add_argument(
        '--gpus-per-worker', type=float, help='0.5 = two share one (default: 1, or 0 where there is none)'
    )
    parser.add_argument('--address', help='of a Ray cluster (default: start Ray on this machine)')
    return parser.parse_args()


def check_args(args: argparse.Namespace) -> None:
    for name in ('part_size', 'batch_size', 'workers'):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise UserError(f'--{name.replace("_", "-")} is {value}, expected a whole number above 0')
    if args.gpus_per_worker is not None and not 0 <= args.gpus_per_worker < float('inf'):
        raise UserError(f'--gpus-per-worker is {args.gpus_per_worker}, expected 0 or more')


def claim_folder(args: argparse.Namespace, parts: list[ImagePart]) -> None:
    """Note what the folder is for; refuse one whose parts are of something else."""
    config = build_inferencer(args.config, args.checkpoint, 'cpu').cfg
    run = {
        'config': digest(repr((config.model, config.test_dataloader.dataset.pipeline)).encode()),
        'checkpoint': digest(Path(args.checkpoint).read_bytes()),
        'input': digest(repr(parts).encode()),
        **{name: getattr(args, name) for name in ('part_size', 'batch_size', 'amp', 'fuse_conv_bn')},
    }
    note = args.out_dir / '_run.json'
    try:
        args.out_dir.mkdir(parents=True, exist_ok=True)
        if not note.exists():
            with whole_file(note) as file:
                json.dump(run, file, indent=2)
    except OSError as error:
        raise UserError(f'--out-dir {args.out_dir}: {error.strerror}, expected a folder to write in') from error
    earlier = json.loads(note.read_text())
    for name, value in run.items():
        if earlier.get(name) != value:
            raise UserError(f'{note}: {name} was {earlier.get(name)} and is now {value}, expected another --out-dir')


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def start_ray(args: argparse.Namespace) -> tuple[int, float]:
    """Give the number of workers and of the GPUs of each."""
    import ray

    local = {} if args.address else {'num_cpus': args.workers, 'object_store_memory': STORE_BYTES}
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(args.address or 'local', logging_level='error', log_to_driver=False, **local)
    except (ConnectionError, ValueError) as error:
        raise UserError(f'--address {args.address}: no Ray cluster, expected auto or HOST:PORT ({error})') from error
    signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own ends with a dump of the stack.
    there = ray.cluster_resources()
    gpus = float('GPU' in there) if args.gpus_per_worker is None else args.gpus_per_worker
    if gpus > there.get('GPU', 0):
        raise UserError(f'--gpus-per-worker is {gpus:g}, expected no more than there are ({there.get("GPU", 0):g})')
    return args.workers or int(there['GPU'] / gpus if gpus else there['CPU']), gpus


def predict(args: argparse.Namespace, parts: list[ImagePart]) -> None:
    """Have workers write the parts."""
    from ray.data import ActorPoolStrategy, DataContext, from_items

    from ssd_plugin.prediction.part_predictor import PartPredictor

    workers, gpus = start_ray(args)
    context = DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    context.max_errored_blocks = FAILED_PARTS
    logging.getLogger('ray.data').setLevel(logging.ERROR)
    build = {
        'config_path': os.path.abspath(args.config),
        'checkpoint': os.path.abspath(args.checkpoint),
        'device': 'cuda' if gpus else 'cpu',
        'fuse': args.fuse_conv_bn,
        'amp': args.amp,
    }
    done = from_items([vars(part) for part in parts], override_num_blocks=len(parts)).map(
        PartPredictor,
        fn_constructor_args=(args.out_dir.absolute(), args.batch_size, build),
        # A second part in the queue of a worker would wait for it, and die with it.
        compute=ActorPoolStrategy(size=min(workers, len(parts)), max_tasks_in_flight_per_actor=1),
        num_cpus=1,
        num_gpus=gpus,
    )
    for row in track(done.iter_rows(), description='predicting', total=len(parts)):
        if row['failure']:
            raise UserError(row['failure'])


def report(out_dir: Path, parts: list[ImagePart]) -> None:
    """Count the images, those of earlier runs too; end with an error unless all are predicted."""
    from pyarrow import parquet

    lost, errors = [], []
    for part in parts:
        path = out_dir / part.file_name
        if path.exists():
            errors += parquet.read_table(path, columns=['error']).column(0).drop_null().to_pylist()
        else:
            lost.append(part)
    count = sum(len(part.names) for part in parts)
    predicted = count - sum(len(part.names) for part in lost) - len(errors)
    print(f'{predicted} of {count} images predicted: {out_dir}')
    if lost:
        raise UserError(
            f'{out_dir}: {len(lost)} of {len(parts)} parts failed or killed their workers, the first is that of '
            f'{lost[0].names[0]}; expected all, the same command tries these again'
        )
    if errors:
        raise UserError(f'{len(errors)} of {count} images cannot be read, the first: {errors[0]}')


def main() -> None:
    args = parse_args()
    check_args(args)
    try:
        parts = find_parts(args.input, args.column, args.part_size)
        import ray.data  # noqa: F401
    except ModuleNotFoundError as error:
        name = str(error.name).partition('.')[0]
        raise UserError(f"{name} is not installed, expected it by pip install 'ssd_plugin[ray]'") from error
    claim_folder(args, parts)
    for draft in args.out_dir.glob('.part-*'):  # of workers that were killed
        draft.unlink()
    if waiting := [part for part in parts if not (args.out_dir / part.file_name).exists()]:
        predict(args, waiting)
    report(args.out_dir, parts)


if __name__ == '__main__':
    run_tool(main)
