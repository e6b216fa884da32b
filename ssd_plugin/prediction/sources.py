"""Where the images to predict on come from: files, videos, cameras and, on request, addresses."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote, urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from ssd_plugin.cli.find_images import SUFFIXES, VIDEO_SUFFIXES, find_images, read_list
from ssd_plugin.errors import UserError

_CAMERA = 'webcam:'
# Read when OpenCV opens its first video. What FFmpeg says of a broken one is many lines.
os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')


@dataclass(frozen=True)
class Source:
    """An image or a video.

    Attributes:
        name: What it is read from: a path, an address, or webcam:NUMBER.
        place: What its results are named after; the path itself, where it is one.
    """

    name: str
    place: Path

    @property
    def is_video(self) -> bool:
        """Whether it has frames, and not one image."""
        return self.place.suffix.lower() in VIDEO_SUFFIXES

    @property
    def is_camera(self) -> bool:
        """Whether it is a camera of this machine."""
        return self.name.startswith(_CAMERA)

    @property
    def is_endless(self) -> bool:
        """Whether it goes on until it is stopped, for all we know."""
        return self.is_video and str(self.place) != self.name


@dataclass(frozen=True)
class Frame:
    """One image to predict on.

    Attributes:
        source: What it is from.
        image: (H, W, 3) uint8 BGR.
        number: Position in the video, from 0; None for an image.
        fps: Frames in a second of the video.
    """

    source: Source
    image: NDArray[np.uint8]
    number: Optional[int] = None
    fps: float = 0


def find_sources(inputs: Iterable[str], allow_url: bool) -> list[Source]:
    """Find what a command line names.

    Args:
        inputs: Images, videos, folders and patterns of both, ``webcam:0``, addresses, and .txt files with one of these
            on each line.
        allow_url: Addresses may be read.

    Returns:
        The sources in their order.

    Raises:
        UserError: One of them is missing, or an address without being allowed.
    """
    sources: list[Source] = []
    for given in inputs:
        names = [given]
        if given.endswith('.txt') and '://' not in given:
            names = read_list(Path(given), 'a text file with an image or video on each line')
        for name in names:
            if name.startswith(_CAMERA):
                sources.append(_camera(name))
            elif '://' in name:
                sources.append(_address(name, allow_url))
            else:
                sources += [Source(str(path), path) for path in find_images([name], SUFFIXES + VIDEO_SUFFIXES)]
    if not sources:
        raise UserError(f'{", ".join(inputs)}: names nothing, expected an image or video on each line')
    return sources


def _camera(name: str) -> Source:
    number = name.removeprefix(_CAMERA)
    if not number.isdecimal():
        raise UserError(f'{name}: expected the number of a camera, such as {_CAMERA}0')
    return Source(name, Path(f'webcam{number}.mp4'))


def _address(name: str, allow_url: bool) -> Source:
    if not allow_url:
        raise UserError(f'{name}: an address, expected --allow-url with it, or a file')
    parts = urlsplit(name)
    # Without the password that an address of a camera may hold.
    place = Path(parts.netloc.rpartition('@')[2].replace(':', '_') + parts.path)
    if parts.query:  # Two addresses may differ in it alone.
        place = place.with_name(f'{quote(parts.query, safe="")}-{place.name}')
    if parts.scheme not in ('http', 'https') and place.suffix.lower() not in VIDEO_SUFFIXES:
        place = place.with_name(f'{place.name}.mp4')
    return Source(name, place)


def count_frames(sources: Iterable[Source]) -> Optional[int]:
    """Count the images and frames of all sources, as far as videos know their own; None if one is endless."""
    count = 0
    for source in sources:
        if source.is_endless:
            return None
        if source.is_video:
            capture = _open(source)
            count += max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
            capture.release()
        else:
            count += 1
    return count


def read_frames(sources: Iterable[Source], skip: Callable[[UserError], None]) -> Iterator[Frame]:
    """Read all images and frames, one at a time.

    Args:
        sources: What to read.
        skip: Gets the error of a source that cannot be read, or not to its end; the next one follows.

    Yields:
        The frames in order.
    """
    # Seconds, which a mistake in the arguments need not wait for.
    from ssd_plugin.datasets.transforms import LoadImage

    reader = LoadImage()
    for source in sources:
        try:
            if source.is_video:
                yield from _read_video(source)
            else:
                yield Frame(source, reader({'img_path': source.name})['img'])
        except UserError as error:
            skip(error)


def _open(source: Source) -> Any:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # What cannot be read is told in one line.
    if source.is_camera:
        return cv2.VideoCapture(int(source.name.removeprefix(_CAMERA)))
    # OpenCV's other readers take a name for a pattern of names, and chatter.
    return cv2.VideoCapture(source.name, cv2.CAP_FFMPEG)


def _read_video(source: Source) -> Iterator[Frame]:
    capture = _open(source)
    try:
        stated = 0 if source.is_endless else capture.get(cv2.CAP_PROP_FRAME_COUNT)
        fps = capture.get(cv2.CAP_PROP_FPS)
        number = 0
        while (read := capture.read())[0]:
            yield Frame(source, read[1], number, fps)
            number += 1
    finally:
        capture.release()
    if number == 0:
        expected = 'the number of a camera that is free' if source.is_camera else 'a video whose format OpenCV reads'
        raise UserError(f'{source.name}: no frame can be read, expected {expected}')
    # What a container states may be rounded.
    if number < 0.98 * stated - 2:
        raise UserError(f'{source.name}: ends after {number} of {stated:g} frames, expected a whole video')
