"""One model fitted by several processes of this machine, called ranks (`bench run --ranks N`).

The process that the user started is rank 0: it alone plans, saves, predicts and scores. The others live for one fit.
They look up the same cell, build the same model, and call its `fit` with the same data; how they share the work is the
model's own affair (`bench_torch.ranks`), through torch.distributed: gloo between CPUs, NCCL between GPUs.

Whichever rank fails, the command ends with its error, in one line, and what was saved is gone on with.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError, Interrupted, ModelError, UsageError
from bench.execution import Execution, State, Training
from bench.plugins.code import resolve
from bench.reading.numbers import number_of
from bench.reading.outside import one_line
from bench.runs.children import how_it_ended, once_parent_is_gone
from bench.runs.progress import Silent
from bench.runs.request import Request

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from bench.runs.plan import FitPlan

READY = "ready"
PATIENCE = timedelta(days=1)
"""How long a rank waits for the others: rank 0 chooses an epoch on held-out videos alone."""


@dataclass(frozen=True)
class _Part:
    """What another rank needs to know.

    Attributes:
        model, task: names of the cell.
        request: what the user asked for.
        device: of the rank.
        rank: its number, from 1.
        threads: it computes with.
        meeting: a file of this machine, through which the ranks find one another.
    """

    model: str
    task: str
    request: Request
    device: str
    rank: int
    threads: int
    meeting: str


def check_ranks(plan: FitPlan) -> None:
    """Raises UsageError where several ranks were asked for, and the model is fitted by one process alone."""
    if plan.request.ranks > 1 and not plan.spec.across_ranks:
        raise UsageError(
            f"--ranks {plan.request.ranks}: model {plan.spec.name!r} is fitted by one process alone. Leave it out."
        )


def devices_of(request: Request, first: str) -> list[str]:
    """Returns the device of each rank, GPUs in a row. Raises: UsageError where there are fewer."""
    if not first.startswith("cuda"):
        return [first] * request.ranks
    import torch

    start, there = int(first.partition(":")[2]), torch.cuda.device_count()
    if start + request.ranks > there:
        raise UsageError(
            f"--ranks {request.ranks} from {first} on: this machine has {number_of(there, 'CUDA device')}. Ask for "
            "fewer, or for --device cpu."
        )
    return [f"cuda:{start + rank}" for rank in range(request.ranks)]


@contextmanager
def other_ranks(plan: FitPlan, execution: Execution) -> Iterator[None]:
    """Runs its body as rank 0 beside the other ranks of a fit; alone where one was asked for.

    Raises: ModelError with the error of another rank that failed first; BenchError for one that died.
    """
    request = plan.request
    if request.ranks == 1:
        yield
        return
    import torch
    from torch import distributed

    assert plan.task is not None  # noqa: S101 (what serves as a base is fitted by one process)
    devices = devices_of(request, execution.device)
    whole = torch.get_num_threads()
    threads = max(1, whole // request.ranks)
    folder = tempfile.mkdtemp(prefix="bench-")
    meeting = (Path(folder) / "meeting").as_uri()
    parts = [
        _Part(plan.spec.name, plan.task.name, request, devices[rank], rank, threads, meeting)
        for rank in range(1, request.ranks)
    ]
    others = [_Other.started(part) for part in parts]
    try:
        torch.set_num_threads(threads)
        for other in others:
            other.wait_until_ready()
        distributed.init_process_group(init_method=meeting, rank=0, world_size=request.ranks, timeout=PATIENCE)
        yield
        for other in others:
            other.process.join()
            other.check()
    except Exception:
        for other in others:
            other.check()  # the first to fail says why; the others only that it is gone
        raise
    finally:
        for other in others:
            other.process.kill()
        if distributed.is_initialized():
            distributed.destroy_process_group()
        torch.set_num_threads(whole)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Other:
    """Another rank, as rank 0 sees it."""

    part: _Part
    process: SpawnProcess
    pipe: Connection

    @classmethod
    def started(cls, part: _Part) -> _Other:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_take_part, args=(there, part), daemon=True)
        process.start()
        there.close()
        return cls(part, process, here)

    def wait_until_ready(self) -> None:
        """Raises: as `check`."""
        try:
            said = self.pipe.recv()
        except EOFError:
            said = ""
        if said != READY:
            raise self._failure(said)

    def check(self) -> None:
        """Raises ModelError with what the rank said when it failed, BenchError where it could say nothing."""
        self.process.join(1.0)
        with suppress(EOFError):
            if self.pipe.poll():
                raise self._failure(self.pipe.recv())
        if self.process.exitcode:
            raise self._failure("")

    def _failure(self, said: str) -> BenchError:
        which = f"rank {self.part.rank} of {self.part.request.ranks}"
        if said:
            return ModelError(f"{which}: {said}")
        self.process.join(1.0)
        how = how_it_ended(self.process.exitcode) or "ended without a word"
        return BenchError(f"{which} {how}. The same command goes on from what was saved last; fewer --ranks need less.")


def _take_part(pipe: Connection, part: _Part) -> None:
    """Fits the model of a cell as one of several ranks, in its process; says through the pipe how it failed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # rank 0 hears it, and all stop at the same step
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    once_parent_is_gone(lambda: os._exit(1))
    try:
        _fit_beside(pipe, part)
        os._exit(0)  # threads of torch are still there, and an interpreter that shuts down beside them may abort
    except Interrupted:
        os._exit(0)
    except BenchError as error:
        pipe.send(f"{type(error).__name__}: {error}")
        os._exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 (rank 0 raises it)
        pipe.send(f"{type(error).__name__}: {one_line(error)}")
        os._exit(1)


def _fit_beside(pipe: Connection, part: _Part) -> None:
    import torch
    from torch import distributed

    from bench.catalogue import config
    from bench.catalogue.lookup import Session
    from bench.plugins.global_state import undisturbed
    from bench.runs.plan import plan

    torch.set_num_threads(part.threads)
    request = part.request
    fit = plan(Session(config.load(request.config)).cell(part.model, part.task), request, Silent()).fit
    assert fit.training_set is not None  # noqa: S101 (rank 0 found it needs a fit)
    assert fit.checkpoints is not None  # noqa: S101
    unfinished = fit.checkpoints.unfinished()  # rank 0 saves nothing before all ranks took their first step
    execution = Execution(part.device, request.precision, request.seed, request.batch_size)
    data = fit.dataset.training(fit.training_set, max_rows=fit.spec.max_rows, limit=request.limit)
    training = Training(
        execution=execution,
        word_vectors=request.word_vectors,
        progress=lambda done, total, values: None,
        checkpoint=_kept_by_first,
        resume=lambda: unfinished,
        stop_requested=lambda: False,
        checkpoint_due=lambda epoch_done: False,
    )
    with undisturbed(seed=request.seed):
        model = resolve(fit.spec.loader)({**fit.weights.given, **fit.weights.opened(execution)}, execution)
    pipe.send(READY)
    meeting, rank, count = part.meeting, part.rank, request.ranks
    distributed.init_process_group(init_method=meeting, rank=rank, world_size=count, timeout=PATIENCE)
    with undisturbed(seed=request.seed):
        model.fit(data, training)


def _kept_by_first(state: State) -> None:
    """Saves nothing: rank 0 has the same state, and saves it."""
