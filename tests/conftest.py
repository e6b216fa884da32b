"""Importing the package first makes mmdet importable on mmcv-lite."""

import pytest
from hypothesis import settings
from mmengine.registry import init_default_scope

import ssd_plugin  # noqa: F401

# The same examples every time; `--hypothesis-profile slow`, which make test-slow asks for, tries many more.
settings.register_profile('fast', max_examples=40, derandomize=True, deadline=None)
settings.register_profile('slow', settings.get_profile('fast'), max_examples=1000)
settings.load_profile('fast')


@pytest.fixture(autouse=True)
def scope_of_mmdet() -> None:
    """Bare names are mmdet's, as in a config; runs of other tests may have left another scope."""
    init_default_scope('mmdet')
