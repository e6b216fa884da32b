"""Keep all predictions of a test run in a file."""

import pickle
from pathlib import Path
from typing import Any

from mmdet.evaluation import DumpDetResults

from ssd_plugin.whole_file import whole_file


class WholeDump(DumpDetResults):
    """Write mmdet's predictions as a pickle, whole or not at all: ``DumpDetResults`` leaves half a file on a full disk.

    The argument is that of ``DumpDetResults``: ``out_file_path``, ending in .pkl or .pickle.
    """

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Write them.

        Args:
            results: The predictions of each image, as plain values and tensors.

        Returns:
            No metric.
        """
        path = Path(self.out_file_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path, 'wb') as file:
            pickle.dump(results, file)
        return {}
