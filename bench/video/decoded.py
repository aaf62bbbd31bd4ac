"""What is asked of a video, and what comes back: frames, when they come up, and a digest of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from bench.errors import InvalidData
from bench.video.backends import DEFAULT
from bench.video.index import CodedPicture, FrameIndex, Span
from bench.video.sampler import Sampler
from bench.video.video_file import VideoFile

T = TypeVar("T")


@dataclass(frozen=True)
class FrameRequest:
    """What is asked of a video.

    Attributes:
        path: the file.
        sampler: which frames.
        spans: of which segments, in seconds; None is the whole video. Frames that several take are decoded once.
        backend: what decodes.
    """

    path: Path
    sampler: Sampler
    spans: tuple[Span | None, ...] = (None,)
    backend: str = DEFAULT


@dataclass(frozen=True)
class Decoded(Generic[T]):
    """The frames that were taken of a video.

    Attributes:
        frames: (u,) what was kept of each frame, in the order of their times, each once.
        rows: for each span, which of `frames` the sampler takes: (k,) int64, or (w, windows) for windows.
        places: (u,) int64, places in the video.
        times: (u,) int64, when each comes up, in units of `time_base` seconds; second 0 is at `zero`.
        total: frames of the video.
        picture: what its pictures are.
        sha256: of the pixels of all frames that were taken, in order.
    """

    frames: tuple[T, ...]
    rows: tuple[np.ndarray, ...]
    places: np.ndarray
    times: np.ndarray
    time_base: Fraction
    zero: int
    total: int
    picture: CodedPicture
    sha256: str

    @property
    def seconds(self) -> np.ndarray:
        """(u,) float64, when each frame comes up."""
        return np.array([float((int(time) - self.zero) * self.time_base) for time in self.times])


class Taking:
    """Takes what is asked of an open video: `index`, `rows` and `places` are known before the first frame comes."""

    def __init__(self, video: VideoFile, request: FrameRequest) -> None:
        """Raises: what `VideoFile.take` and the sampler do."""
        self._video, self._request = video, request
        self._taken = video.take(lambda index: (int(place) for row in self._rows(index) for place in row.flat))
        self.index = video.index
        chosen = self._rows(self.index)
        self.places = np.unique(np.concatenate([row.ravel() for row in chosen]))
        self.rows = tuple(np.searchsorted(self.places, row) for row in chosen)
        self.sha256 = ""

    def _rows(self, index: FrameIndex) -> list[np.ndarray]:
        try:
            return [self._request.sampler.places(index, span) for span in self._request.spans]
        except InvalidData as error:
            raise InvalidData(f"{self._request.path}: {error}") from None

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yields the frames; then `sha256` is known.

        Raises: as `VideoFile.read`; InvalidData when all frames are equal in a clip that is not still.
        """
        digest = hashlib.sha256()
        first: np.ndarray | None = None
        differ = False
        for _, frame in self._taken:
            pixels = np.ascontiguousarray(frame)
            digest.update(f"{frame.shape[0]}x{frame.shape[1]}\n".encode())
            digest.update(pixels.data)
            first = pixels if first is None else first
            differ = differ or not np.array_equal(first, pixels)
            yield pixels
        count, codec = len(self.places), self.index.picture.codec
        if count > 1 and not differ and not self._video.is_still(int(self.places[0]), int(self.places[-1])):
            raise InvalidData(
                f"{self._request.path}: the {codec} decoder gave {count} equal frames, though the file says that they"
                " differ. Write it anew: ffmpeg -i FILE -c:v libx264 -crf 12 NEW.mp4"
            )
        self.sha256 = digest.hexdigest()
