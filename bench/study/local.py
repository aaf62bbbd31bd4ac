"""Cells on this machine: in worker processes that each take one cell after another, with the threads shared out.

A worker is a fresh interpreter that stays for many cells, as one `bench run` of several models does. One that dies
takes no other with it: its cell is tried again or counted as failed, and a new worker takes its place. What a worker
says while it runs a cell goes into the cell's log.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError, Interrupted, SaveError
from bench.execution import cores
from bench.reading.outside import one_line
from bench.runs.request import Request
from bench.study.cells import StudyCell, StudyCells
from bench.study.running import CellOutcome, Ledger, failure

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PATIENCE = 30.0
"""Seconds that workers get to save what they have after Ctrl-C."""


@dataclass(frozen=True)
class Options:
    """How cells are run here.

    Attributes:
        jobs: worker processes.
        retries: how often a cell is tried again that failed for a reason that may pass.
        base: where runs go, and on which device.
    """

    jobs: int
    retries: int
    base: Request


def threads_each(jobs: int) -> int:
    """Returns how many threads each of several workers gets: the cores of this process, shared out."""
    return max(1, cores() // jobs)


Ended = tuple[StudyCell, CellOutcome]
"""A cell with what became of it."""


def run_cells(cells: Sequence[StudyCell], where: StudyCells, options: Options) -> Iterator[Ended]:
    """Yields every cell with its outcome as it ends.

    Two cells that may share a fit are not run beside each other while others wait: one would wait for the other.

    Raises: Interrupted, when all workers have saved what they had.
    """
    pool = _Pool(where, options)
    try:
        yield from pool.run(deque(cells))
    except KeyboardInterrupt:
        pool.interrupt()
        raise Interrupted(
            "interrupted: finished cells are saved, unfinished fits from their last save; the same command goes on."
        ) from None
    finally:
        pool.stop()


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    cell: StudyCell | None = None
    began: float = 0.0


class _Pool:
    """Workers, what they are at, and what waits."""

    def __init__(self, where: StudyCells, options: Options) -> None:
        self._where, self._options = where, options
        self._ledger = Ledger(options.base.output)
        self._workers: list[_Worker] = []
        self._tried: dict[str, int] = {}

    def run(self, waiting: deque[StudyCell]) -> Iterator[Ended]:
        while waiting or any(worker.cell for worker in self._workers):
            self._hand_out(waiting)
            busy = {worker.pipe: worker for worker in self._workers if worker.cell}
            for ready in wait(list(busy)):
                worker = busy[ready]  # type: ignore[index]  # only pipes were given
                cell, outcome = self._ended(worker)
                again = outcome.state == "failed" and not outcome.own_fault
                self._tried[cell.id] = self._tried.get(cell.id, 0) + 1
                if again and self._tried[cell.id] <= self._options.retries:
                    waiting.append(cell)
                else:
                    yield cell, outcome

    def _hand_out(self, waiting: deque[StudyCell]) -> None:
        """Gives every idle worker a cell, and starts workers while there are cells for them."""
        while waiting:
            idle = next((worker for worker in self._workers if worker.cell is None), None)
            if idle is None:
                if len(self._workers) == self._options.jobs:
                    return
                idle = self._start()
            cell = self._next(waiting)
            try:
                idle.pipe.send(cell)
            except (BrokenPipeError, ConnectionResetError):  # it died while it was idle
                waiting.appendleft(cell)
                self._drop(idle)
                continue
            idle.cell, idle.began = cell, time.monotonic()

    def _next(self, waiting: deque[StudyCell]) -> StudyCell:
        """Takes the first cell out that shares no fit with one that runs; the first where all do."""
        running = {_fit_of(worker.cell) for worker in self._workers if worker.cell}
        chosen = next((cell for cell in waiting if _fit_of(cell) not in running), waiting[0])
        waiting.remove(chosen)
        return chosen

    def _ended(self, worker: _Worker) -> tuple[StudyCell, CellOutcome]:
        """Returns what became of a worker's cell: as it says, or, where it is dead, how it died."""
        cell = worker.cell
        assert cell is not None  # noqa: S101 (it is busy)
        try:
            outcome = worker.pipe.recv()
        except EOFError:
            worker.process.join()
            died = BenchError(f"its process {_how(worker.process.exitcode)}. Its log: {self._ledger.log(cell)}")
            outcome = self._ledger.keep(failure(cell, died, time.monotonic() - worker.began))
            self._drop(worker)
        worker.cell = None
        return cell, outcome

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_work, args=(there, self._where, self._options), daemon=True)
        with _threads_for(self._options.jobs):
            process.start()
        there.close()
        worker = _Worker(process, here)
        self._workers.append(worker)
        return worker

    def _drop(self, worker: _Worker) -> None:
        worker.pipe.close()
        self._workers.remove(worker)

    def interrupt(self) -> None:
        """Asks the workers to save and leave, once, and waits for them; a second Ctrl-C ends the wait."""
        for worker in self._workers:
            if worker.cell and worker.process.pid and worker.process.is_alive():
                os.kill(worker.process.pid, signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))

    def stop(self) -> None:
        """Lets idle workers go and ends those that did not listen."""
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(5.0 if worker.cell is None else 0.0)
            if worker.process.is_alive():
                worker.process.kill()


