"""What is known of the videos of a split: what people said of them, when, for how long, and their classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.data.dataset import Dataset


@dataclass(frozen=True)
class Scene:
    """What is known of one video.

    Attributes:
        video: its id.
        sentences: (n,) what people said of it.
        segments: (n,) start and end of what each sentence describes, seconds; () where nobody says.
        duration: seconds, or None where nobody says.
        classes: names of its classes.
    """

    video: str
    sentences: tuple[str, ...]
    segments: tuple[tuple[float, float], ...] = ()
    duration: float | None = None
    classes: tuple[str, ...] = ()

    @property
    def length(self) -> float:
        """Where its time line ends, seconds."""
        return max([self.duration or 0.0, *(end for _, end in self.segments)])

    def parts(self) -> list[tuple[str, tuple[float, float]]]:
        """Returns each sentence with its start and end; [] without segments."""
        return list(zip(self.sentences, self.segments, strict=True)) if self.segments else []


def scenes_of(dataset: Dataset, split: str) -> list[Scene]:
    """Returns the scene of each video of a split, in the order of its table."""
    columns, classes = dataset.columns(split), _classes(dataset, split)
    return [_scene(columns, place, classes) for place in range(len(columns["video_id"]))]


def _classes(dataset: Dataset, split: str) -> dict[str, tuple[str, ...]]:
    """Returns the names of the classes of each video of a split, or of the split that classes are tested on."""
    named = dataset.columns(split)
    if "labels" not in named and dataset.class_splits:
        named = dataset.columns(dataset.class_splits[1])
    if "labels" not in named:
        return {}
    names, told = dataset.class_names(), zip(named["video_id"], named["labels"], strict=True)
    return {video: tuple(names[label] for label in labels) for video, labels in told}


def _scene(columns: Mapping[str, list[Any]], place: int, classes: Mapping[str, tuple[str, ...]]) -> Scene:
    video, sentences = columns["video_id"][place], tuple(columns["sentences"][place])
    segments = tuple((start, end) for start, end in columns["timestamps"][place])
    return Scene(
        video=video,
        sentences=sentences,
        segments=segments if len(segments) == len(sentences) else (),
        duration=columns["duration"][place],
        classes=classes.get(video, ()),
    )
