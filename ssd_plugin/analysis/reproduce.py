"""Train and measure a row of the paper's tables with the project's own tools, one after the other."""

import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import mmengine
from mmdet.registry import DATASETS
from mmdet.utils import register_all_modules
from mmengine.config import Config

from ssd_plugin.cli import torchrun
from ssd_plugin.cli.config_file import load_config
from ssd_plugin.cli.read_config import read_config
from ssd_plugin.cli.scripts import find_script, run_script
from ssd_plugin.cli.terminal import DEBUG, debugging
from ssd_plugin.cli.writable import check_writable
from ssd_plugin.datasets.preparation.prepare_voc import SERVER
from ssd_plugin.engine.checkpoint_search import find_latest_checkpoint
from ssd_plugin.errors import UserError
from ssd_plugin.evaluation.voc_submission import ARCHIVE
from ssd_plugin.whole_file import whole_file

from .paper_rows import PaperRow, describe_figures, paper_rows

_RESULTS = 'results.md'
_HEAD = ['row', 'in the paper', 'published', 'ours', 'difference']
_START = 'COCO_CHECKPOINT'
# Published name of a figure -> its key among what the metrics give, which is no percentage.
_KEYS = {'mAP': 'pascal_voc/mAP', 'box AP': 'coco/bbox_mAP', 'AP50': 'coco/bbox_mAP_50', 'AP75': 'coco/bbox_mAP_75'}
# Test sets whose annotations only a server has; COCO's takes test-dev2017.
_VOC_SERVER, _COCO_SERVER = 'VOC2012 test', 'COCO test-dev2015'
_COCO_UPLOAD = 'https://competitions.codalab.org/competitions/20794 (test-dev, bbox; an account is needed)'
_TEST_DEV = 'annotations/image_info_test-dev2017.json'


def reproduce(row: PaperRow, out: Path, gpus: int, options: dict[str, Any]) -> list[str]:
    """Check the data, train, measure, and write the row's line into ``OUT/results.md``.

    A run that was stopped goes on, and one that is done is measured again.

    Args:
        row: What to reproduce.
        out: Folder of the results and of a work folder for each row.
        gpus: Number of processes, one for each GPU.
        options: Changes of the config by dotted key, as ``--cfg-options`` gives them.

    Returns:
        The line of the table, and for each submission a line that says where to hand it in.

    Raises:
        UserError: Something is missing or wrong.
        SystemExit: A tool failed, or was stopped, and has said why.
    """
    if gpus < 1:
        raise UserError(f'--gpus is {gpus}, expected 1 or more')
    work_dir = out / row.name
    if row.starts_from:
        last = f'iter_{paper_rows()[row.starts_from].iterations}.pth'
        os.environ.setdefault(_START, str(out / row.starts_from / last))
    config = read_config(str(row.config), options, str(work_dir), 'none')
    check_writable(work_dir, '--out')
    _expect_same_run(work_dir / row.config.name, config)
    given = [f'{key}={value}' for key, value in options.items()]
    trained = work_dir / f'iter_{config.train_cfg.max_iters}.pth'
    if not trained.is_file():
        resume = find_latest_checkpoint(str(work_dir)) is not None
        if not resume:
            _check(row, config)
        _launch('train', [row.config, '--work-dir', work_dir, *['--resume'] * resume], given, gpus)
    lines, submission = [], work_dir / 'submission'
    if row.dataset == _VOC_SERVER:
        given.append(f'test_evaluator.out_dir={submission}')
        lines.append(f'{submission / ARCHIVE}: hand it in at {SERVER}')
    # A visualizer of its own: MMEngine would hand out that of the training again.
    arguments = [row.config, trained, '--work-dir', work_dir / 'test']
    _launch('test', arguments, [*given, 'visualizer.name=test'], gpus)
    label = ' '.join([row.name, *(f'{key}={value}' for key, value in options.items())])
    measured = mmengine.load(max((work_dir / 'test').glob('*/*.json')))  # the newest
    line = _table_line(row, label, config, measured)
    _write_line(out / _RESULTS, line)
    if row.dataset == _COCO_SERVER and Path(config.test_dataloader.dataset.data_root, _TEST_DEV).is_file():
        lines.append(f'{_predict_test_dev(row, config, trained, given, gpus)}: hand it in at {_COCO_UPLOAD}')
    elif row.dataset == _COCO_SERVER:
        lines.append(f'nothing to hand in: {_TEST_DEV} is not there')
    return [line, *lines]


