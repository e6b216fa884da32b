"""Importing the package first makes mmdet importable on mmcv-lite."""

from hypothesis import settings

import ssd_plugin  # noqa: F401

# The same examples every time; `--hypothesis-profile slow`, which make test-slow asks for, tries many more.
settings.register_profile('fast', max_examples=40, derandomize=True, deadline=None)
settings.register_profile('slow', settings.get_profile('fast'), max_examples=1000)
settings.load_profile('fast')
