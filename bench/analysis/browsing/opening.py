"""Finished runs opened for browsing: what they were asked decides what is shown; the dataset may not be at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.browsing.captions import captions_of
from bench.analysis.browsing.entries import entries_of
from bench.analysis.browsing.recognised import Recognition, recognised_run, videos_of
from bench.analysis.browsing.sections import Browsed
from bench.analysis.examples.lists import OpenedRun, open_run, open_without_texts
from bench.analysis.examples.scored import scored_run
from bench.errors import DataError, InvalidData, MissingData, UnknownName, UnsupportedTask, UsageError
from bench.evidence.verified import Stored, verified
from bench.reading.numbers import number_of
from bench.results import parse_signature
from bench.tasks.action_recognition import LinearProbe, ZeroShotRecognition
from bench.tasks.captioning import Captioning
from bench.tasks.retrieval import ParagraphVideoRetrieval
from bench.tasks.task import Task

if TYPE_CHECKING:
    from bench.catalogue.lookup import Session
    from bench.data.dataset import Dataset

MOST_RUNS = 6
"""Runs side by side; more have no room on a page."""


@dataclass(frozen=True)
class OpenedRuns:
    """What is shown, and the dataset that it is of; None where that is not at hand."""

    browsed: Browsed
    dataset: Dataset | None


def retrieval_run(session: Session, record: Stored, say: Callable[[str], None]) -> OpenedRun:
    """Returns a run of retrieval; without its dataset, ids stand alone, and `say` is told why.

    Raises: UsageError for a run of anything else.
    """
    if verified(record).evidence.kind != "ranks":
        raise UsageError(f"{record.folder}: wrong answers are judged of retrieval alone. Name a run of it.")
    try:
        task = _task(session, record, "ranks")
        dataset = session.dataset(task.dataset)
        dataset.columns(task.split)
    except (DataError, UnknownName) as error:
        say(f"no texts, ids stand alone: {error}")
        return open_without_texts(record)
    assert isinstance(task, ParagraphVideoRetrieval)  # noqa: S101 (`_task` chose by it)
    return open_run(record, task, dataset)


def open_runs(session: Session, records: Sequence[Stored], say: Callable[[str], None]) -> OpenedRuns:
    """Returns all that runs were asked; without their dataset, ids stand alone, and `say` is told why.

    Raises: UsageError when they were asked on different test sets, or are too many; InvalidData for records of files;
    MissingData for captions without their dataset; UnsupportedTask for runs of another kind.
    """
    _check_alike(records)
    kind = verified(records[0]).evidence.kind
    try:
        tasks = [_task(session, record, kind) for record in records]
        dataset = session.dataset(tasks[0].dataset)
        dataset.columns(tasks[0].split)
    except (DataError, UnknownName) as error:
        if kind == "captions":
            raise MissingData(
                f"{records[0].folder}: captions are shown beside their references, and those are in the dataset, which "
                f"is not at hand: {error}"
            ) from error
        say(f"no texts, ids stand alone: {error}")
        return OpenedRuns(_without_dataset(records, kind), None)
    return OpenedRuns(_with_dataset(records, tasks, dataset), dataset)


def _check_alike(records: Sequence[Stored]) -> None:
    if len(records) > MOST_RUNS:
        raise UsageError(f"{number_of(len(records), 'run')}: pages have room for {MOST_RUNS} side by side. Name fewer.")
    if unkept := next((record for record in records if record.result.predictions is None), None):
        raise InvalidData(
            f"{unkept.folder} was scored from a file that is not kept: what was said cannot be shown. Browse runs that "
            "`bench run` made."
        )
    pools = [parse_signature(record.result.signature).get("pool", "") for record in records]
    kinds = [verified(record).evidence.kind for record in records]
    first = records[0].result
    for record, pool, kind in zip(records, pools, kinds, strict=True):
        if pool != pools[0] or kind != kinds[0]:
            raise UsageError(
                f"{record.result.run} was asked on another test set ({pool}) than {first.run} ({pools[0]}). Browse "
                "runs on one test set, or each of them alone."
            )


def _task(session: Session, record: Stored, kind: str) -> Task:
    """Returns the task of a run. Raises: UnsupportedTask for one that cannot be browsed."""
    task = session.catalogue.task(record.result.task.name)
    if not isinstance(task, _TASKS.get(kind, ())):
        raise _unsupported(record)
    return task


_TASKS: dict[str, type | tuple[type, ...]] = {
    "ranks": ParagraphVideoRetrieval,
    "captions": Captioning,
    "classes": (ZeroShotRecognition, LinearProbe),
}
"""The tasks whose runs can be browsed, by the kind of their evidence."""


def _unsupported(record: Stored) -> UnsupportedTask:
    return UnsupportedTask(
        f"{record.folder}: task {record.result.task.name!r} is no retrieval, captioning or recognition. Name a run of "
        "one."
    )


def _with_dataset(records: Sequence[Stored], tasks: Sequence[Task], dataset: Dataset) -> Browsed:
    first = tasks[0]
    if isinstance(first, ParagraphVideoRetrieval):
        opened = [open_run(record, first, dataset) for record in records]
        return entries_of(opened, first, dataset)
    if isinstance(first, Captioning):
        captioning = [task for task in tasks if isinstance(task, Captioning)]
        scored = [scored_run(record, task, dataset) for record, task in zip(records, captioning, strict=True)]
        return captions_of(list(zip(records, scored, strict=True)), dataset)
    recognising = [task for task in tasks if isinstance(task, Recognition)]
    recognised = [recognised_run(record, task, dataset) for record, task in zip(records, recognising, strict=True)]
    return videos_of(recognised, recognising[0], dataset)


def _without_dataset(records: Sequence[Stored], kind: str) -> Browsed:
    if kind == "ranks":
        return entries_of([open_without_texts(record) for record in records], None, None)
    if kind == "classes":
        return videos_of([recognised_run(record, None, None) for record in records], None, None)
    raise _unsupported(records[0])
