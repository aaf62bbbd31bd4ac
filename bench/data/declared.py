"""Light values that say which datasets exist: readers offered by plugins, and datasets declared in bench.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from bench.inputs import DataKind
from bench.matching import Unit

if TYPE_CHECKING:
    import numpy as np

    from bench.data.features.row_contents import Progress, RowContent

SAMPLE = "sample"
"""The root and the features of the generated dataset that ships inside bench."""
SIMULATED = "simulated"
"""Features generated for real annotations."""
PACK = "pack"
"""The reader of feature packs; a pack itself says what its features are."""

CAPTIONS = "captions"
"""The reader of caption files, which may name their parts themselves and give no segments."""

LABELLED = ("labelled_train", "labelled_val")
"""The splits of a captioned dataset whose classes a labels.csv gives, for training and for testing."""

HALVES = {"ae-val": "validation", "ae-test": "testing"}
"""Halves of val_1 of ActivityNet Captions, set aside by ActivityNet-Entities, and the list that each is in."""

Policy = Literal["fail", "penalise", "exclude"]
"""What happens to videos without features."""
AllZero = Literal["keep", "missing"]
"""What videos are whose features are all zeros: like others, or without features."""


@dataclass(frozen=True)
class DatasetSpec:
    """A reader: a kind of dataset that bench.yaml can declare.

    Attributes:
        name: what stands after `reader:`.
        summary: one line.
        loader: `"package.module:object"`; called as `object(declaration)`, returns a `bench.data.dataset.Dataset`.
        splits: its official splits and the file stem of each, such as {"train": "train", "val_1": "val_1"}.
        test: the split that `<name>-retrieval` evaluates on.
        files: where the official files come from, in words, shown by `bench info`.
        captions: whether its files hold captions; without them no retrieval or captioning task is offered.
        class_splits: the splits whose videos have classes, for training and for testing: in its files where these
            hold no captions, else in the generated sample; None without classes.
    """

    name: str
    summary: str
    loader: str
    splits: Mapping[str, str]
    test: str
    files: str
    captions: bool = True
    class_splits: tuple[str, str] | None = None


@dataclass(frozen=True)
class FeatureReader:
    """A layout of frame features on disk that bench.yaml can name.

    Attributes:
        name: what stands after `reader:` under `features:`.
        summary: one line.
        loader: `"package.module:object"`; called as `object(declaration, path)`, returns a `FeatureSource`.
    """

    name: str
    summary: str
    loader: str


@dataclass(frozen=True)
class VideoFolder:
    """How features are made from videos, as bench.yaml says; they lie in a pack once they are made.

    Attributes:
        folder: where the videos lie.
        pattern: how a file is named after its video, with `{id}` where the id stands.
        encoder: the encoder, with what stands after a colon.
        sampler: which frames are taken, in words.
        settings: of the encoder, as they were written.
        segments: the dataset whose segments are sampled one by one; "" to sample whole videos.
        backend: what decodes.
    """

    folder: Path
    encoder: str
    sampler: str
    pattern: str = "{id}.*"
    settings: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    segments: str = ""
    backend: str = "pyav"


@dataclass(frozen=True)
class FeatureDeclaration:
    """Frame features as declared in bench.yaml.

    Attributes:
        name: its key under `features:`, or `sample` or `simulated`.
        reader: the file layout, the name of a `FeatureReader`, or `sample` or `simulated`.
        path: file or folder; None for `sample` and `simulated`.
        extractor: what computed the features, such as `C3D-PCA500`; part of every signature; empty for a pack.
        stride: distance between rows in words, such as `8 frames`; `unknown` when nobody says.
        dim: expected dimension, or None to take what the file has.
        trained_on: what the extractor was trained on, in words; empty when nobody says.
        loader: the code of a reader that a plugin offers; empty for our own.
        videos: the videos that a pack is made from; None where bench does not make it.
    """

    name: str
    reader: str
    path: Path | None = None
    extractor: str = ""
    stride: str = "unknown"
    dim: int | None = None
    loader: str = ""
    trained_on: str = ""
    videos: VideoFolder | None = None


@dataclass(frozen=True)
class SplitDeclaration:
    """One split of a declared dataset.

    Attributes:
        file: annotations, JSON, plain or gzip.
        ids: a JSON list of the video ids that belong to the split, or several such lists by name, or a .csv table
            with a column video_id, or a .txt file with one a line; None for all.
        part: the name of the list in `ids`, where that file holds several; without `ids`, of a part that annotations
            themselves name (reader `captions`).
        take: first and past-the-last position, in file order, of the videos that belong to the split; None for all.
    """

    file: Path
    ids: Path | None = None
    take: tuple[int, int] | None = None
    part: str = ""


@dataclass(frozen=True)
class DatasetDeclaration:
    """A dataset as declared in bench.yaml, paths resolved.

    Attributes:
        name: its key under `datasets:`; its tasks are called after it.
        reader: the `DatasetSpec` that opens it.
        root: the folder of official files, or None for the generated sample.
        features: the frame features it uses.
        splits: files of each split; the reader's own when bench.yaml names none.
        segments: the segment source its tasks use by default: `gt`, or `none` when the files have no timestamps.
        test: the split its tasks evaluate on.
        labels: a labels.csv with the classes of videos, or None; see `bench.data.readers.labels`.
        captions: whether it has captions; its reader says so.
        class_splits: the splits whose videos have classes, for training and for testing; None without classes.
        missing: what happens to videos without features: `fail`; `exclude`, evaluate without them, never ranked;
            `penalise`, they count as never found. Under the last two, training leaves them out.
        all_zero: whether videos whose features are all zeros count as videos without features; they are counted in
            either case.
        text: what one text of a retrieval test is; `paragraph` where `segments` is `none` means that nobody said so,
            and then every video may have one caption only.
        queries: texts that are asked instead of the captions of the test split, JSON by id; None for those captions.
        relevance: which videos are right for which texts of the test split, as TREC qrels; None where a text belongs to
            its own video.
        named_set: the set of `bench list sets` that its test split is said to be, compared by `bench data verify`; or
            "".
        groups: which videos come from one source and are held out of training together: a pattern over ids, or a table;
            None where each stands for itself. See `bench.data.groups`.
        note: what a reader of its results has to know of it, one line that every record carries; or "".
    """

    name: str
    reader: str
    root: Path | None
    features: FeatureDeclaration
    splits: Mapping[str, SplitDeclaration] = field(default_factory=dict)
    segments: str = "gt"
    test: str = "val_1"
    missing: Policy = "fail"
    all_zero: AllZero = "keep"
    labels: Path | None = None
    captions: bool = True
    text: Unit = "paragraph"
    queries: Path | None = None
    relevance: Path | None = None
    class_splits: tuple[str, str] | None = None
    named_set: str = ""
    groups: Path | str | None = None
    note: str = ""

    def asked(self) -> dict[str, str]:
        """Returns in words what the texts of retrieval are, and which videos are right for them."""
        own = "caption" if self.text == "paragraph" and self.segments == "none" else self.text
        return {
            "asks": f"the queries of {self.queries}" if self.queries else f"each {own} of {self.test}",
            "right are": f"the videos that {self.relevance} judges so" if self.relevance else "the video of each text",
        }


@dataclass(frozen=True)
class FeatureIdentity:
    """What frame features are; every result carries it.

    Attributes:
        extractor: such as `C3D-PCA500`.
        dim: feature dimension.
        stride: distance between rows in words.
        digest: SHA-256 as its reader defines it.
        kind: `real`, `simulated` or `generated`.
        made: what made them from videos, as texts by name; {} where bench did not make them.
    """

    extractor: str
    dim: int
    stride: str
    digest: str
    kind: DataKind
    made: Mapping[str, str] = field(default_factory=dict)


class FeatureSource(Protocol):
    """Frame features of many videos, read one video at a time."""

    @property
    def dim(self) -> int: ...

    @property
    def kind(self) -> DataKind: ...

    def ids(self) -> Iterable[str]:
        """Returns every video that has features."""

    def missing(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Returns those of `ids` that have no features, in the given order. Raises: InvalidData."""

    def lengths(self, ids: Sequence[str]) -> np.ndarray:
        """Returns (n,) int64, the number of rows of each video. Raises: MissingData naming the videos without any."""

    def read(self, video_id: str) -> np.ndarray:
        """Returns (T, D), all rows of one video, float32 or float16, finite. Raises: MissingData, InvalidData."""

    def identity(self, ids: Sequence[str]) -> FeatureIdentity:
        """Returns what these features are, digested over the given videos or more. Raises: MissingData."""


@runtime_checkable
class SegmentedFeatures(Protocol):
    """Features that may have been made segment by segment: rows then belong to segments, and not to shares of time."""

    def segment_rows(self, ids: Sequence[str]) -> tuple[np.ndarray, np.ndarray] | None:
        """Returns (n,) int64 segments of each video and (S,) int64 rows of each segment; None for whole videos."""


@runtime_checkable
class ExaminedFeatures(Protocol):
    """Frame features whose rows can be looked at before a run: those that lie in files."""

    def examine(self, ids: Sequence[str], progress: Progress = ...) -> Mapping[str, RowContent]:
        """Returns what the rows of each video are. Raises: MissingData; InvalidData naming videos with NaN."""

    def check_unchanged(self) -> None:
        """Raises InvalidData when a file is not what it was when its rows were looked at."""
