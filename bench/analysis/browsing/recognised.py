"""The videos of one or more runs of action recognition, each with the classes that every run found likeliest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bench.analysis.browsing.scenes import Scene, scenes_of
from bench.analysis.browsing.sections import ON_A_PAGE, Browsed, ListedLine, RankedSection
from bench.errors import InvalidData, VerificationError
from bench.evidence.verified import Stored, verified
from bench.metrics.classification import Counted, opened
from bench.metrics.confusions import Confusion, confusions
from bench.predictions import ClassScores, load_predictions
from bench.reading.numbers import number_of
from bench.results import Evidence, Result
from bench.tasks.action_recognition import LinearProbe, ZeroShotRecognition

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

SHOWN = 5
"""Classes shown of a video, beside the best right one where that is not among them."""
Recognition = ZeroShotRecognition | LinearProbe


@dataclass(frozen=True)
class RankedClass:
    """One class of a video: its place from 1, its score, its name, and whether the video has it."""

    place: int
    score: float
    name: str
    right: bool


@dataclass(frozen=True)
class RecognisedVideo:
    """What one run said of a video.

    Attributes:
        above, tied: wrong classes that score above the best right one, and as it does.
        right: right classes that score as the best right one does.
        shown: the best `SHOWN`, then the best right one where it is not among them.
        taken: the wrong class that came first; None where a right one did.
        lost: whether the video was not scored, as it has no features.
    """

    above: int
    tied: int
    right: int
    shown: tuple[RankedClass, ...]
    taken: str | None
    lost: bool

    @property
    def rank(self) -> float:
        """The expected rank of the first right class, ties broken at random, from 1."""
        return 1 + self.above + self.tied / (self.right + 1.0)


@dataclass(frozen=True)
class BrowsedVideo:
    """One video and what each run said of it.

    Attributes:
        name: its id.
        classes: its classes, the main one first.
        scene: what else is known of it; None without the dataset.
        answers: in the order of the runs.
    """

    name: str
    classes: tuple[str, ...]
    scene: Scene | None
    answers: tuple[RecognisedVideo, ...]

    @property
    def ranks(self) -> tuple[float, ...]:
        return tuple(answer.rank for answer in self.answers)


@dataclass(frozen=True)
class BrowsedVideos(RankedSection):
    """All videos.

    Attributes:
        entries: the videos.
        names: of all classes.
        confused: of each run, which classes it takes for which.
    """

    noun: ClassVar[str] = "video"
    template: ClassVar[str] = "browse_videos.html.j2"

    entries: tuple[BrowsedVideo, ...]
    names: tuple[str, ...]
    confused: tuple[tuple[Confusion, ...], ...]

    @property
    def size(self) -> int:
        return len(self.names)

    def lines(self) -> list[ListedLine]:
        return [
            ListedLine(
                name=entry.name,
                texts=(_classes_and_error(entry),),
                values=tuple(round(rank, 2) for rank in entry.ranks),
                page=place // ON_A_PAGE + 1,
                beside=" ".join(entry.scene.sentences) if entry.scene else "",
                classes=entry.classes,
                taken=tuple(answer.taken for answer in entry.answers),
            )
            for place, entry in enumerate(self.entries)
        ]

    def told(self) -> str:
        return f"each among {number_of(self.size, 'class')}"

    def shown_videos(self) -> list[str]:
        return [entry.name for entry in self.entries if entry.scene]

    def class_names(self) -> tuple[str, ...]:
        return self.names


def _classes_and_error(entry: BrowsedVideo) -> str:
    """Returns the classes of a video, and what the first run takes it for."""
    classes, taken = ", ".join(entry.classes), entry.answers[0].taken
    return classes if taken is None else f"{classes} → {taken}"


@dataclass(frozen=True)
class RecognisedRun:
    """A run of recognition: its record, the ids of its videos in the order of the evidence, and what it said of each.

    Attributes:
        names: opaque id -> own id; the opaque ones without the dataset.
        videos: opaque id -> what was said, in the order of the evidence.
        labels: the classes of each video, the main one first.
    """

    result: Result
    evidence: Evidence
    names: Mapping[str, str]
    videos: Mapping[str, RecognisedVideo]
    labels: tuple[tuple[str, ...], ...]


def recognised_run(record: Stored, task: Recognition | None, dataset: Dataset | None) -> RecognisedRun:
    """Returns what a finished run said of each video.

    Raises: InvalidData where the scores are not kept, or videos without features cannot be told without the dataset;
    VerificationError when the record does not hold, or the data at hand are not those it was scored on.
    """
    result, evidence = record.result, verified(record).evidence
    if result.predictions is None:
        raise InvalidData(f"{record.folder} was scored from a file that is not kept: what was said cannot be shown.")
    path = record.folder / result.predictions.file
    said = load_predictions(path, (ClassScores,), result.predictions.kind or "")
    assert isinstance(said, ClassScores)  # noqa: S101 (what was asked for)
    counted = opened(evidence)
    ids = _ids(record, said, len(counted.videos), (task, dataset) if task and dataset else None)
    names = {name: name for name in ids}
    if task and dataset:
        own = dataset.columns(task.split)["video_id"]
        names = {dataset.opaque(task.split, "video", name): name for name in own}
    column = {name: i for i, name in enumerate(said.class_names)}
    if lacking := [name for name in counted.class_names if name not in column]:
        raise VerificationError(
            f"{record.folder}: the predictions score no class {lacking[0]!r}, which the evidence has. "
            f"`bench rescore --write {record.folder}` counts it again."
        )
    columns = [column[name] for name in counted.class_names]
    place = {name: i for i, name in enumerate(said.video_ids)}
    ends = np.append(counted.starts[1:], len(counted.labels))
    videos, labels = {}, []
    for i, name in enumerate(ids):
        own_labels = counted.labels[counted.starts[i] : ends[i]].astype(np.int64)
        scores = said.scores[place[name]][columns] if name in place else None
        videos[name] = _recognised(own_labels, scores, counted)
        labels.append(tuple(counted.class_names[label] for label in own_labels[:, 0].tolist()))
    return RecognisedRun(result, evidence, names, videos, tuple(labels))


def videos_of(runs: Sequence[RecognisedRun], task: Recognition | None, dataset: Dataset | None) -> Browsed:
    """Returns all videos of runs of recognition that were asked the same."""
    first = runs[0]
    scenes = {scene.video: scene for scene in scenes_of(dataset, task.split)} if dataset and task else {}
    entries = [
        BrowsedVideo(
            name=first.names[video],
            classes=labels,
            scene=scenes.get(first.names[video]),
            answers=tuple(run.videos[video] for run in runs),
        )
        for video, labels in zip(first.videos, first.labels, strict=True)
    ]
    entries.sort(key=lambda entry: -entry.ranks[0])
    confused = tuple(tuple(confusions(run.evidence)) for run in runs)
    names = opened(first.evidence).class_names
    section = BrowsedVideos("videos", "Video → class", tuple(entries), names, confused)
    return Browsed(tuple(run.result for run in runs), (section,))


def _ids(record: Stored, said: ClassScores, n: int, data: tuple[Recognition, Dataset] | None) -> list[str]:
    """Returns the opaque ids of the videos in the order of the evidence. Raises: as `recognised_run`."""
    if data is None:
        if len(said.video_ids) != n:
            raise InvalidData(
                f"{record.folder}: videos without features cannot be shown without their dataset. Declare it in "
                "bench.yaml, or name that bench.yaml by --config."
            )
        return sorted(said.video_ids)
    task, dataset = data
    annotations = task.annotations(dataset, record.result.limit)
    pool = verified(record).evidence.pool
    if annotations.pool != pool:
        raise VerificationError(
            f"{record.folder}: the record is of another test set ({pool[:8]}…) than {dataset.name!r} at hand "
            f"({annotations.pool[:8]}…). Declare the data it was made on, or run again."
        )
    return sorted(annotations.labels)


def _recognised(labels: np.ndarray, scores: np.ndarray | None, counted: Counted) -> RecognisedVideo:
    """Returns what was said of a video.

    Args:
        labels: (p, 5) its rows of the evidence.
        scores: (classes,); None for a video without features.
    """
    best = labels[labels[:, 1] == labels[:, 1].min()]
    above, right = int(best[0, 1]), len(best)
    tied = max(0, int(best[:, 2].max()) - (right - 1))
    if scores is None:
        return RecognisedVideo(above, tied, right, (), None, lost=True)
    own, order = set(labels[:, 0].tolist()), np.argsort(-scores, kind="stable").tolist()
    places = list(range(min(SHOWN, len(order))))
    found = next(place for place, label in enumerate(order) if label in own)
    shown = tuple(
        RankedClass(place + 1, float(scores[order[place]]), counted.class_names[order[place]], order[place] in own)
        for place in (places if found in places else [*places, found])
    )
    return RecognisedVideo(above, tied, right, shown, None if shown[0].right else shown[0].name, lost=False)
