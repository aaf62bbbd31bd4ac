"""Progress on the terminal: bars on stderr while it is a terminal, a plain line a minute otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from bench.cli.saying import echo
from bench.runs.progress import Lines, Reporter

MB = 1_000_000
_say = partial(echo, err=True)


class Terminal:
    """A `bench.runs.progress.Reporter` that draws one bar per stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, TaskID] = {}

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """Moves the bar of a stage; a new stage replaces the bars of finished ones."""
        if stage not in self._bars:
            for bar in self._bars.values():
                self._progress.remove_task(bar)
            self._bars = {stage: self._progress.add_task(stage, total=total, values="")}
        shown = " ".join(f"{name} {value:.4g}" for name, value in values.items())
        self._progress.update(self._bars[stage], completed=done, total=total, values=shown)

    def say(self, line: str) -> None:
        """Prints a line above the bars."""
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def terminal() -> Iterator[Reporter]:
    """Yields a reporter on stderr: bars, or a line a minute when it is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(_say)
        return
    values = TextColumn("{task.fields[values]}", markup=False)
    with _bars(console, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), values) as progress:
        yield Terminal(progress)


@contextmanager
def transfer(name: str) -> Iterator[Callable[[int, int], None]]:
    """Yields `progress(bytes done, bytes in all)`: a bar on stderr with rate and time left, a line a minute otherwise.

    The first call draws the bar; what was done before it does not count into the rate.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        lines = Lines(_say, "MB")
        yield lambda done, total: lines.step(name, done // MB, total // MB, {})
        return
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with _bars(console, *columns) as bars:
        yield _drawn_by(bars, name)


@contextmanager
def counted(name: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Yields `progress(done, in all)`: a bar on stderr with rate and time left, a line a minute otherwise.

    The first call draws the bar; what was done before it does not count into the rate.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        lines = Lines(_say, unit)
        yield lambda done, total: lines.step(name, done, total, {})
        return
    with _bars(console, BarColumn(), MofNCompleteColumn(), _Rate(unit), TimeRemainingColumn()) as bars:
        yield _drawn_by(bars, name)


class _Rate(ProgressColumn):
    """How many are done a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        return Text("" if rate is None else f"{rate:.3g} {self._unit}/s")


def _bars(console: Console, *columns: ProgressColumn) -> Progress:
    return Progress(TextColumn("{task.description}", markup=False), *columns, console=console, transient=True)


def _drawn_by(bars: Progress, name: str) -> Callable[[int, int], None]:
    tasks: list[TaskID] = []

    def progress(done: int, total: int) -> None:
        if not tasks:
            tasks.append(bars.add_task(name, completed=done, total=total))
        bars.update(tasks[0], completed=done, total=total)

    return progress
