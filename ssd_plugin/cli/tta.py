"""Test-time augmentation."""

from mmengine.config import Config, ConfigDict

from ssd_plugin.config_edits import innermost_dataset, with_tta


def predict_mirrored_too(config: Config) -> None:
    """Predict every test image as it is and mirrored, and drop double detections of both.

    ``tta_model`` and ``tta_pipeline`` of the config are used where it has them, as mmdet does.

    Args:
        config: Of a run that tests; its model and test pipeline are changed.
    """
    with_tta(config)
    config.model = ConfigDict(**config.tta_model, module=config.model)
    innermost_dataset(config.test_dataloader.dataset)['pipeline'] = config.tta_pipeline
