"""Which captions of a run are shown: the best, the worst, and those in the middle, by the score of single captions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.errors import InvalidData, UnsupportedTask, UsageError, VerificationError
from bench.evidence.verified import Stored
from bench.predictions import Captions
from bench.results import Result, parse_signature, same_value
from bench.tasks.captioning import Captioning
from bench.tasks.task import Task

if TYPE_CHECKING:
    from bench.data.dataset import Dataset
    from bench.metrics.captions.pairing import Item

METRICS = ("CIDEr", "ROUGE-L")
"""Metrics with a score for each caption."""


@dataclass(frozen=True)
class Example:
    """One caption beside its references.

    Attributes:
        score: of this caption alone, percent.
        video: the id of the video.
        segment: start and end in seconds, or None for the whole video.
        caption: what the model wrote.
        references: what people wrote.
    """

    score: float
    video: str
    segment: tuple[float, float] | None
    caption: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class ChosenExamples:
    """What is shown of one run.

    Attributes:
        result: the run's record.
        metric: what the captions are ordered by.
        protocol: how they were scored one by one.
        count: how many captions there are.
        zeros: how many of them score 0.
        distinct: how many different captions the model wrote.
        groups: title -> captions.
    """

    result: Result
    metric: str
    protocol: str
    count: int
    zeros: int
    distinct: int
    groups: Mapping[str, tuple[Example, ...]]


def examples_of(record: Stored, task: Task, dataset: Dataset, metric: str, count: int) -> ChosenExamples:
    """Returns `count` captions of each kind of a finished run, scored again.

    Raises: UnsupportedTask for a run that wrote no captions; UsageError for a metric without single scores;
    VerificationError when the record does not hold.
    """
    if metric not in METRICS:
        raise UsageError(f"--metric {metric}: has no score for a single caption. Use {' or '.join(METRICS)}.")
    if count < 1:
        raise UsageError(f"--count {count}: show at least 1.")
    if not isinstance(task, Captioning):
        raise UnsupportedTask(f"{record.folder}: task {task.name!r} is no captioning or retrieval. Name a run of one.")
    scored, protocol = _scored(record, task, dataset, metric)
    scored.sort(key=lambda example: (-example.score, example.video, example.segment or (0.0, 0.0), example.references))
    middle = max(0, (len(scored) - count) // 2)
    groups = {
        "Best": tuple(scored[:count]),
        "In the middle": tuple(scored[middle : middle + count]),
        "Worst": tuple(scored[-count:][::-1]),
    }
    return ChosenExamples(
        result=record.result,
        metric=metric,
        protocol=protocol,
        count=len(scored),
        zeros=sum(example.score == 0 for example in scored),
        distinct=len({example.caption for example in scored}),
        groups=groups,
    )


def _scored(record: Stored, task: Captioning, dataset: Dataset, metric: str) -> tuple[list[Example], str]:
    """Returns every caption with its own score, and the protocol that gave it."""
    # A score of densevid belongs to a video's corpus: its sentences, too, are scored one by one as by `corpus`.
    single = "corpus" if task.protocol == "densevid" else task.protocol
    *lighter, last = replace(task, protocol=single).as_signed(parse_signature(record.result.signature))
    for light in lighter:
        try:
            return _scored_by(light, record, dataset, metric), single
        except VerificationError:
            continue  # the scorers that the record names decide
    return _scored_by(last, record, dataset, metric), single


def _scored_by(task: Captioning, record: Stored, dataset: Dataset, metric: str) -> list[Example]:
    """Returns every caption with its own score. Raises: VerificationError when the record's scores are others."""
    from bench.metrics.captions.evidence import item_values
    from bench.metrics.captions.scoring import score

    folder, result = record.folder, record.result
    if result.predictions is None:
        raise InvalidData(f"{folder} was scored from a file that is not kept. Score it again: `bench score captions`.")
    annotations = task.annotations(dataset, result.limit)
    videos = task.items(Captions.load(folder / result.predictions.file), annotations)
    scores = score(videos, replace(task.scoring, meteor="none"), annotations.pool)
    recorded = parse_signature(result.signature).get("protocol") == task.protocol
    for measurement in scores.measurements if recorded else ():
        if not same_value(measurement.value, result[measurement.name].value):
            raise VerificationError(
                f"{folder}: {measurement.name} is {result[measurement.name].value:.6g} in the record, "
                f"{measurement.value:.6g} when scored again. `bench rescore {folder}` says more."
            )
    names = {dataset.opaque(task.split, "video", name): name for name in dataset.columns(task.split)["video_id"]}
    values = item_values(scores.evidence, metric)
    return [_example(item, names, value) for item, value in zip(scores.items, values.tolist(), strict=True)]


def _example(item: Item, names: Mapping[str, str], value: float) -> Example:
    return Example(value, names[item.video], item.segment, item.caption, tuple(item.references))
