"""A dataset that has been opened: annotation tables and frame features, handed out as inputs, annotations or training.

This is the only place that cuts a split into what a model sees and that knows which opaque id is which video.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bench.annotations import RetrievalAnnotations
from bench.data.identity import heldout_indices, kept_positions, opaque_id, pool_digest, shuffled_positions
from bench.data.spec import DatasetDeclaration, FeatureIdentity, FeatureSource
from bench.errors import InvalidData, MissingData, UsageError
from bench.files import digest
from bench.inputs import DataKind, Inputs, Paragraph, TrainingData, View

if TYPE_CHECKING:
    from datasets import Dataset as Table

    from bench.data.loading import FrameVideos

TRAIN = "train"


@dataclass(frozen=True)
class Dataset:
    """Annotations and features of one dataset, read-only.

    Attributes:
        name: its key in bench.yaml; opaque ids depend on it.
        kind: `real` only when annotations and features are real.
        label: what is shown beside each number, such as `sample (generated)` or `anet (simulated features)`.
        recipe: which settings of a model belong to its training set: `sample`, or None for real annotations.
        declaration: how bench.yaml declares it.
        tables: split -> table with the columns video_id, duration, timestamps, sentences; with classes, label; frames
            where timestamps were counted in video frames.
        features: frame features of its videos.
        class_names: names of the classes that the column `label` counts; () without classes.
        expected: how many videos the protocol expects in each split, where it says so.
    """

    name: str
    kind: DataKind
    label: str
    recipe: str | None
    declaration: DatasetDeclaration
    tables: Mapping[str, Table]
    features: FeatureSource
    class_names: tuple[str, ...] = ()
    expected: Mapping[str, int] = field(default_factory=dict)
    _identities: dict[tuple[str, ...], FeatureIdentity] = field(default_factory=dict, repr=False, compare=False)
    _columns: dict[str, dict[str, list[Any]]] = field(default_factory=dict, repr=False, compare=False)
    _left_out: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    def inputs(self, split: str, view: View, *, max_rows: int, limit: int | None = None) -> Inputs:
        """Returns videos and paragraphs of a split with opaque ids, each side in the order of its own ids.

        This is the only place that cuts a test set: `view` says which clips and sentences are kept. Under the policy
        `penalise` the paragraphs of videos without features are among the paragraphs.

        Raises: DataError when annotations or features are missing or broken.
        """
        columns = self.columns(split)
        chosen = self._evaluated(split, limit)
        opaque = [self._opaque(split, "paragraph", columns["video_id"][i]) for i in chosen]
        order = sorted(range(len(chosen)), key=lambda k: opaque[k])
        return Inputs(
            videos=self._cut(split, self._with_features(split, chosen), view, max_rows),
            paragraph_ids=tuple(opaque[k] for k in order),
            paragraphs=tuple(_paragraph(columns, chosen[k], view) for k in order),
            view=view,
            under=lambda other: self.inputs(split, other, max_rows=max_rows, limit=limit),
        )

    def annotations(self, split: str, limit: int | None = None) -> RetrievalAnnotations:
        """Returns which paragraph belongs to which video, and which videos count as never found, for `inputs`."""
        columns = self.columns(split)
        chosen = self._evaluated(split, limit)
        ids = [columns["video_id"][i] for i in chosen]
        return RetrievalAnnotations(
            matches={self._opaque(split, "paragraph", v): self._opaque(split, "video", v) for v in ids},
            pool=pool_digest((columns["video_id"][i], columns["sentences"][i]) for i in chosen),
            missing=frozenset(self._opaque(split, "video", v) for v in self.left_out(split).intersection(ids)),
        )

    def training(self, view: View, *, max_rows: int, limit: int | None = None) -> TrainingData:
        """Returns split `train` in file order, its first `limit` videos, with a tenth marked as held out.

        Training sees whole videos and paragraphs: of `view` only the segments count.
        Videos without features are left out where the policy allows it.

        Raises: InvalidData when a training video is also a test video; DataError when data is missing or broken.
        """
        if self.declaration.test in self.tables:
            self.check_disjoint(self.declaration.test)
        columns = self.columns(TRAIN)
        chosen = self._with_features(TRAIN, range(self.count(TRAIN)))[: self.count(TRAIN, limit)]
        return TrainingData(
            videos=self._cut(TRAIN, chosen, view.complete, max_rows),
            paragraphs=tuple(_paragraph(columns, i, view.complete) for i in chosen),
            aligned=view.complete.aligned,
            heldout=heldout_indices([columns["video_id"][i] for i in chosen]),
        )

    def training_digest(self, view: View, limit: int | None = None) -> str:
        """Returns the SHA-256 of all that training depends on, but for the model's row cap."""
        features = asdict(self.feature_identity([TRAIN]))
        annotations = self.annotation_digest(TRAIN)
        shown = {"segments": view.segments}
        return digest({"annotations": annotations, "features": features, "view": shown, "limit": limit})

    def annotation_digest(self, split: str) -> str:
        """Returns the SHA-256 of a split's ids, durations, timestamps, sentences and labels, in file order."""
        return digest({"columns": self.columns(split), "class_names": self.class_names})

    def feature_identity(self, splits: Sequence[str]) -> FeatureIdentity:
        """Returns what the features are, digested over the videos of `splits`."""
        key = tuple(splits)
        if key not in self._identities:
            ids = sorted(
                {v for split in splits for v in self.columns(split)["video_id"] if v not in self.left_out(split)}
            )
            self._identities[key] = self.features.identity(ids)
        return self._identities[key]

    def count(self, split: str, limit: int | None = None) -> int:
        """Returns how many videos of a split are used under `limit`. Raises: UsageError for a limit below 1."""
        if limit is not None and limit < 1:
            raise UsageError(f"limit={limit}: use at least 1 video, or leave the limit out for all.")
        total = len(self.columns(split)["video_id"])
        return total if limit is None else min(limit, total)

    def columns(self, split: str) -> dict[str, list[Any]]:
        """Returns a split's table as plain lists by column. Raises: DataError when it is missing or broken."""
        if split not in self._columns:
            self._columns[split] = self.tables[split].to_dict()
        return self._columns[split]

    def left_out(self, split: str) -> frozenset[str]:
        """Returns the videos of a split that have no features and are excluded or penalised; none under `fail`."""
        if self.declaration.missing == "fail":
            return frozenset()
        if split not in self._left_out:
            self._left_out[split] = frozenset(self.features.missing(self.columns(split)["video_id"]))
        return self._left_out[split]

    def wanted(self, split: str, limit: int | None = None) -> list[str]:
        """Returns the video ids of a split that a run under `limit` asks for, whether or not they have features."""
        ids = self.columns(split)["video_id"]
        order = range(len(ids)) if split == TRAIN else self._opaque_order(split)
        return [ids[i] for i in order[: self.count(split, limit)]]

    def _opaque(self, split: str, kind: str, video_id: str) -> str:
        return opaque_id(self.name, split, kind, video_id)

    def _evaluated(self, split: str, limit: int | None) -> list[int]:
        """Returns the positions of the videos under evaluation: the first `limit` in the order of opaque ids."""
        order = self._opaque_order(split)
        if self.declaration.missing == "exclude":
            order = self._with_features(split, order)
        return order[: self.count(split, limit)]

    def _opaque_order(self, split: str) -> list[int]:
        ids = self.columns(split)["video_id"]
        return sorted(range(len(ids)), key=lambda i: self._opaque(split, "video", ids[i]))

    def _with_features(self, split: str, chosen: Sequence[int]) -> list[int]:
        """Returns those positions whose videos are not left out. Raises: MissingData when none remains."""
        ids, left_out = self.columns(split)["video_id"], self.left_out(split)
        remaining = [i for i in chosen if ids[i] not in left_out]
        if not remaining:
            raise MissingData(
                f"dataset {self.name!r}: none of the {len(chosen)} videos of {split} has features. "
                f"`bench data verify {self.name}` lists them."
            )
        return remaining

    def _cut(self, split: str, chosen: Sequence[int], view: View, max_rows: int) -> FrameVideos:
        import numpy as np

        from bench.data.cutting import UncutVideos
        from bench.data.loading import FrameVideos

        columns = self.columns(split)
        sources = tuple(columns["video_id"][i] for i in chosen)
        videos = UncutVideos(
            ids=tuple(self._opaque(split, "video", video_id) for video_id in sources),
            sources=sources,
            durations=np.array([columns["duration"][i] for i in chosen], dtype=np.float64),
            timestamps=tuple(columns["timestamps"][i] for i in chosen),
            frames=np.array([columns["frames"][i] for i in chosen], dtype=np.int64) if "frames" in columns else None,
        )
        return FrameVideos(videos, self.features, view, max_rows)

    def check_disjoint(self, split: str) -> None:
        """Raises InvalidData when a training video is also in `split`."""
        shared = sorted(set(self.columns(TRAIN)["video_id"]) & set(self.columns(split)["video_id"]))
        if shared:
            raise InvalidData(
                f"dataset {self.name!r}: {len(shared)} videos of train are also in {split}, such as {shared[0]!r}. "
                f"Training on test videos makes scores worthless: separate them under datasets.{self.name}.splits."
            )


def _paragraph(columns: Mapping[str, list[Any]], index: int, view: View) -> Paragraph:
    sentences, video_id = columns["sentences"][index], columns["video_id"][index]
    kept = kept_positions(video_id, len(sentences), view.keep_text, view)
    if view.shuffle == "sentences":
        kept = [kept[i] for i in shuffled_positions(video_id, len(kept), "sentence", view.seed)]
    return tuple(sentences[i] for i in kept)
