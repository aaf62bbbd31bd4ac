"""Which captions of a run are shown: the best, the worst, and those in the middle, by the score of single captions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.examples.scored import scored_run
from bench.errors import UnsupportedTask, UsageError
from bench.evidence.verified import Stored
from bench.results import Result
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
    from bench.metrics.captions.evidence import item_values

    if metric not in METRICS:
        raise UsageError(f"--metric {metric}: has no score for a single caption. Use {' or '.join(METRICS)}.")
    if count < 1:
        raise UsageError(f"--count {count}: show at least 1.")
    if not isinstance(task, Captioning):
        raise UnsupportedTask(f"{record.folder}: task {task.name!r} is no captioning or retrieval. Name a run of one.")
    run = scored_run(record, task, dataset)
    values = item_values(run.scores.evidence, metric)
    pairs = zip(run.scores.items, values.tolist(), strict=True)
    scored = [_example(item, run.names, value) for item, value in pairs]
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
        protocol=run.task.protocol,
        count=len(scored),
        zeros=sum(example.score == 0 for example in scored),
        distinct=len({example.caption for example in scored}),
        groups=groups,
    )


def _example(item: Item, names: Mapping[str, str], value: float) -> Example:
    return Example(value, names[item.video], item.segment, item.caption, tuple(item.references))
