from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from torch.utils.data import DataLoader

from ssd_plugin.cli.config_data import check_batches, check_classes, check_data
from ssd_plugin.errors import UserError

TRAIN = ('train_dataloader', 'val_dataloader')


@pytest.fixture
def voc(tmp_path: Path) -> dict[str, Any]:
    for folder in ('JPEGImages', 'Annotations'):
        (tmp_path / folder).mkdir()
    (tmp_path / 'list.txt').touch()
    return {
        'type': 'VOCDataset',
        'data_root': str(tmp_path),
        'ann_file': 'list.txt',
        'data_prefix': {'sub_data_root': ''},
        'metainfo': {'classes': ('cat', 'dog')},
    }


def config(dataset: dict[str, Any], **more: Any) -> Config:
    model = {'bbox_head': {'type': 'SSDHead', 'num_classes': 2}}
    loader = {'dataset': dataset}
    return Config({'default_scope': 'mmdet', 'model': model, 'train_dataloader': loader, **more})


def test_data_that_is_there_passes(voc: dict, tmp_path: Path) -> None:
    check_data(config(voc), TRAIN)
    check_data(config({'type': 'ConcatDataset', 'datasets': [voc, voc]}), TRAIN)
    check_data(config({'type': 'CocoDataset'}), TRAIN)
    absolute = {**voc, 'data_root': None, 'ann_file': str(tmp_path / 'list.txt'), 'data_prefix': {'img': str(tmp_path)}}
    check_data(config(absolute), TRAIN)
    remote = {**voc, 'data_root': 's3://bucket', 'backend_args': {'backend': 'petrel'}}
    check_data(config(remote), TRAIN)


@pytest.mark.parametrize(
    ('change', 'key', 'missing', 'kind'),
    [
        ({'data_root': '/none/x'}, 'data_root', '/none/x', 'folder'),
        ({'ann_file': 'none.txt'}, 'ann_file', '{root}/none.txt', 'file'),
        ({'data_prefix': {'sub_data_root': 'none/'}}, 'data_prefix.sub_data_root', '{root}/none/', 'folder'),
        ({'data_prefix': {'img': 'none'}}, 'data_prefix.img', '{root}/none', 'folder'),
        ({'img_subdir': 'none'}, 'img_subdir', '{root}/none', 'folder'),
        ({'ann_subdir': 'none'}, 'ann_subdir', '{root}/none', 'folder'),
    ],
)
def test_missing_data_is_named(change: dict, key: str, missing: str, kind: str, voc: dict, tmp_path: Path) -> None:
    wrapped = {'type': 'ConcatDataset', 'datasets': [voc, {'type': 'RepeatDataset', 'dataset': {**voc, **change}}]}
    with pytest.raises(UserError) as caught:
        check_data(config(wrapped), TRAIN)
    assert str(caught.value) == (
        f'train_dataloader.dataset.datasets[1].dataset.{key}: {missing.format(root=tmp_path)} does not exist, '
        f'expected a {kind}; set train_dataloader.dataset.datasets.1.dataset.data_root'
    )


def test_the_metrics_file_is_looked_for(voc: dict, tmp_path: Path) -> None:
    metrics = [{'type': 'VOCMetric'}, {'type': 'CocoMetric', 'ann_file': f'{tmp_path}/none.json'}]
    with pytest.raises(UserError, match=r'^val_evaluator\[1\]\.ann_file: .*none\.json does not exist, expected a file'):
        check_data(config(voc, val_evaluator=metrics), TRAIN)
    check_data(config(voc, test_evaluator=metrics), TRAIN)


@pytest.mark.parametrize('from_environment', [True, False])
def test_the_environment_variable_is_named(
    from_environment: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('TOY_ROOT', raising=False)
    root = 'none/default/'
    if from_environment:
        root = 'none/mine'
        monkeypatch.setenv('TOY_ROOT', root)
    (tmp_path / 'base.py').write_text("data_root = '{{$TOY_ROOT:none/default/}}'\nother = '{{$OTHER:else}}'\n")
    (tmp_path / 'a.py').write_text(
        "_base_ = 'base.py'\ntrain_dataloader = dict(dataset=dict(data_root=_base_.data_root))"
    )
    with pytest.raises(UserError) as caught:
        check_data(Config.fromfile(tmp_path / 'a.py'), TRAIN)
    assert str(caught.value) == (
        f'train_dataloader.dataset.data_root: {root} does not exist, expected a folder; set the environment variable '
        'TOY_ROOT or train_dataloader.dataset.data_root'
    )


def test_equal_classes_pass(voc: dict, tmp_path: Path) -> None:
    check_classes(config(voc, val_dataloader={'dataset': voc}), TRAIN)
    (tmp_path / 'names.txt').write_text('cat\ndog\n')
    check_classes(config({**voc, 'metainfo': {'classes': str(tmp_path / 'names.txt')}}), TRAIN)
    check_classes(config(voc, model={'bbox_head': {'type': 'DETRHead', 'num_classes': 9}}), TRAIN)


def test_another_number_of_classes_names_both_places(voc: dict) -> None:
    wrong = config({**voc, 'metainfo': {'classes': ('cat', 'dog', 'cow')}})
    with pytest.raises(UserError) as caught:
        check_classes(wrong, TRAIN)
    assert str(caught.value) == (
        'model.bbox_head.num_classes: 2, expected 3, the classes of train_dataloader.dataset (VOCDataset), '
        '(cat, dog, cow): set model.bbox_head.num_classes=3, or metainfo.classes of the data set'
    )


def test_the_defaults_of_head_and_data_set_count(voc: dict) -> None:
    del voc['metainfo']
    with pytest.raises(UserError, match=r'^model\.bbox_head\.num_classes: 2, expected 20, .* \(VOCDataset\), \(aeropl'):
        check_classes(config(voc), TRAIN)
    model = {'bbox_head': {'type': 'SSDHead'}}
    with pytest.raises(UserError, match=r'^model\.bbox_head\.num_classes: 80, expected 20'):
        check_classes(config(voc, model=model), TRAIN)
    check_classes(config({'type': 'CocoDataset'}, model=model), TRAIN)


def test_data_sets_of_other_classes_raise(voc: dict) -> None:
    other = {**voc, 'metainfo': {'classes': ('dog', 'cat')}}
    with pytest.raises(UserError) as caught:
        check_classes(config(voc, val_dataloader={'dataset': other}), TRAIN)
    assert str(caught.value) == (
        'val_dataloader.dataset: its classes are (dog, cat), expected those of train_dataloader.dataset, (cat, dog): '
        'set metainfo.classes of both'
    )


def test_a_text_in_place_of_a_tuple_of_classes_raises(voc: dict) -> None:
    with pytest.raises(UserError, match=r"^train_dataloader\.dataset\.metainfo\.classes: 'cat', .* \('cat',\), or a"):
        check_classes(config({**voc, 'metainfo': {'classes': 'cat'}}), TRAIN)


def test_an_epoch_without_a_batch() -> None:
    check_batches(DataLoader(range(8), batch_size=8, drop_last=True))
    check_batches(DataLoader(range(8), batch_size=9))
    with pytest.raises(
        UserError, match=r'^train_dataloader: no batch in an epoch, .* what 8 images make of a batch of 9,'
    ):
        check_batches(DataLoader(range(8), batch_size=9, drop_last=True))
