"""Frames of a video by their place, through PyAV: every frame that comes out of the decoder is compared with the index.

A seek is a wish: where the decoder lands after it is not known before (of MPEG-TS, mostly too late). So the first frame
that comes must be one of the index, at or before the one that is wanted, and each one after it the next of the index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import InvalidData
from bench.video.index import FrameIndex, rising
from bench.video.packets import NO_TIMES, Packets, load_av, opened

if TYPE_CHECKING:
    import av

STEPS_BACK = (0, 1, 2, 4, 8, 16)
"""Seconds before a frame from which decoding is tried, in turn; then from the start of the file."""
NEAR = 3
"""Frames that are decoded rather than sought."""


class NotAsIndexed(Exception):
    """What came out of the decoder is not what the index says."""


def versions() -> str:
    """Returns what decodes, with its releases. Raises: MissingData where it is not installed."""
    library = load_av()
    return f"PyAV {library.__version__}, FFmpeg {library.ffmpeg_version_info}"


def decoded_times(packets: Packets) -> np.ndarray:
    """Returns the times of all frames that decoding the whole file gives. Raises: InvalidData."""
    with opened(packets.path) as (_, stream):
        return _checked([_time(frame, packets) for frame in _frames(stream)], packets)


def whole(packets: Packets, places: frozenset[int]) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """Decodes a whole file in order. Returns the frames at some places, and the times of all. Raises: InvalidData."""
    kept, times = {}, []
    with opened(packets.path) as (_, stream):
        for place, frame in enumerate(_frames(stream)):
            times.append(_time(frame, packets))
            if place in places:
                kept[place] = picture_of(frame)
    return kept, _checked(times, packets)


def _frames(stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    yield from stream.container.decode(stream)


def _time(frame: av.VideoFrame, packets: Packets) -> int:
    time = frame.dts if frame.pts is None else frame.pts
    if time is None:
        words = f"{packets.path}: its frames have no times ({packets.picture.codec})"
        raise InvalidData(f"{words}. Write it anew: ffmpeg -i FILE -c:v libx264 -crf 12 NEW.mp4")
    return int(time)


def _checked(times: list[int], packets: Packets) -> np.ndarray:
    if packets.picture.container in NO_TIMES:
        times = packets.times.tolist() if len(times) == len(packets.times) else sorted(times)
    return rising(times, str(packets.path), packets.picture.codec)


def picture_of(frame: av.VideoFrame) -> np.ndarray:
    """Returns (H, W, 3) uint8 RGB of a frame, turned by quarters; its colours as its tags say, else as BT.601."""
    pixels = frame.reformat(format="rgb24", threads=1).to_ndarray()
    turns = round(frame.rotation / 90)
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def frames(packets: Packets, index: FrameIndex, places: Sequence[int]) -> Iterator[np.ndarray]:
    """Yields (H, W, 3) uint8 RGB of the frames at places of the index, in the order asked, turned as they are shown.

    Raises: InvalidData when one cannot be decoded; NotAsIndexed.
    """
    with Cursor(packets, index) as cursor:
        yield from (cursor.frame(int(place)) for place in places)


class Cursor:
    """A place in a video, which moves forward by decoding and elsewhere by seeking, whichever decodes fewer frames."""

    def __init__(self, packets: Packets, index: FrameIndex) -> None:
        self._packets, self._times = packets, index.times
        self._second = 1 / index.time_base
        self._seeks = packets.picture.container not in NO_TIMES
        self._keys = np.searchsorted(index.times, packets.keys, side="left")
        self._open = ExitStack()
        self._video: tuple[av.container.InputContainer, av.VideoStream] | None = None
        self._decoder: Iterator[av.VideoFrame] = iter(())
        self._next = len(index)
        self._last: tuple[int, np.ndarray] | None = None

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def frame(self, place: int) -> np.ndarray:
        """Returns the frame at a place. Raises: InvalidData, NotAsIndexed."""
        if self._last is None or self._last[0] != place:
            self._last = place, picture_of(self._decoded(place))
        return self._last[1]

    def _decoded(self, place: int) -> av.VideoFrame:
        before = self._keys[self._keys <= place]
        key = int(before[-1]) if len(before) else 0
        frame = None
        if self._seeks and key > NEAR and (place < self._next or key > self._next + NEAR):
            frame = self._sought(place)
        if frame is None and (place < self._next or self._video is None):
            self._restart()
        while frame is None or self._next <= place:
            frame = self._step()
        return frame

    def _sought(self, place: int) -> av.VideoFrame | None:
        """Seeks to a frame, or before it. Returns the first one decoded; None where no seek comes early enough."""
        container, stream = self._video or self._restart()
        for seconds in STEPS_BACK:
            target = int(self._times[place]) - round(seconds * self._second)
            if target <= self._times[0]:
                break
            with suppress(load_av().error.FFmpegError):  # a seek that fails is one that comes too late
                container.seek(target, stream=stream, backward=True)
                self._decoder = _frames(stream)
                frame = next(self._decoder, None)
                if frame is None or frame.pts is None or frame.is_corrupt:
                    continue
                at = int(np.searchsorted(self._times, frame.pts))
                if at <= place and self._times[at] == frame.pts:
                    self._next = at + 1
                    return frame
        self._restart()
        return None

    def _restart(self) -> tuple[av.container.InputContainer, av.VideoStream]:
        """Opens the file anew, at its start: no seek is as sure as that."""
        self._open.close()
        self._video = self._open.enter_context(opened(self._packets.path))
        self._decoder, self._next = _frames(self._video[1]), 0
        return self._video

    def _step(self) -> av.VideoFrame:
        """Returns the next frame, when it is the one that the index has there. Raises: InvalidData, NotAsIndexed."""
        frame = next(self._decoder, None)
        if frame is None or self._next >= len(self._times):
            raise NotAsIndexed
        if self._seeks and frame.pts != self._times[self._next]:
            raise NotAsIndexed
        self._next += 1
        return frame
