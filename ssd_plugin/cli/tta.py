"""Test-time augmentation."""

from mmengine.config import Config, ConfigDict


def predict_mirrored_too(config: Config) -> None:
    """Predict every test image as it is and mirrored, and drop double detections of both.

    ``tta_model`` and ``tta_pipeline`` of the config are used where it has them, as mmdet does.

    Args:
        config: Of a run that tests; its model and test pipeline are changed.
    """
    limits = config.model.test_cfg
    default = dict(type='DetTTAModel', tta_cfg=dict(nms=limits.nms, max_per_img=limits.max_per_img))
    config.model = ConfigDict(**config.get('tta_model', default), module=config.model)
    dataset = config.test_dataloader.dataset
    while 'dataset' in dataset:
        dataset = dataset.dataset
    *steps, pack = dataset.pipeline
    packed = dict(pack, meta_keys=(*pack.meta_keys, 'flip', 'flip_direction'))
    # The plain image first: the merged detections keep its gt boxes.
    mirrored = [[dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)], [packed]]
    dataset.pipeline = config.get('tta_pipeline', [*steps, dict(type='TestTimeAug', transforms=mirrored)])
