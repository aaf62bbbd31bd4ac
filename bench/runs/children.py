"""Processes that this one starts: how one ended, in words, and that each leaves once this one is gone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable

PARENT = "BENCH_PARENT"
"""The variable with the id of the process that started a command, and with which it leaves."""
ENDED_BY_ITSELF = range(7)
"""Exit codes of a command that said what became of it."""


def how_it_ended(code: int | None) -> str:
    """Returns how a process ended, in words; "" where its command said what became of it."""
    if code is not None and code < 0:
        return f"was killed by {_signal(-code)}" + (" (out of memory?)" if code == -signal.SIGKILL else "")
    return "" if code in ENDED_BY_ITSELF else "was interrupted" if code == 130 else f"ended with exit code {code}"


def _signal(number: int) -> str:
    """Returns the name of a signal; its number where it has none, as those of real time have not."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def once_parent_is_gone(leave: Callable[[], object]) -> None:
    """Has `leave` called once the process that started this one by `multiprocessing` is gone, however it ended."""
    threading.Thread(target=_watch, args=(leave,), daemon=True).start()


def _watch(leave: Callable[[], object]) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        leave()


def leave_with_parent() -> None:
    """Watches the process that started this command, where BENCH_PARENT names it; once it is gone, saves and leaves."""
    if parent := os.environ.pop(PARENT, ""):
        threading.Thread(target=_watch_id, args=(int(parent),), daemon=True).start()


def _watch_id(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)
