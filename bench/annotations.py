"""What only scoring sees: matches, references, classes. Model plugins never import this module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class RetrievalAnnotations:
    """The matching of a paragraph-video retrieval test, in opaque ids.

    Attributes:
        matches: the video of each paragraph; one to one in our tasks, a task of a plugin may ask several times for one.
        pool: SHA-256 of the test set: its video ids with their paragraphs. Equal pools, equal tests.
        missing: videos that have no features and count as never found; they and their paragraphs are in `matches`.
    """

    matches: Mapping[str, str]
    pool: str
    missing: frozenset[str] = frozenset()

    def __len__(self) -> int:
        """How many videos there are, however many paragraphs ask for them."""
        return len(set(self.matches.values()))


@dataclass(frozen=True)
class Described:
    """A video as one annotator described it.

    Attributes:
        segments: (n,) start and end in seconds; () where sentences describe the whole video.
        sentences: (n,) sentences; with segments, sentence i describes segment i.
    """

    segments: tuple[tuple[float, float], ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class CaptionAnnotations:
    """The references of a captioning test, in opaque ids.

    Attributes:
        references: for each set of references, what it says of each video; the first set has all videos, and its
            segments are those that models are asked to caption.
        pool: SHA-256 of the test set: its video ids with all their references. Equal pools, equal tests.
        missing: videos that have no features; nothing can be predicted for them.
    """

    references: tuple[Mapping[str, Described], ...]
    pool: str
    missing: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.references[0])


@dataclass(frozen=True)
class ClassAnnotations:
    """The classes of the videos of an action recognition test, in opaque ids.

    Attributes:
        labels: the classes of each video, indices into `class_names`, the main one first; at least one.
        class_names: names of the classes.
        pool: SHA-256 of the test set: its video ids with their classes, and the class names.
        missing: videos that have no features and count as never recognised.
    """

    labels: Mapping[str, tuple[int, ...]]
    class_names: tuple[str, ...]
    pool: str
    missing: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.labels)


Annotations = RetrievalAnnotations | CaptionAnnotations | ClassAnnotations


class AnnotationSource(Protocol):
    """Where a task finds what it scores against: an opened dataset."""

    def annotations(self, split: str, limit: int | None = None) -> RetrievalAnnotations:
        """Returns which paragraph belongs to which video."""

    def captions(self, splits: Sequence[str], limit: int | None = None) -> CaptionAnnotations:
        """Returns the references of the videos of the first split, one set for each split that describes them."""

    def classes(self, split: str, limit: int | None = None, subset: str = "") -> ClassAnnotations:
        """Returns the classes of the videos of a split, of a `subset` of the classes such as `unseen-50-0`."""

    def seen_classes(self, *, captions: bool) -> tuple[str, ...]:
        """Returns in words what the features, and with `captions` the training captions, knew of the classes."""
