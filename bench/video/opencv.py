"""Frames through OpenCV, read in order to the end: only to replay what earlier readers took.

Its seeks are off where frames last unevenly, and its counts are the header's. So every frame is grabbed, and how many
there were is compared with what PyAV counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bench.errors import InvalidData, MissingData
from bench.reading.numbers import number_of
from bench.video.index import FrameIndex
from bench.video.packets import Packets


def _library() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingData(f"the backend 'opencv' needs OpenCV ({error}): pip install 'vtbench[opencv]'") from error
    return cv2


def versions() -> str:
    """Returns what decodes, with its releases. Raises: MissingData where it is not installed."""
    library = _library()
    avcodec = re.search(r"avcodec:\s+YES \(([\d.]+)\)", library.getBuildInformation())
    return f"OpenCV {library.__version__}, libavcodec {avcodec[1] if avcodec else 'none'}"


def frames(packets: Packets, index: FrameIndex, places: Sequence[int]) -> Iterator[np.ndarray]:
    """Yields (H, W, 3) uint8 RGB of the frames at places, which are all held in memory until the last was counted.

    Raises: InvalidData where OpenCV reads another number of frames, and for interlaced video, which it reads as black.
    """
    library = _library()
    path, picture, wanted = packets.path, index.picture, frozenset(int(place) for place in places)
    if picture.interlaced:
        raise InvalidData(
            f"{path} is interlaced ({picture.codec}), which OpenCV reads as black. Take the backend 'pyav'."
        )
    video = library.VideoCapture(str(path.absolute()), library.CAP_FFMPEG, [library.CAP_PROP_N_THREADS, 1])
    kept, count = {}, 0
    try:
        while video.grab():
            if count in wanted:
                was_read, frame = video.retrieve()
                if was_read:
                    kept[count] = library.cvtColor(frame, library.COLOR_BGR2RGB)
            count += 1
    finally:
        video.release()
    if count != len(index) or len(kept) != len(wanted):
        read = f"OpenCV reads {number_of(count, 'frame')}, decoding gives {len(index)}"
        raise InvalidData(f"{path}: {read} ({picture.codec}). Take the backend 'pyav'.")
    yield from (kept[int(place)] for place in places)
