"""What the kit offers a model in place of the world: frames that are drawn, and an endpoint that answers by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, TypeVar

from bench.endpoints import Answer, Question, Sampling, Served
from bench.files import digest
from bench.models.pictures import FramesShown

if TYPE_CHECKING:
    import numpy as np

    from bench.inputs import Ragged

T = TypeVar("T")
SIZE = (48, 64, 3)
WORDS = ("yes", "no", *ascii_uppercase)
"""First words between which the endpoint's answers are uncertain."""


@dataclass(frozen=True)
class DrawnPictures:
    """The pictures of a batch (`bench.models.pictures.Pictures`), each of one colour that follows from its digest."""

    whole: tuple[FramesShown, ...]
    clips: tuple[FramesShown, ...]

    def read(self, wanted: Sequence[FramesShown], keep: Callable[[np.ndarray], T]) -> Iterator[tuple[T, ...]]:
        """Yields what `keep` makes of the frames of each of `wanted`."""
        import numpy as np

        for shown in wanted:
            colours = [hashlib.sha256(f"{shown.digest} {row}".encode()).digest()[:3] for row in shown.rows]
            yield tuple(keep(np.broadcast_to(np.frombuffer(colour, np.uint8), SIZE).copy()) for colour in colours)

    def file(self, video: int) -> bytes:
        """Returns what stands for a video file; no decoder reads it."""
        return f"video {video}".encode()

    def take(self, videos: Sequence[int], clips: Sequence[int]) -> DrawnPictures:
        """Returns those of some videos and clips."""
        return DrawnPictures(tuple(self.whole[i] for i in videos), tuple(self.clips[i] for i in clips))


def drawn(frames: Ragged, clip_frames: Ragged, owners: Sequence[int]) -> DrawnPictures:
    """Returns a picture for each feature row of B videos and S clips: equal rows have equal pictures.

    Args:
        owners: (S,) the place of the video that each clip is of.
    """
    whole = _shown(frames, range(len(frames.lengths)))
    return DrawnPictures(whole, _shown(clip_frames, owners))


def _shown(frames: Ragged, videos: Sequence[int]) -> tuple[FramesShown, ...]:
    parts = frames.values.split(frames.lengths.tolist())  # type: ignore[no-untyped-call]
    return tuple(
        FramesShown(video, tuple(range(len(part))), digest(part.tolist()))
        for video, part in zip(videos, parts, strict=True)
    )


class StandIn:
    """In place of an endpoint: an answer that follows from what is asked and shown, and no request."""

    served = Served("stand-in")

    def hello(self, alternatives: int) -> Served:
        """Returns what answers."""
        return self.served

    def ask(self, question: Question, shown: Sequence[bytes], sampling: Sampling) -> Answer:
        """Returns words in order of their digests with the question, the first as the answer."""
        asked = digest([question.text, *(hashlib.sha256(one).hexdigest() for one in shown)])
        order = sorted(WORDS, key=lambda word: digest([asked, word]))
        likely = tuple((word, -1.0 - place) for place, word in enumerate(order))[: sampling.alternatives]
        return Answer(f"{order[0]} {asked[:8]}", "said", self.served, likely)

    def stop(self) -> None:
        """Nobody waits."""
