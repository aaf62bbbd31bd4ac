"""A video or a still image, opened: its frames by their place, exactly, or an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.errors import BenchError, InvalidData
from bench.reading.numbers import number_of
from bench.video import pyav, stills
from bench.video.backends import DEFAULT, backend_named
from bench.video.index import FrameIndex
from bench.video.packets import Packets, scan
from bench.video.pyav import NotAsIndexed

HELD = 256 << 20
"""Bytes of frames that are held in memory until the whole file is decoded; for more, it is decoded twice."""


class Recounted(InvalidData):
    """A file shows other frames than it says, seen while it was read: now its `index` is right, and one starts over."""


class VideoFile:
    """A video or a still image: `index` says what it shows and when, `read` returns frames by their place in it.

    What the packets of a file promise is compared with every frame that is decoded. Where they differ, or where packets
    cannot tell, the whole file is decoded once and counted.
    """

    def __init__(self, path: Path, backend: str = DEFAULT) -> None:
        """Looks at a file, of which no more than one frame is decoded.

        Raises: MissingData for a file or a package that is not there; InvalidData for what is no video; UnknownName for
        no such backend.
        """
        self.path = path
        self._index: FrameIndex | None = None
        self._source: Packets | np.ndarray
        if form := stills.form_of_still(path):
            self._index, self._source = stills.read_still(path, form)
            return
        self._backend = backend_named(backend)
        self._source = scan(path)
        if self._source.counted:
            self._index = self._source.promised

    @property
    def index(self) -> FrameIndex:
        """The frames that the file shows. Raises: InvalidData when it cannot be decoded."""
        if self._index is None:
            self._index = self._counted()
        return self._index

    def read(self, places: Sequence[int]) -> Iterator[np.ndarray]:
        """Yields (H, W, 3) uint8 RGB of the frames at places of `index`, in the order asked, turned as they are shown.

        Raises: InvalidData when one cannot be decoded; Recounted when `index` turned out to be another; IndexError for
        a place that is not in `index`.
        """
        if not all(0 <= place < len(self.index) for place in places):
            raise IndexError(f"places of {self.path.name} are from 0 to {len(self.index) - 1}")
        if isinstance(self._source, np.ndarray):
            yield from (self._source for _ in places)
            return
        try:
            yield from self._backend.frames(self._source, self.index, places)
        except NotAsIndexed:
            raise self._recounted() from None

    def take(self, choose: Callable[[FrameIndex], Iterable[int]]) -> Iterator[tuple[int, np.ndarray]]:
        """Returns the places that `choose` takes of the index, rising and each once, with their frames.

        This decodes as little as it can: where the whole file has to be decoded for its frames to be counted, the
        frames are kept on the way. When it returns, `index` is known.

        Raises: as `read`, and what `choose` does.
        """
        if self._index is None and (kept := self._kept_on_the_way(choose)) is not None:
            return iter(kept)
        places = sorted(set(choose(self.index)))
        return zip(places, self.read(places), strict=True)

    def is_still(self, first: int, last: int) -> bool:
        """Whether the file says that nothing changes between two places, so that equal frames are no fault."""
        if isinstance(self._source, np.ndarray):
            return True
        times = self.index.times
        return self._source.is_still(int(times[first]), int(times[last]))

    def _kept_on_the_way(self, choose: Callable[[FrameIndex], Iterable[int]]) -> list[tuple[int, np.ndarray]] | None:
        """Decodes and counts the whole file. Returns the frames that were chosen; None where these were not known."""
        packets = self._source
        if isinstance(packets, np.ndarray) or self._backend.frames is not pyav.frames:
            return None
        try:
            promised = packets.promised
            places = frozenset(choose(promised))
        except InvalidData:  # of what packets promise; what is decoded may be otherwise
            return None
        if len(places) * 3 * packets.picture.width * packets.picture.height > HELD:
            return None
        kept, times = pyav.whole(packets, places)
        self._index = packets.index(times)
        return sorted(kept.items()) if np.array_equal(times, promised.times) else None

    def _counted(self) -> FrameIndex:
        """Returns the index of all frames that decoding gives."""
        if isinstance(self._source, np.ndarray):
            return self.index
        return self._source.index(pyav.decoded_times(self._source))

    def _recounted(self) -> BenchError:
        """Returns the error for a frame that is not as indexed: the index was another, or the file has no one order."""
        before = self.index
        self._index = self._counted()
        if not np.array_equal(before.times, self._index.times):
            return Recounted(
                f"{self.path} shows {number_of(len(self._index), 'frame')}, not the {len(before)} that it says."
            )
        return InvalidData(
            f"{self.path}: the {before.picture.codec} decoder gives other frames when it starts elsewhere."
            f" Write it anew: ffmpeg -i FILE -c:v libx264 -crf 12 NEW.mp4"
        )
