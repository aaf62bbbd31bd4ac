"""A dataset that has been opened: annotation tables and frame features, handed out as inputs, annotations or training.

This is the only place that cuts a split into what a model sees and that knows which opaque id is which video.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.annotations import CaptionAnnotations, ClassAnnotations, RetrievalAnnotations
from bench.data.declared import DatasetDeclaration, ExaminedFeatures, FeatureIdentity, FeatureSource
from bench.data.digests import heldout_indices, opaque_id
from bench.data.groups import groups_of, numbered
from bench.data.lessons import TRAIN, TrainingSet, training_set, training_split
from bench.data.tables import AnnotatedVideos
from bench.data.texts import beside_videos, pairing_of, texts_of
from bench.errors import InvalidData, MissingData, UsageError
from bench.files import digest
from bench.inputs import DataKind, Inputs, TrainingData, Videos, View
from bench.matching import Unit
from bench.models import Lesson
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.data.features.row_contents import Progress, RowContent
    from bench.data.loading import FrameVideos


@dataclass(frozen=True)
class Dataset:
    """Annotations and features of one dataset, read-only.

    Attributes:
        name: its key in bench.yaml; opaque ids depend on it.
        kind: `real` only when annotations and features are real.
        label: what is shown beside each number, such as `sample (generated)` or `anet (simulated features)`.
        recipe: which settings of a model belong to its training set: `sample`, or None for real annotations.
        declaration: how bench.yaml declares it.
        tables: split -> its annotations.
        features: frame features of its videos.
        class_names: names of the classes that the column `labels` counts; () without classes.
        class_splits: the splits whose videos have classes, for training and for testing; None without classes.
        expected: how many videos the protocol expects in each split, where it says so.
    """

    name: str
    kind: DataKind
    label: str
    recipe: str | None
    declaration: DatasetDeclaration
    tables: Mapping[str, AnnotatedVideos]
    features: FeatureSource
    class_names: Callable[[], tuple[str, ...]] = tuple
    class_splits: tuple[str, str] | None = None
    expected: Mapping[str, int] = field(default_factory=dict)
    _identities: dict[tuple[str, ...], FeatureIdentity] = field(default_factory=dict, repr=False, compare=False)
    _columns: dict[str, dict[str, list[Any]]] = field(default_factory=dict, repr=False, compare=False)
    _digests: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    _left_out: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    def inputs(
        self, split: str, view: View, *, max_rows: int, limit: int | None = None, support: Sequence[str] = ()
    ) -> Inputs:
        """Returns videos and paragraphs of a split with opaque ids, each side in the order of its own ids.

        Only here a test set is cut: `view` says which clips and sentences are kept. Under the policy `penalise` the
        paragraphs of videos without features are among the paragraphs. `support`: what is asked for beside.

        Raises: DataError when annotations or features are missing or broken.
        """
        chosen = self.evaluated(split, limit)
        shown = self._with_features(split, chosen)
        texts = sorted(texts_of(self, split, chosen, view), key=lambda text: text.opaque)
        return Inputs(
            videos=self._cut(split, shown, view, max_rows, pictured="pictures" in support),
            paragraph_ids=tuple(text.opaque for text in texts),
            paragraphs=tuple(text.sentences for text in texts),
            view=view,
            under=lambda other: self.inputs(split, other, max_rows=max_rows, limit=limit, support=support),
            class_names=self.class_names() if "classes" in support else (),
            pairing=pairing_of(self, texts, shown) if "pairing" in support else (),
            labelled=partial(self._labelled, view, max_rows, limit) if "labelled" in support else None,
        )

    def _labelled(self, view: View, max_rows: int, limit: int | None) -> TrainingData:
        return self.training(training_set(self, "labels", view), max_rows=max_rows, limit=limit)

    def annotations(self, split: str, limit: int | None = None, text: Unit = "paragraph") -> RetrievalAnnotations:
        """Returns which text belongs to which video, and which videos count as never found, for `inputs`."""
        from bench.data.ground_truth import matches

        return matches(self, split, limit, View(text=text))

    def captions(self, splits: Sequence[str], limit: int | None = None) -> CaptionAnnotations:
        """Returns the references of the videos of the first split, one set for each split that describes them."""
        from bench.data.ground_truth import captions

        return captions(self, splits, limit)

    def classes(self, split: str, limit: int | None = None, subset: str = "") -> ClassAnnotations:
        """Returns the classes of the videos of a split; with a `subset` of the classes, of its videos only.

        Raises: MissingData for a split without classes; UsageError for a subset that is not there.
        """
        from bench.data.ground_truth import classes
        from bench.data.readers.class_subsets import of_subset

        annotations = classes(self, split, limit)
        return of_subset(annotations, subset, self.declaration) if subset else annotations

    def seen_classes(self, *, captions: bool) -> tuple[str, ...]:
        """Returns in words what the features, and with `captions` the training captions, knew of the classes."""
        from bench.data.seen_classes import remarks

        return remarks(self, captions=captions)

    def _labels(self, split: str, chosen: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        labels = self.columns(split)["labels"]
        return tuple(tuple(labels[i]) for i in chosen)

    def trains(self, lesson: Lesson) -> bool:
        """Returns whether there are videos to train on; a dataset may have a test split only."""
        split = training_split(self, lesson)
        return split in self.tables and bool(self.count(split))

    def training(self, chosen: TrainingSet, *, max_rows: int, limit: int | None = None) -> TrainingData:
        """Returns a training split in file order, its first `limit` videos, with a tenth marked as held out.

        Videos without features are left out where the policy allows it.

        Raises: DataError when data is missing or broken.
        """
        split, lesson = chosen.split, chosen.lesson
        columns = self.columns(split)
        videos = self._with_features(split, range(self.count(split)))[: self.count(split, limit)]
        told = lesson == "paragraphs"
        texts = texts_of(self, split, videos, chosen.view) if told else []
        cut: Videos = self._cut(split, videos, chosen.view, max_rows)
        if told:
            cut = beside_videos(cut, videos, texts)
            videos = [text.video for text in texts if text.video is not None]
        ids, groups = [columns["video_id"][i] for i in videos], groups_of(self, split)
        return TrainingData(
            videos=cut,
            paragraphs=tuple(text.sentences for text in texts) if told else ((),) * len(videos),
            aligned=told and chosen.view.aligned,
            heldout=heldout_indices(ids, groups),
            groups=numbered(ids, groups),
            labels=self._labels(split, videos) if lesson == "labels" else (),
            class_names=self.class_names() if lesson == "labels" else (),
        )

    def training_digest(self, chosen: TrainingSet, limit: int | None = None) -> str:
        """Returns the SHA-256 of all that training depends on, but for the model's row cap."""
        features, annotations = asdict(self.feature_identity([chosen.split])), self.annotation_digest(chosen.split)
        del features["made"]  # rows that are equal are, whatever made them
        shown = {"segments": chosen.view.segments, "lesson": chosen.lesson}
        if chosen.view.text == "caption":
            shown["text"] = chosen.view.text
        if groups := groups_of(self, chosen.split):
            shown["groups"] = digest(groups)
        return digest({"annotations": annotations, "features": features, "view": shown, "limit": limit})

    def annotation_digest(self, split: str) -> str:
        """Returns the SHA-256 of a split's ids, durations, timestamps, sentences and labels, in file order."""
        if split not in self._digests:
            columns = self.columns(split)
            named = self.class_names() if "labels" in columns else ()
            self._digests[split] = digest({"columns": columns, "class_names": named})
        return self._digests[split]

    def contents(self, split: str, progress: Progress = lambda done, total: None) -> Mapping[str, RowContent]:
        """Returns what the rows of each video with features are, read where it is not known; {} where they are made up.

        Raises: MissingData; InvalidData for rows that cannot be used, naming their videos.
        """
        if not isinstance(self.features, ExaminedFeatures):
            return {}
        ids = self.columns(split)["video_id"]
        missing = set() if self.declaration.missing == "fail" else set(self.features.missing(ids))
        return self.features.examine([video_id for video_id in ids if video_id not in missing], progress)

    def check_unchanged(self) -> None:
        """Raises InvalidData when a file of the features is not what it was when its digest was taken."""
        if isinstance(self.features, ExaminedFeatures):
            self.features.check_unchanged()

    def all_zero(self, split: str) -> frozenset[str]:
        """Returns the videos of a split whose features are all zeros."""
        return frozenset(video_id for video_id, content in self.contents(split).items() if content.zero)

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
        """Returns a split, or a named set such as `msrvtt:1k-A`, as plain lists by column (`AnnotatedVideos.columns`).

        Raises: DataError when it is missing or broken, or when the dataset's files do not hold the set.
        """
        if split not in self._columns:
            if ":" in split:  # no split of bench.yaml can be called so
                from bench.data.sets.asked import set_columns

                self._columns[split] = set_columns(self, split)
            else:
                self._columns[split] = self.tables[split].columns(f"dataset {self.name!r}, {split}")
        return self._columns[split]

    def left_out(self, split: str) -> frozenset[str]:
        """Returns the videos of a split without features, which are excluded or penalised; none under `fail`."""
        if self.declaration.missing == "fail":
            return frozenset()
        if split not in self._left_out:
            zero = self.all_zero(split) if self.declaration.all_zero == "missing" else frozenset()
            self._left_out[split] = zero.union(self.features.missing(self.columns(split)["video_id"]))
        return self._left_out[split]

    def wanted(self, split: str, limit: int | None = None) -> list[str]:
        """Returns the video ids of a split that a run under `limit` asks for, whether or not they have features."""
        ids = self.columns(split)["video_id"]
        trains = split == TRAIN or bool(self.class_splits and split == self.class_splits[0])
        order = range(len(ids)) if trains else self._opaque_order(split)
        return [ids[i] for i in order[: self.count(split, limit)]]

    def opaque(self, split: str, kind: str, video_id: str) -> str:
        """Returns the opaque id of a `video` of a split, or of its `paragraph`."""
        return opaque_id(self.name, split, kind, video_id)

    def evaluated(self, split: str, limit: int | None) -> list[int]:
        """Returns the positions of the videos under evaluation: the first `limit` in the order of opaque ids."""
        order = self._opaque_order(split)
        if self.declaration.missing == "exclude":
            order = self._with_features(split, order)
        return order[: self.count(split, limit)]

    def _opaque_order(self, split: str) -> list[int]:
        ids = self.columns(split)["video_id"]
        return sorted(range(len(ids)), key=lambda i: self.opaque(split, "video", ids[i]))

    def _with_features(self, split: str, chosen: Sequence[int]) -> list[int]:
        """Returns those positions whose videos are not left out. Raises: MissingData when none remains."""
        ids, left_out = self.columns(split)["video_id"], self.left_out(split)
        remaining = [i for i in chosen if ids[i] not in left_out]
        if not remaining:
            raise MissingData(
                f"dataset {self.name!r}: none of the {number_of(len(chosen), 'video')} of {split} has features. "
                f"`bench data verify {self.name}` lists them."
            )
        return remaining

    def _cut(
        self, split: str, chosen: Sequence[int], view: View, max_rows: int, *, pictured: bool = False
    ) -> FrameVideos:
        import numpy as np

        from bench.data.cutting import UncutVideos
        from bench.data.loading import FrameVideos

        columns = self.columns(split)
        sources = tuple(columns["video_id"][i] for i in chosen)
        videos = UncutVideos(
            ids=tuple(self.opaque(split, "video", video_id) for video_id in sources),
            sources=sources,
            durations=np.array([columns["duration"][i] for i in chosen], dtype=np.float64),
            timestamps=tuple(columns["timestamps"][i] for i in chosen),
            frames=np.array([columns["frames"][i] for i in chosen], dtype=np.int64) if "frames" in columns else None,
        )
        if not pictured:
            return FrameVideos(videos, self.features, view, max_rows)
        from bench.data.pictures import pictures_of

        return FrameVideos(videos, self.features, view, max_rows, pictures_of(self, videos))

    def check_disjoint(self, split: str, train: str = TRAIN) -> None:
        """Raises InvalidData when a video of the training split `train` is also in `split`."""
        shared = sorted(set(self.columns(train)["video_id"]) & set(self.columns(split)["video_id"]))
        if shared:
            both = number_of(len(shared), f"video of {train} is", f"videos of {train} are")
            raise InvalidData(
                f"dataset {self.name!r}: {both} also in {split}, such as {shared[0]!r}. "
                f"Training on test videos makes scores worthless: separate them under datasets.{self.name}.splits."
            )
