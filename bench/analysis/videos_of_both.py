"""Two models on the videos that both were evaluated on, where one of them lost videos: ranked again among these alone.

Ranks in a smaller gallery are better, so it would not do to compare the queries of both under the ranks they have. The
saved predictions of every run are cut to the common videos and their texts and scored again. What a text is right for
stands in the dataset, which bench.yaml has to declare as for `bench rescore`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from bench.analysis.compare import ComparedModel, same_queries
from bench.annotations import CaptionAnnotations, ClassAnnotations, RetrievalAnnotations
from bench.catalogue.lookup import Session
from bench.data.dataset import Dataset
from bench.errors import BenchError, InvalidData, VerificationError
from bench.evidence.verified import Verified, check_file
from bench.files import digest
from bench.predictions import load_predictions
from bench.predictions.saved import Divisible, Predictions
from bench.results import parse_signature
from bench.tasks.task import AsSigned, Task


@dataclass(frozen=True)
class VideosOfBoth:
    """The videos that two sides are compared on.

    Attributes:
        videos: how many there are.
        left_out: how many more A was evaluated on, and B.
    """

    videos: int
    left_out: tuple[int, int]

    def words(self) -> str:
        """Returns it as a line."""
        return (
            f"One of them lost videos: compared on the {self.videos:,} that both were evaluated on, ranked again among "
            f"these alone; left out: {self.left_out[0]:,} of A, {self.left_out[1]:,} of B."
        )


def lost_videos(a: ComparedModel, b: ComparedModel) -> bool:
    """Returns whether two sides were asked one test set, and were evaluated on other videos because features lacked."""
    one, other = a.first, b.first
    asked = [(record.task.name, record.task.dataset, record.task.split) for record in (one, other)]
    same = asked[0] == asked[1] and one.data.annotations.get(asked[0][2]) == other.data.annotations.get(asked[0][2])
    lost = [record.data.missing for record in (one, other)]
    return same and any(lost) and (lost[0] != lost[1] or not same_queries(a.records[0], b.records[0]))


def on_videos_of_both(
    a: ComparedModel, b: ComparedModel, session: Session
) -> tuple[ComparedModel, ComparedModel, VideosOfBoth]:
    """Returns both sides with the evidence of the videos that both were evaluated on, and which these are.

    Raises: VerificationError without saved predictions, or where the dataset is no longer that of the records;
    InvalidData where no video is common; UnknownName where bench.yaml lacks the dataset.
    """
    task = session.catalogue.task(a.first.task.name)
    dataset = session.dataset(task.dataset)
    whole = replace(dataset, declaration=replace(dataset.declaration, missing="fail"))
    said = [[_predictions(record, task, dataset) for record in side.records] for side in (a, b)]
    own = [frozenset.intersection(*(frozenset(one.video_ids) for one in side)) for side in said]
    common = own[0] & own[1]
    if not common:
        raise InvalidData("A and B have no video in common. Run one of them on the other's test set.")
    sides = []
    for side, of_side in zip((a, b), said, strict=True):
        records = [_again(*pair, common, task, whole) for pair in zip(side.records, of_side, strict=True)]
        sides.append(ComparedModel(tuple(records)))
    return sides[0], sides[1], VideosOfBoth(len(common), (len(own[0] - common), len(own[1] - common)))


def _predictions(record: Verified, task: Task, dataset: Dataset) -> Any:
    """Returns what a run predicted. Raises: VerificationError, as `on_videos_of_both`."""
    result = record.result
    needed = (
        "A and B were evaluated on other videos, since features lack; on those of both their predictions would have to "
        "be ranked again"
    )
    if result.predictions is None:
        raise VerificationError(f"{needed}, and {record.path} was scored from a file. Score that of the common videos.")
    if dataset.annotation_digest(task.split) != result.data.annotations.get(task.split):
        raise VerificationError(
            f"{needed}, and {task.dataset} {task.split} of bench.yaml is not what {record.path} was scored on. Name "
            "the bench.yaml of that run by --config."
        )
    try:
        check_file(record.path.parent, result.predictions)
    except BenchError as error:
        raise VerificationError(f"{needed}: {error}") from error
    return load_predictions(record.path.parent / result.predictions.file, task.answers, result.predictions.kind)


def _again(record: Verified, predictions: Predictions, common: Collection[str], task: Task, whole: Dataset) -> Verified:
    """Returns a record with the evidence of some of its videos alone."""
    annotations = task.annotations(whole)
    known = RetrievalAnnotations | CaptionAnnotations | ClassAnnotations
    if not isinstance(annotations, known) or not isinstance(predictions, Divisible):
        raise VerificationError(
            f"A and B were evaluated on other videos, since features lack, and {task.name!r} cannot be scored on some "
            "of its videos. Run one of them on the other's test set."
        )
    cut = annotations.among(common, digest([annotations.pool, sorted(common)]))
    texts = cut.matching.texts if isinstance(cut, RetrievalAnnotations) else ()
    signed = parse_signature(record.result.signature)
    scorer = task.as_signed(signed)[0] if isinstance(task, AsSigned) else task
    scored = scorer.score(predictions.among(common, texts), cut, "cpu")
    return replace(record, evidence=scored.evidence)
