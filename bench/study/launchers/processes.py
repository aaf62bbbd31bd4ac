"""A job as a process of its own, for launchers whose engine calls a function on another machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.errors import Interrupted
from bench.plugins.launchers import Job
from bench.runs.children import PARENT, how_it_ended

POLL = 0.1
PATIENCE = 30.0
"""Seconds that a job gets to save what it has once it was asked to leave."""
OF_ENGINES = (signal.SIGUSR1, signal.SIGUSR2)
"""Signals that tell an engine's worker that its time is over. Slurm sends them to all processes of a job."""


class JobProcess:
    """A job that runs in a process of its own, on this machine."""

    def __init__(self, job: Job) -> None:
        unseen = {} if job.resources.gpus else {"CUDA_VISIBLE_DEVICES": ""}
        with job.log.open("ab") as log, _withheld(OF_ENGINES):  # one of them would end it before it saves
            self._process = subprocess.Popen(
                [sys.executable, "-m", *job.command],
                env={**os.environ, **job.environment, **unseen, PARENT: str(os.getpid())},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
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
        if self._is_running():
            os.kill(self._process.pid, signal.SIGTERM)
        while self._is_running():
            if time.monotonic() > until:
                os.kill(self._process.pid, signal.SIGKILL)
                return
            time.sleep(POLL)

    def _is_running(self) -> bool:
        if self._process.returncode is not None:
            return False
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False


@contextmanager
def _withheld(signals: Sequence[signal.Signals]) -> Iterator[None]:
    """Keeps signals from processes that are started here; this process gets those that come meanwhile afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
