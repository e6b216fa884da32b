"""Detections in the files that the VOC evaluation server takes."""

import os
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

from mmengine.evaluator import BaseMetric

from ssd_plugin.errors import UserError
from ssd_plugin.registry import METRICS

# Of the 20 classes' files in the archive; comp4 is detection trained on any data but the test set.
FOLDER = Path('results', 'VOC2012', 'Main')
FILE = 'comp4_det_test_{}.txt'
ARCHIVE = 'results.tar.gz'


@METRICS.register_module()
class VOCSubmission(BaseMetric):
    """Write the detections on VOC2012 test, one file a class, and pack them for the server; no figure is computed.

    A line is ``IMAGE SCORE X1 Y1 X2 Y2``. VOC counts pixels from 1 and mmdet's reader of VOC's annotations subtracts
    it, so that 1 is added here. ``results/`` and ``results.tar.gz`` are made aside and put in place when they are
    whole; those of an earlier run are replaced.

    Args:
        out_dir: Folder for ``results/`` and ``results.tar.gz``.
        collect_device: 'cpu' or 'gpu', over which processes exchange their detections.
        prefix: In front of the figures' names.

    Raises:
        UserError: ``out_dir`` is a file.

    Source: VOC2012 development kit, section 5.3; docs/fidelity.md section 7.
    Differs: the authors write coordinates cut to whole pixels, and add nothing as their reader subtracts nothing. The
    server reads fractions, which these are.
    """

    default_prefix: Optional[str] = 'voc_submission'

    def __init__(self, out_dir: str, collect_device: str = 'cpu', prefix: Optional[str] = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.out_dir = Path(out_dir).expanduser()
        if self.out_dir.exists() and not self.out_dir.is_dir():
            raise UserError(f'VOCSubmission.out_dir: {out_dir} is a file, expected a folder')

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Take the detections of a batch.

        Args:
            data_batch: Not used.
            data_samples: Per image ``img_id``, the file's name without ending, and ``pred_instances`` with ``bboxes``
                (D, 4) xyxy in pixels of the original image, ``scores`` (D,) and ``labels`` (D,).
        """
        for sample in data_samples:
            found = sample['pred_instances']
            rows = zip(found['labels'].tolist(), found['scores'].tolist(), found['bboxes'].tolist())
            self.results.append((str(sample['img_id']), list(rows)))

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Write the files.

        Args:
            results: What ``process`` kept of all images.

        Returns:
            Numbers of images and detections.
        """
        assert self.dataset_meta is not None
        lines: list[list[str]] = [[] for _ in self.dataset_meta['classes']]
        for image, rows in results:
            for label, score, box in rows:
                corners = ' '.join(f'{edge + 1:.2f}' for edge in box)
                lines[label].append(f'{image} {score:.6f} {corners}\n')
        self.out_dir.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix='.draft-', dir=self.out_dir))
        try:
            self._write(draft, lines)
            archive = draft / ARCHIVE
            with tarfile.open(archive, 'w:gz') as packed:
                packed.add(draft / FOLDER.parts[0], FOLDER.parts[0])
            target = self.out_dir / FOLDER.parts[0]
            if target.exists():
                shutil.rmtree(target)
            os.replace(draft / FOLDER.parts[0], target)
            os.replace(archive, self.out_dir / ARCHIVE)
        finally:
            shutil.rmtree(draft)
        return {'images': len(results), 'detections': sum(map(len, lines))}

    def _write(self, root: Path, lines: Sequence[Sequence[str]]) -> None:
        assert self.dataset_meta is not None
        folder = root / FOLDER
        folder.mkdir(parents=True)
        # A class without detections has a file too: the server scores it 0 instead of refusing the archive.
        for name, rows in zip(self.dataset_meta['classes'], lines):
            (folder / FILE.format(name)).write_text(''.join(rows))
