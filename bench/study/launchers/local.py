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
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from bench.execution import cores
from bench.plugins.launchers import Job, JobEnd, LaunchStart, MachineCheck
from bench.runs.children import how_it_ended, once_parent_is_gone
from bench.study.launchers.cell_worker import LEFT, work
from bench.study.launchers.processes import PATIENCE

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LOOK = 5.0
"""Seconds after which whoever waits for a cell is given word that none has ended."""


def threads_each(jobs: int) -> int:
    """Returns how many threads each of several workers gets: the cores of this process, shared out."""
    return max(1, cores() // jobs)


def thread_variables(threads: int) -> dict[str, str]:
    """Returns what makes a process compute on so many threads, or on as many as the user set by OMP_NUM_THREADS."""
    said = os.environ.get(THREADS[0], str(threads))
    return {name: os.environ.get(name, said) for name in THREADS}


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
        how, stays = "", False
        try:
            stays, how = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            worker.process.join()
            how = how_it_ended(worker.process.exitcode) or LEFT
        if not stays:
            self._drop(worker)
        worker.job = None
        return JobEnd(job.id, how)

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_work_here, args=(there,))  # no daemon: those start no ranks
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
    os.environ.update(thread_variables(threads_each(jobs)))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


def _work_here(pipe: Connection) -> None:
    """Runs jobs that come through the pipe, in a process that `multiprocessing` started."""
    once_parent_is_gone(lambda: os.kill(os.getpid(), signal.SIGTERM))  # it saves what it has, and leaves
    sys.exit(work(pipe))
