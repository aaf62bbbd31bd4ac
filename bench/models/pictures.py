"""The frames behind feature rows, for models that look at pictures: decoded when they are asked for, and not before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")


@dataclass(frozen=True)
class FramesShown:
    """The frames of one clip or one video, as a sampler took them.

    Attributes:
        video: the place of the video.
        rows: which of the frames that were taken of the video, in order of time; one for each feature row.
        digest: SHA-256 of what was taken of the video and which of it is shown: equal digests are equal pictures.
    """

    video: int
    rows: tuple[int, ...]
    digest: str


class Pictures(Protocol):
    """The pictures of a batch of B videos with S clips."""

    @property
    def whole(self) -> tuple[FramesShown, ...]:
        """(B,) the frames of each video, those of its feature rows."""

    @property
    def clips(self) -> tuple[FramesShown, ...]:
        """(S,) the frames of each clip."""

    def read(self, wanted: Sequence[FramesShown], keep: Callable[[np.ndarray], T]) -> Iterator[tuple[T, ...]]:
        """Yields for each of `wanted` what `keep` makes of its frames, each (H, W, 3) uint8 RGB, in order of time.

        Raises: DataError for a video that is gone, changed, or cannot be decoded.
        """

    def file(self, video: int) -> bytes:
        """Returns a whole video file. Raises: DataError."""
