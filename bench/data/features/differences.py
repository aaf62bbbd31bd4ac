"""How the features of two sources differ: what made them, which videos they hold, and how far their rows lie apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.data.declared import FeatureIdentity, FeatureSource

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class VideoDifference:
    """How the rows of one video differ.

    Attributes:
        rows: rows in either source.
        cosine: mean cosine of rows that stand at the same place; of their means where the numbers of rows differ, of
            nothing where all is zero in one of the two (0).
        largest: the largest absolute difference of two numbers; None where the numbers of rows differ.
    """

    rows: tuple[int, int]
    cosine: float
    largest: float | None


@dataclass(frozen=True)
class Differences:
    """How two sources of features differ.

    Attributes:
        words: what is said of them and differs: name -> (first, second); "" where one does not say it.
        only_first, only_second: videos that the other lacks, sorted.
        videos: video -> how its rows differ, of all videos in both; {} where the dimensions differ.
    """

    words: Mapping[str, tuple[str, str]]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    videos: Mapping[str, VideoDifference] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Whether both hold the same rows of the same videos, whatever is said of them."""
        alike = "dimension" not in self.words and all(one.largest == 0 for one in self.videos.values())
        return alike and not self.only_first and not self.only_second

    @property
    def other_rows(self) -> tuple[str, ...]:
        """Videos that have another number of rows."""
        return tuple(video_id for video_id, one in self.videos.items() if one.largest is None)

    @property
    def cosine(self) -> float:
        """The mean over videos of their cosines; NaN without a video in both."""
        return float(np.mean([one.cosine for one in self.videos.values()])) if self.videos else float("nan")

    @property
    def largest(self) -> float:
        """The largest difference of two numbers at the same place; NaN where there are none."""
        largest = [one.largest for one in self.videos.values() if one.largest is not None]
        return max(largest, default=float("nan"))

    def most(self, count: int) -> list[tuple[str, VideoDifference]]:
        """Returns the videos that differ most, by cosine, and by the largest difference where that is equal."""
        differing = [(video_id, one) for video_id, one in self.videos.items() if one.largest != 0]
        return sorted(differing, key=lambda video: (video[1].cosine, -(video[1].largest or 0.0), video[0]))[:count]

    def as_json(self) -> dict[str, Any]:
        """Returns all of it, ready for JSON."""
        largest = self.largest
        return {
            "equal": self.equal,
            "words": {name: list(pair) for name, pair in self.words.items()},
            "only_first": list(self.only_first),
            "only_second": list(self.only_second),
            "videos": len(self.videos),
            "other_rows": list(self.other_rows),
            "cosine": None if np.isnan(self.cosine) else self.cosine,
            "largest": None if np.isnan(largest) else largest,
            "most": {video_id: vars(one) for video_id, one in self.most(len(self.videos))},
        }


def compared(first: FeatureSource, second: FeatureSource, progress: Progress = lambda done, total: None) -> Differences:
    """Returns how two sources differ; `progress(videos done, videos in all)`. Raises: DataError."""
    left, right = set(first.ids()), set(second.ids())
    both = sorted(left & right)
    videos = {}
    for done, video_id in enumerate(both if first.dim == second.dim else ()):
        videos[video_id] = _compared(first.read(video_id), second.read(video_id))
        progress(done + 1, len(both))
    return Differences(
        words=_other_words(first.identity(sorted(left)), second.identity(sorted(right))),
        only_first=tuple(sorted(left - right)),
        only_second=tuple(sorted(right - left)),
        videos=videos,
    )


def _compared(first: np.ndarray, second: np.ndarray) -> VideoDifference:
    a, b = (np.asarray(rows, dtype=np.float64) for rows in (first, second))
    if a.shape != b.shape:
        return VideoDifference(
            (len(a), len(b)), _cosine(a.mean(axis=0, keepdims=True), b.mean(axis=0, keepdims=True)), None
        )
    return VideoDifference((len(a), len(b)), _cosine(a, b), float(np.abs(a - b).max()))


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Returns the mean cosine of rows at the same place; rows that are both zero are alike."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    products = (a * b).sum(axis=1)
    cosines = np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)
    cosines[(a == b).all(axis=1)] = 1.0
    return float(cosines.mean())


def _other_words(first: FeatureIdentity, second: FeatureIdentity) -> dict[str, tuple[str, str]]:
    told = [
        {
            "extractor": one.extractor,
            "dimension": str(one.dim),
            "stride": one.stride,
            "kind": one.kind,
            **one.made,
            "digest": one.digest,
        }
        for one in (first, second)
    ]
    names = dict.fromkeys(name for words in told for name in words)
    pairs = {name: (told[0].get(name, ""), told[1].get(name, "")) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
