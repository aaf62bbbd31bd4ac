"""Annotations by split, opened when they are needed, and as plain columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.errors import InvalidData, MissingData


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

    def columns(self, where: str = "annotations") -> dict[str, list[Any]]:
        """Returns the columns video_id, duration, timestamps and sentences as lists, every time a float.

        With classes there is a column labels, and frames where timestamps were counted in frames.

        Raises: InvalidData, saying `where`, for a reader that gave a video no entry of a column, or no such entry.
        """
        try:
            columns: dict[str, list[Any]] = {
                "video_id": [_text(video_id) for video_id in self.ids],
                "duration": [None if seconds is None else float(seconds) for seconds in self.durations],
                "timestamps": [[[float(start), float(end)] for start, end in own] for own in self.timestamps],
                "sentences": [[_text(sentence) for sentence in own] for own in self.sentences],
            }
            if self.class_names:
                columns["labels"] = [[self._label(label) for label in own] for own in self.labels]
            if any(self.frames):
                columns["frames"] = [int(frames) for frames in self.frames]
        except (TypeError, ValueError) as error:
            raise InvalidData(f"{where}: a reader made what is no annotation ({error}). Correct the reader.") from error
        counts = {name: len(column) for name, column in columns.items()}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
            raise InvalidData(f"{where}: a reader made {told}; expected one for every video. Correct the reader.")
        return columns

    def _label(self, label: int) -> int:
        if not 0 <= label < len(self.class_names):
            raise ValueError(f"class {label} of {len(self.class_names)}")
        return int(label)


class Tables(Mapping[str, AnnotatedVideos]):
    """Split name -> its annotations.

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

    def __getitem__(self, split: str) -> AnnotatedVideos:
        """Returns the annotations of a split. Raises: MissingData for a split that is not declared."""
        if split not in self._openers:
            raise MissingData(
                f"dataset {self._name!r} has no split {split!r}. Splits: {', '.join(self._openers)}. "
                + self._wanting.get(split, f"Declare it under datasets.{self._name}.splits.")
            )
        if split not in self._videos:
            self._videos[split] = self._openers[split]()
        return self._videos[split]

    def __contains__(self, split: object) -> bool:
        return split in self._openers

    def __iter__(self) -> Iterator[str]:
        return iter(self._openers)

    def __len__(self) -> int:
        return len(self._openers)


def _text(value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} for a text")
    return value
