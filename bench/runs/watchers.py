"""What plugins add to a run: they are told of its steps, and compute further columns when it ends.

Their mistakes are said once and cost nothing else: a run is never lost to someone's log.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bench.files import write_atomically
from bench.plugins.code import resolve
from bench.plugins.global_state import undisturbed
from bench.plugins.offers import ColumnSpec, FinishedRun, RunStart, WatcherSpec
from bench.results import Measurement, Result
from bench.runs.progress import Reporter

LOG = "log.txt"


class RunReporter:
    """The reporter of a run: keeps lines in its log file, passes everything on, and tells the watchers of it."""

    def __init__(self, specs: Sequence[WatcherSpec], start: RunStart, reporter: Reporter) -> None:
        self._reporter = reporter
        self._log = start.folder / LOG
        self._lines = self._log.read_text(encoding="utf-8") if self._log.exists() else ""
        self._watchers: dict[str, Any] = {}
        for spec in specs:
            with self._forgiving(spec.name):
                self._watchers[spec.name] = resolve(spec.loader)(start)

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """Passes a step on."""
        self._reporter.step(stage, done, total, values)
        self._tell("step", stage, done, total, values)

    def say(self, line: str) -> None:
        """Keeps a line, and passes it on."""
        self._lines += line + "\n"
        write_atomically(self._log, self._lines.encode())
        self._reporter.say(line)

    def finished(self, result: Result) -> None:
        """Tells that the record is written."""
        self._tell("finished", result)

    def failed(self, reason: str) -> None:
        """Tells that the run ended without a record."""
        self._tell("failed", reason)

    def _tell(self, method: str, *arguments: Any) -> None:
        for name in list(self._watchers):
            with self._forgiving(name):
                getattr(self._watchers[name], method)(*arguments)

    @contextmanager
    def _forgiving(self, name: str) -> Iterator[None]:
        """Runs a watcher's code; one that fails is told no more."""
        try:
            with undisturbed():
                yield
        except Exception as error:  # noqa: BLE001 (other people's code may raise anything)
            self._watchers.pop(name, None)
            reason = " ".join(str(error).split()) or "no message"
            self.say(f"watcher {name!r} failed and is told no more: {type(error).__name__}: {reason}")


@contextmanager
def watching(specs: Sequence[WatcherSpec], start: RunStart, reporter: Reporter) -> Iterator[RunReporter]:
    """Yields a reporter for the run's body; the watchers hear of whatever ends it."""
    watched = RunReporter(specs, start, reporter)
    try:
        yield watched
    except BaseException as error:
        watched.failed(f"{type(error).__name__}: {' '.join(str(error).split())}")
        raise


def further_columns(specs: Sequence[ColumnSpec], run: FinishedRun, reporter: Reporter) -> list[Measurement]:
    """Returns what plugins compute from a finished run, in their order; a column that fails is said and left out."""
    taken = {measurement.name for measurement in run.result.measurements}
    columns = []
    for spec in specs:
        try:
            if spec.name in taken:
                raise ValueError("a measurement of that name is there already")
            with undisturbed():
                value = resolve(spec.loader)(run)
            if value is None:
                continue
            if not math.isfinite(value):
                raise ValueError(f"{value} is no finite number")
            columns.append(
                Measurement(
                    name=spec.name,
                    value=float(value),
                    unit=spec.unit,
                    higher_is_better=spec.higher_is_better,
                    ci95=None,
                    n=run.result.data.n_evaluated,
                )
            )
        except Exception as error:  # noqa: BLE001 (other people's code may raise anything)
            reason = " ".join(str(error).split()) or "no message"
            reporter.say(f"column {spec.name!r} is left out: {type(error).__name__}: {reason}")
    return columns
