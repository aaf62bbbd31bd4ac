"""Progress on the terminal: bars on stderr while it is a terminal, plain lines otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


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
def terminal() -> Iterator[Terminal]:
    """Yields a reporter on stderr; its bars are off when stderr is no terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[values]}", markup=False),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield Terminal(progress)


@contextmanager
def transfer(name: str) -> Iterator[Callable[[int, int], None]]:
    """Yields `progress(bytes done, bytes in all)`: a bar on stderr with rate and time left, off when no terminal.

    The first call draws the bar; what was done before it does not count into the rate.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:
        tasks: list[TaskID] = []

        def progress(done: int, total: int) -> None:
            if not tasks:
                tasks.append(bars.add_task(name, completed=done, total=total))
            bars.update(tasks[0], completed=done)

        yield progress
