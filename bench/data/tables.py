"""Annotations as `datasets` tables with declared columns, opened split by split when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.errors import MissingData

if TYPE_CHECKING:
    from datasets import Dataset as Table


@dataclass(frozen=True)
class AnnotatedVideos:
    """The annotations of one split, in file order; what every reader produces.

    Attributes:
        ids: (n,) video ids.
        durations: (n,) seconds, or None where nobody says.
        timestamps: (n,) segments as [start, end] in seconds, aligned with the sentences; [] where there are none.
        sentences: (n,) sentences of each video; [] where only classes are known.
        labels: (n,) classes of each video, indices into `class_names`, the main one first; () without classes.
        class_names: names of the classes.
        frames: (n,) video frames that timestamps were counted in before they became seconds, 0 where nobody says; ()
            for annotations made in seconds.
        oddities: what a reader put right, in words, with how often; shown by `bench data verify`.
        form: which form the file had, in words, where its reader knows several; shown likewise.
    """

    ids: tuple[str, ...]
    durations: tuple[float | None, ...]
    timestamps: tuple[list[list[float]], ...]
    sentences: tuple[list[str], ...]
    labels: tuple[tuple[int, ...], ...] = ()
    class_names: tuple[str, ...] = ()
    frames: tuple[int, ...] = ()
    oddities: Mapping[str, int] = field(default_factory=dict)
    form: str = ""


class Tables(Mapping[str, "Table"]):
    """Split name -> table with the columns video_id, duration, timestamps, sentences and, with classes, labels.

    A split is read at its first use, so that a missing val_2 does not keep anyone from val_1. `wanting` says what a
    split needs that is not among `openers`.
    """

    def __init__(
        self,
        name: str,
        openers: Mapping[str, Callable[[], AnnotatedVideos]],
        wanting: Mapping[str, str] | None = None,
    ) -> None:
        self._name = name
        self._wanting = wanting or {}
        self._openers = dict(openers)
        self._videos: dict[str, AnnotatedVideos] = {}
        self._tables: dict[str, Table] = {}

    def __getitem__(self, split: str) -> Table:
        """Returns the table of a split. Raises: MissingData for a split that is not declared."""
        if split not in self._tables:
            self._tables[split] = as_table(self.videos(split))
        return self._tables[split]

    def __contains__(self, split: object) -> bool:
        return split in self._openers

    def __iter__(self) -> Iterator[str]:
        return iter(self._openers)

    def __len__(self) -> int:
        return len(self._openers)

    def videos(self, split: str) -> AnnotatedVideos:
        """Returns what the table of a split is made of. Raises: MissingData for a split that is not declared."""
        if split not in self._openers:
            raise MissingData(
                f"dataset {self._name!r} has no split {split!r}. Splits: {', '.join(self._openers)}. "
                + self._wanting.get(split, f"Declare it under datasets.{self._name}.splits.")
            )
        if split not in self._videos:
            self._videos[split] = self._openers[split]()
        return self._videos[split]


def as_table(videos: AnnotatedVideos) -> Table:
    """Returns the annotations as an in-memory Arrow table; nothing is cached on disk."""
    from datasets import ClassLabel, Dataset, Features, Value

    features = {
        "video_id": Value("string"),
        "duration": Value("float64"),
        "timestamps": [[Value("float64")]],
        "sentences": [Value("string")],
    }
    columns = {
        "video_id": list(videos.ids),
        "duration": list(videos.durations),
        "timestamps": list(videos.timestamps),
        "sentences": list(videos.sentences),
    }
    if videos.class_names:
        features["labels"] = [ClassLabel(names=list(videos.class_names))]
        columns["labels"] = [list(classes) for classes in videos.labels]
    if any(videos.frames):
        features["frames"] = Value("int64")
        columns["frames"] = list(videos.frames)
    return Dataset.from_dict(columns, features=Features(features))
