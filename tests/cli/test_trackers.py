"""What reports to TensorBoard, Weights & Biases or MLflow is checked before a run."""

import importlib.util

import pytest
from mmengine.config import Config

from ssd_plugin.cli import trackers
from ssd_plugin.errors import UserError


def config_with(**backend):
    return Config(
        dict(visualizer=dict(type='DetLocalVisualizer', vis_backends=[dict(type='LocalVisBackend'), backend]))
    )


@pytest.mark.parametrize('package', ['tensorboard', 'wandb', 'mlflow'])
def test_missing_package_is_one_line_with_the_command(package, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(trackers, 'find_spec', lambda name: None if name == package else found('sys'))
    monkeypatch.setattr(trackers.os, 'environ', {})
    backends = {
        'tensorboard': 'TensorboardVisBackend',
        'wandb': 'WandbVisBackend',
        'mlflow': 'mmengine.MLflowVisBackend',
    }
    expected = rf'^visualizer\.vis_backends\[1\]\.type: \w+ needs a package .*: pip install {package}$'
    for name, backend in backends.items():
        if name == package:
            with pytest.raises(UserError, match=expected):
                trackers.prepare_trackers(config_with(type=backend))
        else:
            trackers.prepare_trackers(config_with(type=backend))


@pytest.mark.parametrize(('settings', 'allowed'), [({}, True), ({'tracking_uri': 'sqlite:///a.db'}, False)])
def test_the_folder_of_the_run_is_allowed_as_the_store_of_mlflow(settings, allowed, monkeypatch):
    monkeypatch.setattr(trackers, 'find_spec', lambda _: True)
    monkeypatch.setattr(trackers.os, 'environ', environment := {})
    trackers.prepare_trackers(config_with(type='MLflowVisBackend', **settings))
    assert environment == ({'MLFLOW_ALLOW_FILE_STORE': 'true'} if allowed else {})


def test_without_trackers_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(trackers, 'find_spec', pytest.fail)
    trackers.prepare_trackers(config_with(type='LocalVisBackend'))
    trackers.prepare_trackers(Config(dict(model=dict(type='SSD'))))