@contextmanager
def _threads_for(jobs: int) -> Iterator[None]:
    """Sets the number of threads of processes that start inside it, unless the user did."""
    unset = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, str(threads_each(jobs))))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


def _fit_of(cell: StudyCell) -> tuple[object, ...]:
    """Returns what two cells have in common that may share a fit."""
    return cell.model, tuple(sorted(cell.settings.items())), cell.seed, cell.precision, cell.limit


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}" + (" (out of memory?)" if code == -signal.SIGKILL else "")
    return f"ended with exit code {code}"


def _work(pipe: Connection, where: StudyCells, options: Options) -> None:
    """Runs cells that come through the pipe until it closes; in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of the terminal's processes; the first one asks
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    from bench.catalogue import config
    from bench.catalogue.lookup import Session
    from bench.runs.progress import Lines
    from bench.study.running import run_cell

    ledger = Ledger(options.base.output)
    session = None
    while True:
        try:
            cell = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        _speak_into(ledger.log(cell))
        began = time.monotonic()
        try:
            session = session or Session(config.load(where.config))
            run_cell(session, cell, options.base, Lines(print), ledger)
            outcome = _kept(ledger, cell)
        except (KeyboardInterrupt, Interrupted):
            return
        except BenchError as error:
            print(f"{type(error).__name__}: {error}")  # noqa: T201 (its log)
            outcome = ledger.keep(failure(cell, error, time.monotonic() - began))
        except Exception as error:  # noqa: BLE001 (a mistake of ours; the other cells go on)
            import traceback

            traceback.print_exc()
            wrong = BenchError(f"unexpected {type(error).__name__}: {one_line(error)}. Its log: {ledger.log(cell)}")
            outcome = ledger.keep(failure(cell, wrong, time.monotonic() - began))
        sys.stdout.flush()
        try:
            pipe.send(outcome)
        except BrokenPipeError:  # whoever asked is gone; the outcome is kept
            return


def _leave_with_parent() -> None:
    """Asks this process to save what it has and to leave, once the one that started it is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _kept(ledger: Ledger, cell: StudyCell) -> CellOutcome:
    """Returns the outcome that was kept just now. Raises: SaveError where its run was taken away meanwhile."""
    if (outcome := ledger.outcome(cell)) is None:
        raise SaveError(f"{ledger.path(cell.id)} names a run that is gone. Give the command again.")
    return outcome


def _speak_into(log: Path) -> None:
    """Sends what this process prints to a file from now on."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
