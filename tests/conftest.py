"""Importing the package first makes mmdet importable on mmcv-lite."""

import ssd_plugin  # noqa: F401
