"""Progress on the terminal: bars on stderr while it is a terminal, plain lines otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click
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

EVERY = 60.0
"""Seconds between two lines of progress where there is no terminal."""


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


@contextmanager
def counted(name: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Yields `progress(done, in all)`: a bar on stderr with rate and time left; a line a minute when no terminal.

    The first call draws the bar; what was done before it does not count into the rate.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:
        tasks: list[TaskID] = []
        began = said = time.monotonic()
        first = 0

        def progress(done: int, total: int) -> None:
            nonlocal began, said, first
            now = time.monotonic()
            if not tasks:
                tasks.append(bars.add_task(name, completed=done, total=total, rate=""))
                began, said, first = now, now, done
            rate = (done - first) / max(now - began, 1e-9)
            told = f"{rate:.3g} {unit}/s"
            bars.update(tasks[0], completed=done, rate=told)
            if not console.is_terminal and now - said > EVERY and rate and done < total:
                said, left = now, (total - done) / rate
                click.echo(f"{name}: {done:,} of {total:,} {unit}, {told}, {left / 60:.0f} min left", err=True)

        yield progress
