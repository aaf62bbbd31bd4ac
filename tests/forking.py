"""The `bench` command in forks of this process, which has imported everything: hundreds of starts, and of kills."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bench.cli


@dataclass
class Fork:
    """A command on its way."""

    process: int
    log: Path

    def wait(self) -> int:
        """Returns the exit code; minus the signal's number for one that was killed."""
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def kill(self, after: float, number: int = signal.SIGKILL) -> int:
        """Sends a signal after some seconds, unless the command has ended, and returns the exit code."""
        deadline = time.monotonic() + after
        while time.monotonic() < deadline:
            done, status = os.waitpid(self.process, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.001)
        os.kill(self.process, number)
        return self.wait()

    @property
    def said(self) -> str:
        return self.log.read_text()


def start(folder: Path, *arguments: str | Path, first: Callable[[], object] = lambda: None) -> Fork:
    """Starts `bench` in `folder`, after calling `first` there; both streams go to a file beside the folder."""
    logs = folder.parent / f"{folder.name}-logs"
    logs.mkdir(exist_ok=True)
    log = logs / str(len(list(logs.iterdir())))
    log.touch()
    process = os.fork()
    if process:
        return Fork(process, log)
    code = 70
    try:
        os.chdir(folder)
        output = os.open(log, os.O_WRONLY)
        os.dup2(output, 1)
        os.dup2(output, 2)
        first()
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
        sys.argv = ["bench", *map(str, arguments)]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            bench.cli.main()
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 0
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 (as Python ends a program)
        traceback.print_exc()
        code = 1
    finally:
        os._exit(code)
