"""Records that were read from disk, for Python: a sequence that pandas, notebooks and matplotlib take as it is."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from bench.errors import BenchError, InvalidData, UsageError
from bench.leaderboard.records import COMPANIONS, Entry, Note, ReadRecords, read, read_entry, reason_of
from bench.reading.numbers import number_of
from bench.results import Result, protocol
from bench.results.shown import Interval, as_frame, as_html, draw, in_words, measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


RESULTS = "results"
"""Where a board's folder keeps its records."""


@dataclass(frozen=True)
class Results(Sequence[Result]):
    """Records, each with the evidence that its numbers follow from.

    Attributes:
        entries: the records with where they lie and what was done to trust them.
        left_out: files that look like records and cannot be used, and why.
    """

    entries: tuple[Entry, ...]
    left_out: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Result]:
        return (entry.result for entry in self.entries)

    @overload
    def __getitem__(self, place: int) -> Result: ...
    @overload
    def __getitem__(self, place: slice) -> Results: ...
    def __getitem__(self, place: int | slice) -> Result | Results:
        if isinstance(place, slice):
            return Results(self.entries[place], self.left_out)
        return self.entries[place].result

    def where(
        self, *, model: str | Sequence[str] = (), task: str | Sequence[str] = (), seed: int | Sequence[int] = ()
    ) -> Results:
        """Returns those of a model, of a task and of a seed, or of one of several.

        A task without parameters behind ':' means it with any.
        """
        models, tasks = _several(model), _several(task)
        seeds = (seed,) if isinstance(seed, int) else tuple(seed)
        kept = (
            entry
            for entry in self.entries
            if (not models or entry.result.model.name in models)
            and (not tasks or {entry.result.task.name, entry.result.task.name.partition(":")[0]} & {*tasks})
            and (not seeds or entry.result.seed in seeds)
        )
        return Results(tuple(kept), self.left_out)

    def to_pandas(self, *, long: bool = False) -> DataFrame:
        """Returns a data frame with a row for each record and a column for each measurement.

        Args:
            long: a row for each measurement instead, with its interval, unit and number of queries.
        """
        rows: list[dict[str, Any]] = []
        for entry in self.entries:
            measurements = [*entry.result.measurements, *entry.result.columns]
            if long:
                rows += [_about(entry) | measured(measurement) for measurement in measurements]
            else:
                rows.append(_about(entry) | {measurement.name: measurement.value for measurement in measurements})
        return as_frame(rows, ["task", "model", "seed"])

    def _repr_html_(self) -> str:
        head = ["task", "data", "model", "seed", "status", "measured by", "value [95 %]"]
        rows = []
        for entry in self.entries:
            result, primary = entry.result, entry.result[entry.result.primary]
            status = "partial" if entry.partial else entry.status
            said = [result.task.name, result.data.label, result.model.name, str(result.seed), status, primary.name]
            rows.append([*said, in_words(primary.value, primary.ci95)])
        protocols = len({protocol(result.signature) for result in self})
        notes = [f"{protocols} ways of measuring: only rows of one rank together"] if protocols > 1 else []
        notes += [f"left out: {note.file}: {note.reason}" for note in self.left_out]
        return as_html(number_of(len(self), "record"), head, rows, numbers_from=6, notes=notes)

    def plot(self, measurement: str = "", *, ax: Axes | None = None) -> Axes:
        """Draws a measurement of every record with its 95 % interval, by default the primary one; returns the axes.

        Raises: UsageError where the records do not rank together, or one lacks the measurement.
        """
        ways = {protocol(result.signature): result.task.name for result in self}
        if len(ways) != 1:
            tasks = ", ".join(sorted({*ways.values()})) or "none"
            raise UsageError(
                f"{number_of(len(self), 'record')} of {len(ways)} ways of measuring do not rank together (tasks: "
                f"{tasks}). Draw those of one: .where(task=…), or a table of bench.leaderboard(…)."
            )
        name, intervals = measurement or self[0].primary, []
        for result in self:
            if name not in {one.name for one in result.measurements}:
                raise UsageError(f"{result.run} has no measurement {name!r}. It has {', '.join(_names(result))}.")
            label = f"{result.model.name}, seed {result.seed}"
            intervals.append(Interval(label, result[name].value, result[name].ci95, quiet=result.model.control))
        return draw(intervals, name, f"{self[0].task.name} on {self[0].data.label}", ax)


def _names(result: Result) -> list[str]:
    return [measurement.name for measurement in result.measurements]


def _several(text: str | Sequence[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _about(entry: Entry) -> dict[str, Any]:
    """Returns what a row says of a record beside its numbers."""
    result = entry.result
    return {
        "task": result.task.name,
        "model": result.model.name,
        "seed": result.seed,
        "run": result.run,
        "data": result.data.kind,
        "complete": not entry.partial,
        "status": entry.status,
        "control": result.model.control,
        "settings": dict(result.model.settings),
        "signature": result.signature,
    }


def load_results(paths: Sequence[Path]) -> Results:
    """Returns the records at `paths`: of runs, of folders of runs, of a board's folder; or of all that patterns match.

    Raises: UsageError where nothing is, or no record; BenchError where none of the records can be used.
    """
    entries, notes = dict[Path, Entry](), list[Note]()
    places = list(chain.from_iterable(map(_places, paths)))
    for place in places:
        if place.is_dir():
            readable, unreadable = read([place / RESULTS if (place / RESULTS).is_dir() else place])
        else:
            readable, unreadable = _read(place, alone=len(places) == 1)
        entries |= {entry.path.resolve(): entry for entry in readable}
        notes += unreadable
    if not entries and notes:
        raise InvalidData(
            f"none of {number_of(len(notes), 'record')} can be used; the first is {notes[0].file}: {notes[0].reason}"
        )
    if not entries:
        where = ", ".join(map(str, paths))
        raise UsageError(f"{where}: no finished run there (no result.json). `bench list runs` shows the runs.")
    return Results(tuple(entries.values()), tuple(notes))


def _places(path: Path) -> list[Path]:
    """Returns the files and folders that a path or pattern means; a task's folder of a board means its records."""
    if path.is_dir() and (records := [one for one in sorted(path.glob("*--*.json")) if _is_record(one)]):
        return records
    if path.exists():
        return [path]
    matching = sorted(map(Path, glob.glob(str(path))))  # noqa: PTH207 (may be absolute)
    if not matching:
        raise UsageError(f"{path} is no run folder, no record and matches none. `bench list runs` shows the runs.")
    return [place for place in matching if place.is_dir() or _is_record(place)]


def _is_record(path: Path) -> bool:
    return path.suffix == ".json" and not path.name.endswith(COMPANIONS)


def _read(path: Path, *, alone: bool) -> ReadRecords:
    """Returns the record in a file. Raises: BenchError where it cannot be used and nothing else was asked for."""
    try:
        return [read_entry(path, path.name)], []
    except BenchError as error:
        if alone:
            raise
        return [], [Note(path.name, reason_of(error, path))]
