"""Features that were generated in memory, served like features from a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.data.declared import SAMPLE, FeatureIdentity
from bench.data.features.stored import missing_videos
from bench.data.sample.world import FEATURE_DIM, SAMPLE_VERSION, Story
from bench.data.tables import AnnotatedVideos
from bench.files import digest
from bench.inputs import DataKind


@dataclass(frozen=True)
class GeneratedSplit:
    """One split of the sample: annotations, rows, and the stories behind them.

    Attributes:
        videos: annotations.
        rows: (sum of lengths, 64) float32, the rows of all videos.
        lengths: (n,) int64, rows of each video.
        stories: (n,) what happens in each video.
        templates: (n,) sentence template of each event, where a second wording needs them; else ().
    """

    videos: AnnotatedVideos
    rows: np.ndarray
    lengths: np.ndarray
    stories: tuple[Story, ...]
    templates: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class SampleSplit:
    """A split of the sample before it is generated.

    Attributes:
        ids: its videos.
        class_names: returns the names of the classes in its world.
        make: generates it.
    """

    ids: tuple[str, ...]
    class_names: Callable[[], tuple[str, ...]]
    make: Callable[[], GeneratedSplit]


class GeneratedFeatures:
    """The features of generated splits (a `FeatureSource`); a split is generated when one of its videos is used."""

    dim: Final[int] = FEATURE_DIM
    kind: Final[DataKind] = "generated"

    def __init__(self, form: str, splits: Sequence[SampleSplit]) -> None:
        """`form` tells one family of generated splits from another, in the digest."""
        self._form = form
        self._where: dict[str, SampleSplit] = {}
        for split in splits:
            for video_id in split.ids:
                self._where.setdefault(video_id, split)
        self._videos: dict[str, np.ndarray] = {}

    def ids(self) -> tuple[str, ...]:
        """Returns every video of the sample."""
        return tuple(self._where)

    def missing(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Returns those of `ids` that are not of the sample."""
        return tuple(video_id for video_id in ids if video_id not in self._where)

    def lengths(self, ids: Sequence[str]) -> np.ndarray:
        """Returns (n,) int64, rows of each video. Raises: MissingData for ids that are not of the sample."""
        if missing := self.missing(ids):
            raise missing_videos("the generated sample", missing, len(ids))
        return np.fromiter((len(self.read(video_id)) for video_id in ids), dtype=np.int64, count=len(ids))

    def read(self, video_id: str) -> np.ndarray:
        """Returns (T, 64) float32."""
        if video_id not in self._where:
            raise missing_videos("the generated sample", [video_id], 1)
        if video_id not in self._videos:
            split = self._where[video_id].make()
            parts = np.split(split.rows, np.cumsum(split.lengths)[:-1])
            self._videos.update(zip(split.videos.ids, parts, strict=True))
        return self._videos[video_id]

    def identity(self, ids: Sequence[str]) -> FeatureIdentity:
        """Returns what these features are. The digest covers the recipe and the ids, not the numbers' last bits,
        which may differ from one processor to another."""
        content = {"sample": SAMPLE_VERSION, "form": self._form, "ids": sorted(ids)}
        return FeatureIdentity(SAMPLE, FEATURE_DIM, "0.5 s", digest(content), self.kind)
