"""Cells handed to a launcher: which are ready, what became of each, which are tried again.

What became of a cell is read from its record and its outcome, whatever the launcher says. Cells that share a fit wait
for the first of them, which makes it.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.catalogue.catalogue import Catalogue
from bench.errors import BenchError, CatalogueError, Interrupted, UsageError
from bench.execution import Resources
from bench.files import digest
from bench.models import Value
from bench.plugins.code import resolve
from bench.plugins.launchers import Job, JobEnd, Launcher, LauncherSpec, LaunchStart
from bench.reading.numbers import number_of
from bench.reading.outside import one_line
from bench.runs.progress import Reporter
from bench.study.cells import StudyCell, StudyCells, as_text, write_cells
from bench.study.launchers.local import thread_variables
from bench.study.running import CellOutcome, Ledger, failure
from bench.study.sharing import shared_fit

LATE = 10.0
"""Seconds within which a shared file system shows what another machine has written."""

Ended = tuple[StudyCell, CellOutcome]
"""A cell with what became of it."""


@dataclass(frozen=True)
class Launching:
    """How cells are run.

    Attributes:
        launcher: what runs them, with its settings, resolved.
        jobs: how many run at once at most; None for as many as the launcher takes.
        retries: how often a cell is tried again that failed for a reason that may pass.
        resources: what users said of a cell's needs, by name, in place of what models say.
        device, checkpoint_every: as `Job` has them.
        ranks: how many processes fit a model together, by its name; one where it is not named.
    """

    launcher: LauncherSpec
    settings: Mapping[str, Value] = field(default_factory=dict)
    jobs: int | None = None
    retries: int = 0
    resources: Mapping[str, int] = field(default_factory=dict)
    device: str = "auto"
    checkpoint_every: str = "5"
    ranks: Mapping[str, int] = field(default_factory=dict)


def needs(catalogue: Catalogue, model: str, said: Mapping[str, int], ranks: int = 1) -> Resources:
    """Returns what a cell of a model needs: as it says for each rank, and by name what users `said` in its place.

    Raises: UsageError where one process alone fits the model, or there would be fewer GPUs than ranks.
    """
    spec = catalogue.model(model)
    if ranks > 1 and not spec.across_ranks:
        raise UsageError(
            f"{ranks} ranks: model {model!r} is fitted by one process alone. Leave them out, or name in the study file "
            "the models that several processes fit, such as `ranks: {hse: 2}`."
        )
    resources = replace(Resources(**{name: ranks * number for name, number in vars(spec.resources).items()}), **said)
    if 0 < resources.gpus < ranks:
        raise UsageError(
            f"{number_of(resources.gpus, 'gpu')} for {ranks} ranks of model {model!r}: each needs one. Say --gpus "
            f"{ranks}, or 0 for the CPU."
        )
    return resources


def run_cells(cells: StudyCells, catalogue: Catalogue, how: Launching, reporter: Reporter) -> Iterator[Ended]:
    """Yields every cell with its outcome as it ends.

    Raises: UsageError as `needs`, CatalogueError where a machine lacks what cells need, both before the first begins;
    Interrupted, when those that ran have saved what they had.
    """
    models = dict.fromkeys(cell.model for cell in cells.cells)
    first, *_ = [needs(catalogue, model, how.resources, how.ranks.get(model, 1)) for model in models]
    folder = Ledger(cells.output).folder
    planned = folder / f"planned-{digest([as_text(cells)])[:12]}.json"
    write_cells(cells, planned)
    launcher = _started(how, LaunchStart(how.settings, folder / how.launcher.name, how.jobs, reporter.say, first))
    try:
        _check_places(launcher, how, planned)
        yield from _Driver(cells, catalogue, how, launcher, planned).run()
    except KeyboardInterrupt:
        with suppress(KeyboardInterrupt):  # a second Ctrl-C ends the wait
            launcher.stop()
        raise Interrupted(
            "stopped: finished cells are saved, unfinished fits from their last save; the same command goes on."
        ) from None
    finally:
        launcher.close()


def _check_places(launcher: Launcher, how: Launching, planned: Path) -> None:
    """Raises CatalogueError where another machine cannot run the cells, with what `bench doctor` says there."""
    with _guarded(how.launcher):
        checks = list(launcher.check(("bench", "doctor", "--cells", str(planned))))
    for check in checks:
        if check.exit_code:
            said = [line for line in check.said.splitlines() if line.startswith("fail")] or [check.said.strip()]
            raise CatalogueError(f"{check.place} cannot run these cells: {'; '.join(said)} Nothing was started.")


def _started(how: Launching, start: LaunchStart) -> Launcher:
    with _guarded(how.launcher):
        launcher: Launcher = resolve(how.launcher.loader)(start)
    return launcher


@contextmanager
def _guarded(spec: LauncherSpec) -> Iterator[None]:
    """Turns an exception of a launcher's own code into CatalogueError; our own errors and Ctrl-C pass."""
    try:
        yield
    except BenchError:
        raise
    except ModuleNotFoundError as error:
        install = f"Install it: pip install '{spec.extra}'." if spec.extra else "Mend or remove its plugin."
        raise CatalogueError(f"launcher {spec.name!r} cannot start: {error}. {install}") from error
    except Exception as error:
        raise CatalogueError(
            f"launcher {spec.name!r} failed: {type(error).__name__}: {one_line(error)}. Finished cells are saved; mend "
            "that, and the same command goes on."
        ) from error


