"""A process that runs one cell after another, as `--jobs` starts several and each worker of Ray keeps one.

It keeps what it has imported and read, and computes each cell as `bench run` of several models would. One in which a
cell failed for a reason that may pass is not used again: what failed may be its memory, or its GPU.

    python -m bench.study.launchers.cell_worker DESCRIPTOR     # of the pipe that jobs come through
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError, Interrupted, SaveError
from bench.plugins.launchers import Job
from bench.reading.outside import one_line

if TYPE_CHECKING:
    from bench.catalogue.lookup import Session
    from bench.study.running import CellOutcome

LEFT = "left in the middle of it"
"""How a process ended that gave no word of its job, though its exit code says nothing."""


def work(pipe: Connection) -> int:
    """Runs jobs that come through the pipe until it closes; says of each whether the process can run another.

    Returns: the exit code of the process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of the terminal's processes; the first one asks
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sessions: dict[Path, Session] = {}
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return 0
        except KeyboardInterrupt:
            return Interrupted.exit_code
        try:
            stays, how = _attempt(job, sessions)
            if not stays:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it leaves anyway
            pipe.send((stays, how))
        except (KeyboardInterrupt, Interrupted):
            return Interrupted.exit_code
        except BrokenPipeError:  # whoever asked is gone; the outcome is kept
            return 0
        if not stays:
            return 0


def _attempt(job: Job, sessions: dict[Path, Session]) -> tuple[bool, str]:
    """Runs a job; returns whether the process can run another, and how the job ended where no outcome tells it.

    Raises: Interrupted.
    """
    try:
        _speak_into(job.log)
        failed = _run(job, sessions)
        sys.stdout.flush()
    except (OSError, SaveError) as error:  # what became of it cannot be written down: whoever asked does it
        return False, f"could not leave word: {one_line(error)}"
    _give_back_gpu()
    return failed is None or failed.own_fault or failed.state == "unsupported", ""


def _run(job: Job, sessions: dict[Path, Session]) -> CellOutcome | None:
    """Runs a job as its command would, and keeps what became of it; returns that where it failed.

    Raises: Interrupted.
    """
    from bench.runs.checkpoints import minutes_between
    from bench.runs.progress import Lines
    from bench.runs.request import Request
    from bench.study.cells import cell_of, read_cells
    from bench.study.running import Ledger, failure, run_cell

    cell, began, ledger = cell_of(job.cell), time.monotonic(), None
    try:
        where = read_cells(job.cells)
        ledger = Ledger(where.output)
        session = _session(job.cells, sessions)
        minutes = minutes_between(job.checkpoint_every)
        base = Request.under(session.config, where.output)
        base = replace(base, device=job.device, checkpoint_minutes=minutes, ranks=job.ranks)
        run_cell(session, cell, base, Lines(print), ledger)
    except Interrupted as error:
        print(f"Interrupted: {error}", flush=True)  # noqa: T201 (its log)
        raise
    except BenchError as error:
        print(f"{type(error).__name__}: {error}")  # noqa: T201 (its log)
        ended = error
    except Exception as error:  # noqa: BLE001 (a mistake of ours; the other cells go on)
        import traceback

        traceback.print_exc()
        ended = BenchError(f"unexpected {type(error).__name__}: {one_line(error)}. Its log: {job.log}")
    else:
        return None
    outcome = failure(cell, ended, time.monotonic() - began)
    return ledger.keep(outcome) if ledger else outcome


def _session(cells: Path, sessions: dict[Path, Session]) -> Session:
    """Returns what the cells of a file are looked up in, read once.

    Raises: UsageError, CatalogueError where bench.yaml, bench or a plugin is not what they were planned with.
    """
    from bench.catalogue import config
    from bench.catalogue.lookup import Session
    from bench.study.cells import read_cells

    if cells not in sessions:
        where = read_cells(cells)
        where.check_config()
        session = Session(config.load(where.config))
        where.check_installed(session.catalogue)
        sessions[cells] = session
    return sessions[cells]


def _give_back_gpu() -> None:
    """Gives back what torch holds of a GPU beyond what is in use: another process may be next there."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()


def _speak_into(log: Path) -> None:
    """Sends what this process prints to a file from now on."""
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


if __name__ == "__main__":
    from bench.runs.children import leave_with_parent

    leave_with_parent()
    sys.exit(work(Connection(int(sys.argv[1]))))
