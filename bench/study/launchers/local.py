"""Cells on this machine: in worker processes that each take one cell after another, with the threads shared out.

A worker is a fresh interpreter that stays for many cells, as one `bench run` of several models does. One that dies
takes no other with it: a new worker takes its place. What a worker says while it runs a cell goes into the cell's log.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError, Interrupted
from bench.execution import cores
from bench.plugins.launchers import Job, JobEnd, LaunchStart, MachineCheck
from bench.reading.outside import one_line
from bench.runs.children import how_it_ended, once_parent_is_gone

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from bench.catalogue.lookup import Session

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PATIENCE = 30.0
"""Seconds that workers get to save what they have after Ctrl-C."""
LOOK = 5.0
"""Seconds after which whoever waits for a cell is given word that none has ended."""


def threads_each(jobs: int) -> int:
    """Returns how many threads each of several workers gets: the cores of this process, shared out."""
    return max(1, cores() // jobs)


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    job: Job | None = None


class LocalLauncher:
    """Workers, what they are at, and what waits."""

    def __init__(self, start: LaunchStart) -> None:
        self.slots = start.jobs or 1
        self._workers: list[_Worker] = []
        self._waiting: deque[Job] = deque()

    def check(self, command: Sequence[str]) -> Sequence[MachineCheck]:
        return ()

    def submit(self, jobs: Sequence[Job]) -> None:
        self._waiting.extend(jobs)

    def ended(self) -> list[JobEnd]:
        self._hand_out()
        busy = {worker.pipe: worker for worker in self._workers if worker.job}
        return [self._ended(busy[ready]) for ready in wait(list(busy), LOOK)]  # type: ignore[index]  # all are pipes

    def _hand_out(self) -> None:
        """Gives every idle worker a job, and starts workers while there are jobs for them."""
        while self._waiting:
            idle = next((worker for worker in self._workers if worker.job is None), None)
            if idle is None:
                if len(self._workers) == self.slots:
                    return
                idle = self._start()
            job = self._waiting.popleft()
            try:
                idle.pipe.send(job)
            except (BrokenPipeError, ConnectionResetError):  # it died while it was idle
                self._waiting.appendleft(job)
                self._drop(idle)
                continue
            idle.job = job

    def _ended(self, worker: _Worker) -> JobEnd:
        """Returns how a worker's job ended; the worker goes where it is dead."""
        job = worker.job
        assert job is not None  # noqa: S101 (it is busy)
        how = ""
        try:
            worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            worker.process.join()
            how = how_it_ended(worker.process.exitcode)
            self._drop(worker)
        worker.job = None
        return JobEnd(job.id, how)

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_work, args=(there,), daemon=True)
        with _threads_for(self.slots):
            process.start()
        there.close()
        worker = _Worker(process, here)
        self._workers.append(worker)
        return worker

    def _drop(self, worker: _Worker) -> None:
        worker.pipe.close()
        self._workers.remove(worker)

    def stop(self) -> None:
        for worker in self._workers:
            if worker.job and worker.process.pid and worker.process.is_alive():
                os.kill(worker.process.pid, signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        for worker in self._workers:
            if worker.job:
                worker.process.join(max(0.0, until - time.monotonic()))

    def close(self) -> None:
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(5.0 if worker.job is None else 0.0)
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


def _work(pipe: Connection) -> None:
    """Runs jobs that come through the pipe until it closes; in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of the terminal's processes; the first one asks
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    once_parent_is_gone(lambda: os.kill(os.getpid(), signal.SIGTERM))  # it saves what it has, and leaves
    sessions: dict[Path, Session] = {}
    while True:
        try:
            job = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        _speak_into(job.log)
        try:
            _run(job, sessions)
        except (KeyboardInterrupt, Interrupted):
            return
        sys.stdout.flush()
        try:
            pipe.send(job.id)
        except BrokenPipeError:  # whoever asked is gone; the outcome is kept
            return


def _run(job: Job, sessions: dict[Path, Session]) -> None:
    """Runs a job as its command would, and keeps what became of it. Raises: Interrupted."""
    from bench.catalogue import config
    from bench.catalogue.lookup import Session
    from bench.runs.checkpoints import minutes_between
    from bench.runs.progress import Lines
    from bench.runs.request import Request
    from bench.study.cells import cell_of, read_cells
    from bench.study.running import Ledger, failure, run_cell

    cell, began, ledger = cell_of(job.cell), time.monotonic(), None
    try:
        where = read_cells(job.cells)
        ledger = Ledger(where.output)
        if job.cells not in sessions:
            where.check_config()
            sessions[job.cells] = Session(config.load(where.config))
        session = sessions[job.cells]
        minutes = minutes_between(job.checkpoint_every)
        base = replace(Request.under(session.config, where.output), device=job.device, checkpoint_minutes=minutes)
        run_cell(session, cell, base, Lines(print), ledger)
    except Interrupted:
        raise
    except BenchError as error:
        print(f"{type(error).__name__}: {error}")  # noqa: T201 (its log)
        if ledger:
            ledger.keep(failure(cell, error, time.monotonic() - began))
    except Exception as error:  # noqa: BLE001 (a mistake of ours; the other cells go on)
        import traceback

        traceback.print_exc()
        if ledger:
            wrong = BenchError(f"unexpected {type(error).__name__}: {one_line(error)}. Its log: {job.log}")
            ledger.keep(failure(cell, wrong, time.monotonic() - began))


def _speak_into(log: Path) -> None:
    """Sends what this process prints to a file from now on."""
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
