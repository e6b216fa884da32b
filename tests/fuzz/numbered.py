"""Cases with numbers."""

from typing import Any

import pytest


def numbered(fast: int, slow: int) -> Any:
    """Run a test with the seeds 0 to ``slow`` - 1, those from ``fast`` on in the slow suite only."""
    numbers = [pytest.param(i, marks=[pytest.mark.slow] if i >= fast else []) for i in range(slow)]
    return pytest.mark.parametrize('number', numbers)
