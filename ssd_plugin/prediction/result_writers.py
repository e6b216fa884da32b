"""Write the drawing and the detections of each image and of each video."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Optional

import cv2
import mmcv
import numpy as np
from mmdet.structures import DetDataSample
from mmdet.visualization import get_palette
from mmengine.structures import InstanceData
from numpy.typing import NDArray

from ssd_plugin.cli.result_files import ResultFiles
from ssd_plugin.errors import UserError
from ssd_plugin.whole_file import whole_file

from .sources import Frame, Source

# MPEG-4 part 2: OpenCV's packages hold no encoder for H.264.
_CODEC = cv2.VideoWriter.fourcc(*'mp4v')
_FPS_WITHOUT_CLOCK = 25.0


class ResultWriter:
    """Write the files of each source as its frames come; a context, at whose end the last video is whole.

    Args:
        files: Where to.
        inferencer: The ``DetInferencer``, which draws.
        score_thr: Draw detections that score more.
        draw: Whether to draw at all.
    """

    def __init__(self, files: Mapping[Source, ResultFiles], inferencer: Any, score_thr: float, draw: bool) -> None:
        self._files = files
        self._inferencer = inferencer
        self._score_thr = score_thr
        self._draw = draw
        self._video = ExitStack()
        self._source: Optional[Source] = None
        self._write: Callable[[Any, dict[str, Any]], None]

    def __enter__(self) -> 'ResultWriter':
        return self

    def __exit__(self, *error: Any) -> Optional[bool]:
        return self._video.__exit__(*error)

    def __call__(self, frame: Frame, found: InstanceData) -> None:
        """Write a frame.

        Args:
            frame: Those of one source follow each other.
            found: ``bboxes`` (D, 4), ``scores`` and ``labels`` (D,), in pixels of the frame.

        Raises:
            UserError: A video cannot be written.
        """
        if frame.source != self._source:
            self._video.close()
            self._source = frame.source
            files = self._files[frame.source]
            if frame.number is None:
                self._write = files.write
            else:
                self._write = self._video.enter_context(video_files(files, frame, self._draw))
        sample = DetDataSample(pred_instances=found)
        self._write(self._drawing(frame, sample) if self._draw else None, self._inferencer.pred2dict(sample))

    def _drawing(self, frame: Frame, sample: DetDataSample) -> NDArray[np.uint8]:
        if frame.number is not None:
            return draw_frame(frame.image, sample.pred_instances, self._score_thr, self._inferencer.model.dataset_meta)
        # The visualizer takes and gives RGB.
        (drawing,) = self._inferencer.visualize(
            [frame.image[..., ::-1]], [sample], return_vis=True, pred_score_thr=self._score_thr
        )
        return drawing[..., ::-1]


def draw_frame(
    image: NDArray[np.uint8], found: InstanceData, score_thr: float, meta: Mapping[str, Any]
) -> NDArray[np.uint8]:
    """Draw detections by OpenCV: mmdet's visualizer needs longer for a frame than the network.

    Args:
        image: (H, W, 3) BGR.
        found: What was found in it.
        score_thr: Draw what scores more.
        meta: ``classes`` and ``palette`` (RGB, or what ``get_palette`` takes).

    Returns:
        (H, W, 3) BGR.
    """
    colors = get_palette(meta['palette'], len(meta['classes']))
    scale = max(image.shape) / 1000
    image = image.copy()
    for label in found.labels.unique().tolist():
        of_class = found[found.labels == label].numpy()
        mmcv.imshow_det_bboxes(
            image,
            np.column_stack([of_class.bboxes, of_class.scores]),
            of_class.labels,
            meta['classes'],
            score_thr,
            bbox_color=colors[label][::-1],
            text_color=colors[label][::-1],
            thickness=max(1, round(2 * scale)),
            font_scale=max(0.4, 0.6 * scale),
            show=False,
        )
    return image


@contextmanager
def video_files(
    files: ResultFiles, first: Frame, draw: bool
) -> Iterator[Callable[[Optional[NDArray[np.uint8]], dict[str, Any]], None]]:
    """Write the files of a video, each whole or not at all.

    Args:
        files: Where to: the drawn video, and a JSON list with the detections of each frame on a line.
        first: The first frame, whose size and rate the drawn video has.
        draw: Whether to write a drawn video.

    Yields:
        What takes the drawing, (H, W, 3) BGR, and the detections of each frame.

    Raises:
        UserError: The drawn video cannot be written, or not all of it.
    """
    with ExitStack() as stack:
        height, width = first.image.shape[:2]
        add_drawing = stack.enter_context(video_file(files.drawing, first.fps, width, height)) if draw else None
        files.detections.parent.mkdir(parents=True, exist_ok=True)
        add_detections = stack.enter_context(json_list(stack.enter_context(whole_file(files.detections))))

        def add(drawing: Optional[NDArray[np.uint8]], detections: dict[str, Any]) -> None:
            if add_drawing is not None and drawing is not None:
                add_drawing(drawing)
            add_detections(detections)

        yield add


@contextmanager
def video_file(path: Path, fps: float, width: int, height: int) -> Iterator[Callable[[NDArray[np.uint8]], None]]:
    """Write a video, whole or not at all.

    Args:
        path: An .mp4 file; OpenCV rounds odd sides down.
        fps: Frames in a second; 25 where a camera does not know.
        width: In pixels.
        height: In pixels.

    Yields:
        What takes the frames, (H, W, 3) BGR.

    Raises:
        UserError: OpenCV cannot write such a video, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with whole_file(path, 'wb', path.suffix) as draft:
        video = cv2.VideoWriter(draft.name, _CODEC, fps if 0 < fps < np.inf else _FPS_WITHOUT_CLOCK, (width, height))
        if not video.isOpened():
            found = f'{width} x {height} pixels and {fps:g} frames a second'
            raise UserError(f'{path}: OpenCV writes no video of {found}, expected --no-save-vis, or another video')

        def add(image: NDArray[np.uint8]) -> None:
            nonlocal count
            video.write(image)
            count += 1

        try:
            yield add
        finally:
            video.release()
        # OpenCV says nothing of a frame that it did not write.
        written = max(0, int(cv2.VideoCapture(draft.name).get(cv2.CAP_PROP_FRAME_COUNT)))
        if written != count:
            raise UserError(f'{path}: {written} of {count} frames could be written, expected room on the disk')


@contextmanager
def json_list(file: IO[str]) -> Iterator[Callable[[Any], None]]:
    """Write a JSON list of any length.

    Args:
        file: Where to.

    Yields:
        What takes the entries.
    """
    separator = '[\n'

    def add(entry: Any) -> None:
        nonlocal separator
        file.write(separator + json.dumps(entry))
        separator = ',\n'

    yield add
    file.write('[]' if separator == '[\n' else '\n]')
