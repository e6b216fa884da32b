"""Speed and memory of this package beside mmdet's own parts, measured in one run on the same inputs."""

import ssd_plugin  # noqa: F401  first: it makes mmdet importable
