"""Test-time augmentation through the config."""

from pathlib import Path

from mmengine.config import Config

from ssd_plugin.cli.tta import predict_mirrored_too

CONFIG = Path(__file__).parents[2] / 'configs' / 'shapes' / 'ssd300_r18_shapes.py'


def test_every_image_is_predicted_plain_then_mirrored():
    config = Config.fromfile(CONFIG)
    steps = config.test_dataloader.dataset.pipeline
    predict_mirrored_too(config)
    assert config.model.type == 'DetTTAModel'
    assert config.model.module.type == 'ssd_plugin.SSD'
    assert config.model.tta_cfg == dict(nms=dict(type='nms', iou_threshold=0.45), max_per_img=200)
    *before, last = config.test_dataloader.dataset.pipeline
    assert before == steps[:-1]
    flips, (pack,) = last['transforms']
    assert [flip['prob'] for flip in flips] == [0.0, 1.0]
    assert set(pack['meta_keys']) == {*steps[-1].meta_keys, 'flip', 'flip_direction'}


def test_the_configs_own_augmentation_is_used():
    config = Config.fromfile(CONFIG)
    config.tta_model = dict(type='DetTTAModel', tta_cfg=dict(max_per_img=7))
    config.tta_pipeline = [dict(type='LoadImageFromFile')]
    predict_mirrored_too(config)
    assert config.model.tta_cfg.max_per_img == 7
    assert config.test_dataloader.dataset.pipeline == [dict(type='LoadImageFromFile')]
