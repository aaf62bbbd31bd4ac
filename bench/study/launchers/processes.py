"""Cells in processes of this machine, for launchers whose engine calls a function on another machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection

from bench.errors import Interrupted
from bench.plugins.launchers import Job
from bench.runs.children import PARENT, how_it_ended
from bench.study.launchers.cell_worker import LEFT

POLL = 0.1
PATIENCE = 30.0
"""Seconds that a job gets to save what it has once it was asked to leave."""
OF_ENGINES = (signal.SIGUSR1, signal.SIGUSR2)
"""Signals that tell an engine's worker that its time is over. Slurm sends them to all processes of a job."""
GPUS = "CUDA_VISIBLE_DEVICES"


class JobProcess:
    """A process of this machine that runs a job: its command, or another that does as much.

    Args:
        job: says with which variables, and which log gets what the process prints.
        command: of `python -m`.
        passed: file descriptors that the process gets.
    """

    def __init__(self, job: Job, command: Sequence[str] = (), passed: Sequence[int] = ()) -> None:
        with job.log.open("ab") as log, _withheld(OF_ENGINES):  # one of them would end it before it saves
            self._process = subprocess.Popen(
                [sys.executable, "-m", *(command or job.command)],
                env={**os.environ, **variables(job), PARENT: str(os.getpid())},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=passed,
            )

    @property
    def was_asked_to_leave(self) -> bool:
        """Whether it ended as SIGTERM or Ctrl-C ends a command."""
        return self._process.returncode in (Interrupted.exit_code, -signal.SIGTERM, -signal.SIGINT)

    def wait(self) -> str:
        """Returns how it ended, in words, "" where it ended by itself. Asks it to leave where this is interrupted."""
        try:
            while self._process.poll() is None:
                time.sleep(POLL)
        finally:
            self.leave()
        return how_it_ended(self._process.returncode)

    def leave(self) -> None:
        """Asks it to save what it has and to leave, and waits until it has; one that does not is killed.

        May be called from a signal's handler while `wait` waits: it waits without the locks of `subprocess`.
        """
        until = time.monotonic() + PATIENCE
        if self.is_running():
            os.kill(self._process.pid, signal.SIGTERM)
        while self.is_running():
            if time.monotonic() > until:
                os.kill(self._process.pid, signal.SIGKILL)
                return
            time.sleep(POLL)

    def is_running(self) -> bool:
        """Returns whether it has not ended."""
        if self._process.returncode is not None:
            return False
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False


class KeptProcess:
    """Runs one job after another, all that need the same variables in one process, as those of `--jobs` do.

    The process begins with its first job, and leaves with the process that has this object.
    """

    def __init__(self) -> None:
        self._process: JobProcess | None = None
        self._pipe: Connection | None = None
        self._under: Mapping[str, str] = {}

    def run(self, job: Job) -> str:
        """Returns how a job ended, in words; "" where what became of it is written down.

        Asks the process to leave where this is interrupted.
        """
        process, pipe = self._ready_for(job)
        stays, how = False, ""
        try:
            pipe.send(job)
            while not pipe.poll(POLL):
                pass
            stays, how = pipe.recv()
        except (EOFError, OSError):
            how = process.wait() or LEFT
        finally:
            if not stays:
                self._let_go()
        return f"{how} on {socket.gethostname()}" if how else ""

    def _ready_for(self, job: Job) -> tuple[JobProcess, Connection]:
        """Returns a process that has what a job needs, and the pipe to it."""
        under = variables(job)
        if self._process and self._pipe and under == self._under and self._process.is_running():
            return self._process, self._pipe
        self._let_go()
        self._pipe, there = multiprocessing.Pipe()
        command = ("bench.study.launchers.cell_worker", str(there.fileno()))
        self._process, self._under = JobProcess(job, command, [there.fileno()]), under
        there.close()
        return self._process, self._pipe

    def _let_go(self) -> None:
        """Lets a process leave; in the middle of a job it saves what it has."""
        if self._pipe:
            self._pipe.close()
        if self._process:
            self._process.leave()
        self._process = self._pipe = None


def variables(job: Job) -> dict[str, str]:
    """Returns what must be set when a job's process starts: where it asks for no GPU, it sees none."""
    visible = os.environ.get(GPUS) if job.resources.gpus else ""
    return {**job.environment, **({} if visible is None else {GPUS: visible})}


@contextmanager
def _withheld(signals: Sequence[signal.Signals]) -> Iterator[None]:
    """Keeps signals from processes that are started here; this process gets those that come meanwhile afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
