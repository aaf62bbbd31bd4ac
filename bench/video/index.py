"""Which frames a file shows and when: in the order of their times, which are integers in the file's own unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bench.errors import InvalidData

Span = tuple[float, float]
"""Start and end of a segment, in seconds."""
MILLISECOND = Fraction(1, 1000)
"""The unit of Matroska, WebM and Flash video, to which times are rounded: frame 2 of 30 a second comes at 67 ms there,
and is the one at 2/30 s, as in any other file (findings/matroska-shows-frames-after-their-times.sh)."""


def exact(seconds: float | Fraction) -> Fraction:
    """Returns a time as it is written: 0.12 is 3/25, not the float nearest to it, which lies a little before."""
    return seconds if isinstance(seconds, Fraction) else Fraction(repr(float(seconds)))


@dataclass(frozen=True)
class CodedPicture:
    """What the pictures of a file are.

    Attributes:
        container: what FFmpeg, or Pillow, calls the form of the file.
        codec, pixel_format: how pictures are stored.
        width, height: pixels of the first picture as it is shown, turned.
        rotation: degrees it was turned by, counter-clockwise.
        interlaced: whether it consists of two fields. Decoders differ in how they put these together.
        rate: frames a second, as the file says in the mean; None where it does not.
    """

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation: int = 0
    interlaced: bool = False
    rate: Fraction | None = None


@dataclass(frozen=True)
class FrameIndex:
    """The frames that a file shows, in the order of their times. What is decoded and not shown is not among them.

    Attributes:
        times: (n,) int64, when each frame comes up, rising, in units of `time_base`.
        time_base: seconds of one unit.
        zero: the time that counts as second 0, in the same unit: 0 where the file has a timeline of its own, the first
            frame where it has none (MPEG-TS starts anywhere, AVI stores no times).
        end: when the last frame goes, in the same unit.
        picture: what the pictures are.
    """

    times: np.ndarray
    time_base: Fraction
    zero: int
    end: int
    picture: CodedPicture

    def __len__(self) -> int:
        return len(self.times)

    @property
    def seconds(self) -> np.ndarray:
        """(n,) float64, when each frame comes up."""
        return np.array([float(self.second(place)) for place in range(len(self))])

    def second(self, place: int) -> Fraction:
        """Returns when a frame comes up, in seconds, exactly."""
        return (int(self.times[place]) - self.zero) * self.time_base

    @property
    def duration(self) -> Fraction:
        """Returns the second at which the last frame goes."""
        return (self.end - self.zero) * self.time_base

    @property
    def last_moment(self) -> Fraction:
        """Returns the second before which frames are taken: the duration, less what may be rounding."""
        return (self.end - self._rounding - self.zero) * self.time_base

    def at(self, seconds: float | Fraction) -> int:
        """Returns the place of the last frame at or before a time: what is on screen. Before the first, the first."""
        units = self._units(exact(seconds)) + self._rounding
        return max(0, int(np.searchsorted(self.times, units.numerator // units.denominator, side="right")) - 1)

    def within(self, span: Span | None) -> range:
        """Returns the places with start <= time < end; where there are none, the frame on screen at the start.

        Raises: InvalidData for a segment that ends before it starts.
        """
        if span is None:
            return range(len(self))
        start, end = (self._units(exact(seconds)) - self._rounding for seconds in span)
        if end < start:
            raise InvalidData(f"a segment from {span[0]} s to {span[1]} s ends before it starts. Put its times right.")
        first, after = (int(np.searchsorted(self.times, -(-unit // 1), side="left")) for unit in (start, end))
        return range(first, after) if after > first else range(self.at(span[0]), self.at(span[0]) + 1)

    @property
    def _rounding(self) -> Fraction:
        """How many units a time in the file may lie after the one that was meant."""
        return Fraction(1, 2) if self.time_base == MILLISECOND else Fraction(0)

    def _units(self, seconds: Fraction) -> Fraction:
        return seconds / self.time_base + self.zero


def rising(times: Sequence[int], name: str, codec: str) -> np.ndarray:
    """Returns times as an array.

    Raises: InvalidData when there are none, or they do not rise.
    """
    if not times:
        raise InvalidData(
            f"{name}: the {codec} decoder gave no frame. Look at the file in a player; leave it out else."
        )
    array = np.array(times, np.int64)
    falls = np.flatnonzero(np.diff(array) <= 0)
    if len(falls):
        at = int(falls[0])
        raise InvalidData(
            f"{name}: the times of its frames do not rise ({codec}: frame {at} at {times[at]}, the next at"
            f" {times[at + 1]}). Write it anew: ffmpeg -i FILE -c:v libx264 -crf 12 NEW.mp4"
        )
    return array
