"""Rows of the paper's tables through the command line, in this process, on drawn data."""

import json
import logging
import os
import runpy
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from mmdet.visualization import DetLocalVisualizer
from mmengine.config import config
from mmengine.visualization import Visualizer
from paper_data import write_voc_and_coco
from rich import progress

from ssd_plugin.analysis import reproduce
from ssd_plugin.analysis.paper_rows import find_row
from ssd_plugin.cli.config_file import load_config
from ssd_plugin.models.backbones import ssd_vgg

ROOT = Path(__file__).parents[2]
SHORT = [
    'train_cfg.max_iters=2',
    'train_cfg.val_interval=2',
    'train_dataloader.batch_size=2',
    'model.backbone.init_cfg=None',
]
SHORT += [f'{part}_dataloader.num_workers=0' for part in ('train', 'val', 'test')]


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('data')
    write_voc_and_coco(root)
    return root


@pytest.fixture
def run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run the tool in an empty folder, with a narrow network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('VOC_ROOT', f'{data}/voc/')
    monkeypatch.setenv('COCO_ROOT', f'{data}/coco/')
    monkeypatch.setenv('COCO_CHECKPOINT', '')
    monkeypatch.delenv('COCO_CHECKPOINT')
    monkeypatch.setattr(ssd_vgg, 'BLOCK_CHANNELS', (8, 16, 32, 64, 64))
    # As in the other tests of tools in this process.
    monkeypatch.setattr(logging, 'raiseExceptions', False)
    monkeypatch.setattr(config, 'FormatCode', lambda text, **_: (text, True))
    monkeypatch.setattr(progress, 'track', lambda steps, *_, **__: steps)

    def run(*arguments: str) -> None:
        # A process reproduces one row; here the next one would get the visualizers of the one before.
        for kind in (Visualizer, DetLocalVisualizer):
            kind._instance_dict.clear()
        monkeypatch.setattr(sys, 'argv', ['reproduce.py', *arguments])
        runpy.run_path(str(ROOT / 'tools' / 'reproduce.py'), run_name='__main__')

    return run


