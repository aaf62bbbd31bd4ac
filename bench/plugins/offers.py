"""What plugins add to every run and every board beside models, tasks and datasets: light specs that name their code.

A spec's `loader` is `"package.module:object"`, imported when it is first needed. A mistake in that code costs its own
column, export or log, never the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bench.errors import unknown_name
from bench.execution import Execution

if TYPE_CHECKING:
    from bench.results import Result, Unit


@dataclass(frozen=True)
class WatcherSpec:
    """Something that is told of every run, such as a log for TensorBoard, MLflow or Weights & Biases.

    Attributes:
        name: how messages call it.
        summary: one line.
        loader: called as `object(RunStart)` when a run begins; returns a `Watcher`.
        tracker: whether it is told only of runs whose bench.yaml lists it under `trackers:`.
    """

    name: str
    summary: str
    loader: str
    tracker: bool = False


@dataclass(frozen=True)
class RunStart:
    """A run that begins.

    Attributes:
        run: its id.
        folder: where its files are written; a watcher may put its own beside them.
        model, task: their names, the task's with its parameters.
        settings: every setting of the model, resolved.
        execution: device, precision, seed, batch size.
    """

    run: str
    folder: Path
    model: str
    task: str
    settings: Mapping[str, bool | int | float | str]
    execution: Execution


class Watcher(Protocol):
    """Told of one run. What it raises is reported once, and it is told no more."""

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """`done` of `total` steps of `stage` (`fit`, `predict`) are finished; `values` are figures such as the loss."""

    def finished(self, result: Result) -> None:
        """The run is complete and its record written."""

    def failed(self, reason: str) -> None:
        """The run ended without a record: an error or an interruption, in one line."""


@dataclass(frozen=True)
class ColumnSpec:
    """A further column of every board, computed when a run ends and stored in its record.

    Boards are built from records alone, so a column appears for runs made while its plugin was installed.

    Attributes:
        name: the column's head.
        summary: one line.
        unit: how the number is written.
        higher_is_better: which way the best cell is marked; None where neither is better, and none is.
        loader: called as `object(FinishedRun)`; returns a finite number, or None where it does not apply.
    """

    name: str
    summary: str
    unit: Unit
    higher_is_better: bool | None
    loader: str


@dataclass(frozen=True)
class FinishedRun:
    """What a column may be computed from.

    Attributes:
        model: the object that predicted.
        predictions: what it predicted.
        result: the record as it will be written, without further columns.
        seconds: wall seconds of fit, predict and score.
    """

    model: Any
    predictions: Any
    result: Result
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class ExporterSpec:
    """A further form of leaderboards: `bench leaderboard export NAME`.

    Attributes:
        name: what stands after `export`.
        summary: one line.
        loader: called as `object(boards)` with a tuple of `Board`, one for each task; returns the file's text.
    """

    name: str
    summary: str
    loader: str


@dataclass(frozen=True)
class Extensions:
    """What the installed plugins add to a run."""

    watchers: tuple[WatcherSpec, ...] = ()
    columns: tuple[ColumnSpec, ...] = ()

    def with_trackers(self, asked: Sequence[str]) -> Extensions:
        """Returns what is added to a run that asks for some of the trackers. Raises: UnknownName."""
        known = [spec.name for spec in self.watchers if spec.tracker]
        for name in asked:
            if name not in known:
                raise unknown_name("tracker", name, known)
        told = tuple(spec for spec in self.watchers if not spec.tracker or spec.name in asked)
        return replace(self, watchers=told)
