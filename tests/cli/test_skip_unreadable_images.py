from pathlib import Path

from mmengine.config import Config

from ssd_plugin.cli.skip_unreadable_images import skip_unreadable_images

STEP = {'type': 'ssd_plugin.LoadImage'}


def config(tmp_path: Path, **more: object) -> Config:
    wrapped = {'type': 'RepeatDataset', 'dataset': {'type': 'VOCDataset', 'pipeline': [dict(STEP)]}}
    loaders = {'train_dataloader': {'dataset': wrapped}, 'val_dataloader': {'dataset': {'pipeline': [dict(STEP)]}}}
    return Config({'default_scope': 'mmdet', 'work_dir': str(tmp_path), **loaders, **more})


def test_training_images_are_skipped_where_a_hook_counts_them(tmp_path: Path) -> None:
    (tmp_path / 'quarantine.txt').write_text('a.jpg\told\n')
    watched = config(tmp_path, custom_hooks=[{'type': 'ssd_plugin.QuarantineHook'}])
    skip_unreadable_images(watched)
    assert watched.train_dataloader.dataset.dataset.pipeline[0].quarantine == f'{tmp_path}/quarantine.txt'
    assert watched.val_dataloader.dataset.pipeline == [STEP]
    assert not (tmp_path / 'quarantine.txt').exists()


def test_without_the_hook_nothing_is_skipped(tmp_path: Path) -> None:
    for alone in (config(tmp_path), config(tmp_path, custom_hooks=[{'type': 'EMAHook'}])):
        before = alone.to_dict()
        skip_unreadable_images(alone)
        assert alone.to_dict() == before
