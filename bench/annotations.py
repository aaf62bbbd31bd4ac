"""What only scoring sees: matches, references, classes. Model plugins never import this module."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.matching import Matching, Unit


@dataclass(frozen=True)
class RetrievalAnnotations:
    """The matching of a text-video retrieval test, in opaque ids.

    Attributes:
        matching: the right videos of each text.
        pool: SHA-256 of the test set: its video ids with their texts. Equal pools, equal tests.
        missing: videos that have no features and count as never found; they and their texts are in `matching`.
        unit: what one text is.
        absent: of each video of the test set that was left out, with its texts: how many texts describe it.
    """

    matching: Matching
    pool: str
    missing: frozenset[str] = frozenset()
    unit: Unit = "paragraph"
    absent: tuple[int, ...] = ()

    def __len__(self) -> int:
        """How many videos there are, however many texts ask for them."""
        return len(self.matching.videos)

    def among(self, videos: Collection[str], pool: str) -> RetrievalAnnotations:
        """Returns the test of some of its videos with their texts, all of which are there; `pool` names it."""
        return RetrievalAnnotations(self.matching.among(videos), pool, unit=self.unit)

    @property
    def hits(self) -> str:
        """What counts as a hit where a query has several right answers: `any` of them, and from videos to captions the
        `best-caption` of each video as well; nothing where each query has one.

        The second needs one video for each text, and features of all videos.
        """
        if self.matching.one_to_one:
            return ""
        return "any+best-caption" if self.matching.one_video_each and not self.missing else "any"


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

    def among(self, videos: Collection[str], pool: str) -> CaptionAnnotations:
        """Returns the test of some of its videos, all of which are there; `pool` names it."""
        references = tuple({v: told for v, told in one.items() if v in videos} for one in self.references)
        return CaptionAnnotations(references, pool)


@dataclass(frozen=True)
class ClassAnnotations:
    """The classes of the videos of an action recognition test, in opaque ids.

    Attributes:
        labels: the classes of each video, indices into `class_names`, the main one first; at least one.
        class_names: names of the classes.
        pool: SHA-256 of the test set: its video ids with their classes, and the class names.
        missing: videos that have no features and count as never recognised.
        absent: of each video of the test set that was left out: how many classes it has.
    """

    labels: Mapping[str, tuple[int, ...]]
    class_names: tuple[str, ...]
    pool: str
    missing: frozenset[str] = frozenset()
    absent: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def among(self, videos: Collection[str], pool: str) -> ClassAnnotations:
        """Returns the test of some of its videos, all of which are there; `pool` names it."""
        return ClassAnnotations({v: own for v, own in self.labels.items() if v in videos}, self.class_names, pool)


class Annotations(Protocol):
    """What predictions are scored against: one of the above, or a class of a task's own."""

    @property
    def pool(self) -> str:
        """SHA-256 of the test set, all that is asked and all that is right. Equal pools, equal tests."""

    def __len__(self) -> int:
        """How many videos there are."""


class AnnotationSource(Protocol):
    """Where a task finds what it scores against: an opened dataset."""

    def annotations(self, split: str, limit: int | None = None, text: Unit = "paragraph") -> RetrievalAnnotations:
        """Returns which text belongs to which video, asked in the unit `text`."""

    def captions(self, splits: Sequence[str], limit: int | None = None) -> CaptionAnnotations:
        """Returns the references of the videos of the first split, one set for each split that describes them."""

    def classes(self, split: str, limit: int | None = None, subset: str = "") -> ClassAnnotations:
        """Returns the classes of the videos of a split, of a `subset` of the classes such as `unseen-50-0`."""

    def seen_classes(self, *, captions: bool) -> tuple[str, ...]:
        """Returns in words what the features, and with `captions` the training captions, knew of the classes."""