def _expect_same_run(earlier: Path, config: Config) -> None:
    """Refuse the work folder of a run of another length or optimiser, such as a trial that was cut short."""
    before = load_config(earlier) if earlier.is_file() else config
    for key in ('train_cfg', 'optim_wrapper'):
        if before[key] != config[key]:
            raise UserError(
                f'{earlier.parent}: a run with another {key} is there, '
                'expected the same --cfg-options, or another --out'
            )


def _check(row: PaperRow, config: Config) -> None:
    """Look for everything that the run and its evaluation need."""
    start = os.environ.get(_START, '') if row.starts_from else ''
    if start and '://' not in start and not Path(start).expanduser().is_file():
        raise UserError(
            f'{row.name}: it starts from {start}, which does not exist, expected what tools/reproduce.py '
            f'{row.starts_from} leaves there, or the environment variable {_START}'
        )
    try:
        _launch('check_dataset', [row.config], [], 1)
    except SystemExit as ended:
        if ended.code not in (0, 1):  # 1: faults, which a run repairs, leaves out or refuses, as it has said
            raise
    # The images of VOC2012 test have no annotations, by which that check would find them.
    register_all_modules()
    DATASETS.build(config.test_dataloader.dataset)


def _launch(tool: str, arguments: list[Any], options: list[str], gpus: int) -> None:
    """Run a tool, in this process or under torchrun; it ends the process where it fails."""
    debug = [DEBUG] * debugging()
    command = [*map(str, arguments), *debug, *(['--cfg-options', *options] if options else [])]
    if gpus == 1:
        run_script(find_script(tool), command)
        return
    port = os.environ.get('PORT', '29500')  # as in tools/dist_train.sh
    launcher = ['torchrun', f'--nproc_per_node={gpus}', f'--master_port={port}']
    sys.argv = [*launcher, str(find_script(tool)), '--launcher', 'pytorch', *command]
    torchrun.main()


def _predict_test_dev(row: PaperRow, config: Config, trained: Path, given: list[str], gpus: int) -> Path:
    """Pack the detections on COCO's test-dev as its server takes them."""
    folder = trained.parent / 'submission'
    options = [
        f'test_dataloader.dataset.ann_file={_TEST_DEV}',
        'test_dataloader.dataset.data_prefix.img=test2017/',
        f'test_evaluator.ann_file={config.test_dataloader.dataset.data_root}/{_TEST_DEV}',
        'test_evaluator.format_only=True',
        f'test_evaluator.outfile_prefix={folder}/detections',
        'visualizer.name=test-dev',
    ]
    _launch('test', [row.config, trained, '--work-dir', folder], [*given, *options], gpus)
    archive = folder / f'detections_test-dev2017_{row.name}_results.zip'
    with whole_file(archive, 'wb') as file, zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as packed:
        packed.write(folder / 'detections.bbox.json', archive.with_suffix('.json').name)
    return archive


def _table_line(row: PaperRow, label: str, config: Config, measured: dict[str, float]) -> str:
    """Set the figures beside the published ones, in percent."""
    wanted = row.published or _KEYS
    ours = {name: 100 * measured[key] for name, key in _KEYS.items() if name in wanted and key in measured}
    differences = ', '.join(f'{ours[name] - value:+.1f}' for name, value in row.published.items() if name in ours)
    if differences and row.dataset == _COCO_SERVER:
        differences += ' (other images)'
    where = Path(config.test_dataloader.dataset.ann_file).with_suffix('')
    figures = f'{where}: {describe_figures(ours)}' if ours else 'to be handed in'
    return f'| {" | ".join([label, row.line, row.describe_published(), figures, differences])} |'


def _write_line(path: Path, line: str) -> None:
    """Put a line into the table, in place of the earlier one of the same row and changes."""
    start = line[: line.index(' | ') + 3]
    old = path.read_text().splitlines()[2:] if path.is_file() else []
    rule = ['---'] * len(_HEAD)
    table = [f'| {" | ".join(cells)} |' for cells in (_HEAD, rule)]
    with whole_file(path) as file:
        file.write('\n'.join([*table, *(one for one in old if not one.startswith(start)), line, '']))