@pytest.fixture
def refused(run: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture) -> Callable[..., str]:
    """Run the tool, which must end with status 2, one line and nothing written; the line."""

    def refused(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            run(*arguments)
        assert ended.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert not list(tmp_path.iterdir())
        return line.removeprefix('error: ')

    return refused


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have run, each without its script's folder."""
    commands: list[list[str]] = []

    def record(path: Any, arguments: Any) -> None:
        commands.append([Path(path).name, *arguments])
        if 'test.py' in commands[-1][0]:
            folder = Path(arguments[arguments.index('--work-dir') + 1], f'2026010{len(commands)}')
            folder.mkdir(parents=True)
            (folder / 'figures.json').write_text(json.dumps({'pascal_voc/mAP': 0.7611, 'coco/bbox_mAP': 0.5}))

    monkeypatch.setattr(reproduce, 'run_script', record)
    monkeypatch.setattr(reproduce.torchrun, 'main', lambda: record(sys.argv[3], [*sys.argv[1:3], *sys.argv[4:]]))
    monkeypatch.setattr(reproduce, '_check', lambda row, _: commands.append(['check', row.name]))
    return commands


def test_the_list_has_all_rows(
    run: Callable[..., None], capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('COLUMNS', '200')
    run('--list')
    shown = capsys.readouterr().out.splitlines()
    assert sum(line.rstrip().endswith(' M') for line in shown) == 49
    (line,) = (line for line in shown if line.startswith('  table2_no-atrous '))
    assert 'Table 2' in line
    assert 'mAP 74.2' in line


@pytest.mark.parametrize(
    ('arguments', 'line'),
    [
        ([], 'no row, expected the name of one; --list shows all'),
        (['ssd301'], 'ssd301: no row of the paper, expected one such as ssd300'),
        (['ssd300_vgg16_voc0712', '--gpus', '0'], '--gpus is 0, expected 1 or more'),
        (
            ['ssd300_vgg16_voc0712', '--cfg-options', 'lr=1'],
            '--cfg-options lr: no setting of the run, expected one like',
        ),
        (
            ['ssd300_vgg16_voc0712-coco', '--out', 'runs'],
            'ssd300_vgg16_voc0712-coco: it starts from runs/ssd300_vgg16_coco/iter_400000.pth, which does not exist, '
            'expected what tools/reproduce.py ssd300_vgg16_coco leaves there, or the environment variable '
            'COCO_CHECKPOINT',
        ),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], line: str, refused: Callable[..., str]) -> None:
    assert refused(*arguments).startswith(line)


def test_missing_data_is_one_line(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.setenv('VOC_ROOT', 'nowhere/')
    line = refused('ssd300_vgg16_voc0712')
    assert line.startswith('train_dataloader.dataset.datasets[0].data_root: nowhere/ does not exist')
    assert 'VOC_ROOT' in line


def test_a_missing_test_image_is_noticed_before_training(
    refused: Callable[..., str], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = data / 'voc/VOC2012/ImageSets/Main/test.txt'
    whole = listed.read_text()
    listed.write_text(f'{whole}2008_000001\n')
    try:
        line = refused('ssd300_vgg16_voc0712pp')
    finally:
        listed.write_text(whole)
    assert '2008_000001.jpg: no such file' in line


def test_bad_data_is_one_line_before_training(refused: Callable[..., str], data: Path) -> None:
    spoilt = next((data / 'voc/VOC2007/Annotations').iterdir())
    whole = spoilt.read_text()
    spoilt.write_text(whole.replace('<xmin>', '<xmin>left', 1))
    try:
        line = refused('ssd300_vgg16_voc0712')
    finally:
        spoilt.write_text(whole)
    assert line.startswith(str(spoilt))


def test_one_command_trains_measures_and_writes_the_line(
    run: Callable[..., None], launched: list[list[str]], capsys: pytest.CaptureFixture
) -> None:
    run('ssd300_vgg16_voc0712', '--out', 'runs', '--gpus', '4', '--cfg-options', 'train_dataloader.num_workers=8')
    row = str(find_row('ssd300_vgg16_voc0712').config)
    work, changed = 'runs/ssd300_vgg16_voc0712', ['--cfg-options', 'train_dataloader.num_workers=8']
    ranks = ['--nproc_per_node=4', '--master_port=29500', '--launcher', 'pytorch']
    assert launched == [
        ['check', 'ssd300_vgg16_voc0712'],
        ['train.py', *ranks, row, '--work-dir', work, *changed],
        [
            'test.py',
            *ranks,
            row,
            f'{work}/iter_120000.pth',
            '--work-dir',
            f'{work}/test',
            *changed,
            'visualizer.name=test',
        ],
    ]
    line = (
        '| ssd300_vgg16_voc0712 train_dataloader.num_workers=8 | Table 6, SSD300* 07+12 | VOC2007 test: mAP 77.2 | '
        'VOC2007/ImageSets/Main/test: mAP 76.1 | -1.1 |'
    )
    assert capsys.readouterr().out.splitlines() == [line]
    run('table2_full', '--out', 'runs')
    run('ssd300_vgg16_voc0712', '--out', 'runs', '--cfg-options', 'train_dataloader.num_workers=8')
    lines = Path('runs/results.md').read_text().splitlines()
    assert lines[:2] == ['| row | in the paper | published | ours | difference |', '| --- | --- | --- | --- | --- |']
    assert [one.split(' ')[1] for one in lines[2:]] == ['table2_full', 'ssd300_vgg16_voc0712']
    assert lines[3] == line


def test_a_row_of_the_server_says_what_to_hand_in(
    run: Callable[..., None], launched: list[list[str]], capsys: pytest.CaptureFixture
) -> None:
    run('ssd300_vgg16_coco-trainval35k', '--cfg-options', 'test_dataloader.dataset.data_root=elsewhere/')
    assert capsys.readouterr().out.splitlines()[1] == (
        'nothing to hand in: annotations/image_info_test-dev2017.json is not there'
    )
    assert launched[-1][0] == 'test.py'
    line = Path('work_dirs/results.md').read_text().splitlines()[2]
    assert line.endswith('| annotations/instances_minival2014: box AP 50.0 | +24.9 (other images) |')


def test_a_run_that_was_stopped_goes_on_and_one_that_is_done_is_measured_again(
    run: Callable[..., None], launched: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproduce, 'find_latest_checkpoint', lambda folder: f'{folder}/interrupted.pth')
    run('table3_sources-2')
    assert [(command[0], '--resume' in command) for command in launched] == [('train.py', True), ('test.py', False)]
    launched.clear()
    Path('work_dirs/table3_sources-2/iter_60000.pth').touch()
    run('table3_sources-2')
    assert [command[0] for command in launched] == ['test.py']


def test_the_work_folder_of_a_trial_is_refused(
    run: Callable[..., None], launched: list[list[str]], capsys: pytest.CaptureFixture
) -> None:
    row = 'table3_sources-6'
    folder = Path('work_dirs', row)
    folder.mkdir(parents=True)
    load_config(ROOT / f'configs/ablation/{row}.py', {'train_cfg.max_iters': 100}).dump(folder / f'{row}.py')
    with pytest.raises(SystemExit) as ended:
        run(row)
    assert (ended.value.code, launched) == (2, [])
    assert capsys.readouterr().err == (
        f'error: {folder}: a run with another train_cfg is there, expected the same --cfg-options, or another --out\n'
    )
    run(row, '--cfg-options', 'train_cfg.max_iters=100')
    assert [command[0] for command in launched] == ['check', 'train.py', 'test.py']


@pytest.mark.slow
def test_rows_from_the_data_check_to_the_line(run: Callable[..., None], capsys: pytest.CaptureFixture) -> None:
    for row in ('ssd300_vgg16_voc0712', 'ssd300_vgg16_coco', 'ssd300_vgg16_voc0712-coco', 'ssd300_vgg16_voc0712pp'):
        os.environ['COCO_CHECKPOINT'] = 'work_dirs/ssd300_vgg16_coco/iter_2.pth'
        run(row, '--cfg-options', *SHORT)
    run('ssd300_vgg16_coco-trainval35k', '--cfg-options', *SHORT)
    shown = capsys.readouterr().out
    work = Path('work_dirs')
    lines = (work / 'results.md').read_text().splitlines()[2:]
    assert all(line in shown for line in lines)
    cells = {line.split(' ')[1]: [cell.strip() for cell in line.split('|')[2:-1]] for line in lines}
    assert cells['ssd300_vgg16_voc0712'][:2] == ['Table 6, SSD300* 07+12', 'VOC2007 test: mAP 77.2']
    assert cells['ssd300_vgg16_voc0712'][2].startswith('VOC2007/ImageSets/Main/test: mAP ')
    assert cells['ssd300_vgg16_coco'][2].startswith('annotations/instances_val2017: box AP ')
    assert cells['ssd300_vgg16_voc0712pp'][2:] == ['to be handed in', '']
    assert cells['ssd300_vgg16_coco-trainval35k'][3].endswith('(other images)')
    # The fine-tuned detector has COCO's rows for VOC's classes, but for what two steps changed.
    coco, tuned = (
        torch.load(work / f'ssd300_vgg16_{name}/iter_2.pth', weights_only=False)['state_dict']
        for name in ('coco', 'voc0712-coco')
    )
    key = 'backbone.features.0.weight'
    torch.testing.assert_close(tuned[key], coco[key], rtol=0, atol=0.05)
    with tarfile.open(work / 'ssd300_vgg16_voc0712pp/submission/results.tar.gz') as archive:
        assert sum(name.endswith('.txt') for name in archive.getnames()) == 20
    name = 'detections_test-dev2017_ssd300_vgg16_coco-trainval35k_results'
    with zipfile.ZipFile(work / f'ssd300_vgg16_coco-trainval35k/submission/{name}.zip') as packed:
        found = json.loads(packed.read(f'{name}.json'))
    assert {one['image_id'] for one in found} <= {2, 3}
    # The same command measures again what is done, and the line stays one.
    run('ssd300_vgg16_voc0712', '--cfg-options', *SHORT)
    assert 'training step' not in capsys.readouterr().out
    assert len(list((work / 'ssd300_vgg16_voc0712' / 'test').glob('*/*.json'))) == 2
    assert len((work / 'results.md').read_text().splitlines()) == len(lines) + 2
