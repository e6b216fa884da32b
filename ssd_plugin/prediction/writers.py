"""Open everything that detections are written into."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Optional

from mmengine.structures import InstanceData

from ssd_plugin.cli.result_files import ResultFiles

from .result_writers import ResultWriter
from .sources import Frame, Source
from .tables import Table, coco_table, csv_table


@contextmanager
def open_writers(
    files: Mapping[Source, ResultFiles],
    inferencer: Any,
    score_thr: float,
    draw: bool,
    coco: Optional[Path],
    csv: Optional[Path],
) -> Iterator[Callable[[Frame, InstanceData], None]]:
    """Write each frame into all files that are asked for; videos and tables are whole when the context ends.

    Args:
        files: Of each image and video.
        inferencer: The ``DetInferencer``, which draws.
        score_thr: Draw detections that score more, and write them into tables.
        draw: Whether to draw.
        coco: A COCO file of all detections; None writes none.
        csv: A CSV file of them; None writes none.

    Yields:
        What takes the frames, each with ``bboxes``, ``scores`` and ``labels`` of what was found in it.

    Raises:
        UserError: A video cannot be written.
    """
    classes = inferencer.model.dataset_meta['classes']
    with ExitStack() as stack:
        writers: list[Table] = [stack.enter_context(ResultWriter(files, inferencer, score_thr, draw))]
        if coco:
            coco.parent.mkdir(parents=True, exist_ok=True)
            writers.append(stack.enter_context(coco_table(coco, inferencer.cfg, classes, files, score_thr)))
        if csv:
            csv.parent.mkdir(parents=True, exist_ok=True)
            writers.append(stack.enter_context(csv_table(csv, classes, score_thr)))

        def write(frame: Frame, found: InstanceData) -> None:
            for each in writers:
                each(frame, found)

        yield write