@dataclass(frozen=True)
class _Begun:
    """A cell that was handed to the launcher, with its outcome of before."""

    cell: StudyCell
    before: CellOutcome | None
    clock: float


class _Driver:
    """What waits, what runs, and which fits are made."""

    def __init__(
        self, cells: StudyCells, catalogue: Catalogue, how: Launching, launcher: Launcher, planned: Path
    ) -> None:
        self._catalogue, self._how, self._launcher, self._planned = catalogue, how, launcher, planned
        self._ledger = Ledger(cells.output)
        self._waiting = deque(cells.cells)
        self._running: dict[str, _Begun] = {}
        self._tried: Counter[str] = Counter()
        self._fit = {cell.id: shared_fit(catalogue, cell) for cell in cells.cells}
        self._made: set[str] = set()
        self._environment = environment()

    def run(self) -> Iterator[Ended]:
        while self._waiting or self._running:
            jobs = [self._job(cell) for cell in self._ready()]
            with _guarded(self._how.launcher):
                if jobs:
                    self._launcher.submit(jobs)
                ends = self._launcher.ended()
            for end in ends:
                begun = self._running.pop(end.id, None)
                if begun is None:  # it was told before
                    continue
                outcome = self._outcome(begun, end)
                if outcome.state == "done":
                    self._made.add(self._fit[end.id])
                again = outcome.state == "failed" and not outcome.own_fault
                if again and self._tried[end.id] <= self._how.retries:
                    self._waiting.append(begun.cell)
                else:
                    yield begun.cell, outcome

    def _ready(self) -> list[StudyCell]:
        """Takes out the cells that can begin: as many as the launcher has room for, one of those that share a fit."""
        slots = self._launcher.slots
        room = len(self._waiting) if slots is None else slots - len(self._running)
        making = {self._fit[name] for name in self._running}
        ready: list[StudyCell] = []
        held: deque[StudyCell] = deque()
        while self._waiting and len(ready) < room:
            cell = self._waiting.popleft()
            fit = self._fit[cell.id]
            if fit and fit in making and fit not in self._made:
                held.append(cell)
            else:
                ready.append(cell)
                making.add(fit)
        self._waiting.extendleft(reversed(held))
        return ready

    def _job(self, cell: StudyCell) -> Job:
        self._tried[cell.id] += 1
        self._ledger.log(cell).parent.mkdir(parents=True, exist_ok=True)
        self._running[cell.id] = _Begun(cell, self._ledger.outcome(cell), time.monotonic())
        ranks = self._how.ranks.get(cell.model, 1)
        resources = needs(self._catalogue, cell.model, self._how.resources, ranks)
        return Job(
            cell={"id": cell.id, **cell.as_json()},
            cells=self._planned,
            device=self._how.device,
            checkpoint_every=self._how.checkpoint_every,
            environment={**self._environment, **thread_variables(resources.cpus)},
            resources=resources,
            log=self._ledger.log(cell),
            ranks=ranks,
        )

    def _outcome(self, begun: _Begun, end: JobEnd) -> CellOutcome:
        """Returns what became of a cell: as it left word itself, else how its process ended."""
        until = time.monotonic() + (0.0 if end.how else LATE)
        while True:
            now = self._ledger.outcome(begun.cell)
            if now is not None and (now.state == "done" or now != begun.before):
                return now
            if time.monotonic() >= until:
                break
            time.sleep(0.2)
        log = self._ledger.log(begun.cell)
        died = BenchError(f"its process {end.how or 'left no result (a full disk?)'}. Its log: {log}")
        return self._ledger.keep(failure(begun.cell, died, time.monotonic() - begun.clock))


def environment() -> dict[str, str]:
    """Returns what a cell's process must have set on any machine: what was said of plugins, and no place of config."""
    return {name: value for name, value in os.environ.items() if name.startswith("BENCH_") and name != "BENCH_CONFIG"}
