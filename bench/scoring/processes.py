"""Worker processes that rank parts of one gallery. Each opens the files for itself and counts in one thread."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from bench.errors import BenchError
from bench.metrics.galleries import Gallery
from bench.metrics.gallery_ranks import GalleryCounts, Ranker, Run, in_this_process
from bench.runs.children import once_parent_is_gone


def ranking(gallery: Gallery, jobs: int, count: Callable[[Run], GalleryCounts]) -> GalleryCounts:
    """Returns what `count` makes of a gallery, whose parts are ranked here or in `jobs` processes: the same counts.

    Raises: BenchError where a process dies.
    """
    if jobs == 1:
        with _one_thread():  # the last bits of a product depend on its threads
            return count(in_this_process(gallery))
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin, (gallery,))

    def run(method: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        waiting = [pool.submit(_call, method, arguments) for arguments in calls]
        return (future.result() for future in waiting)

    try:
        return count(run)
    except BrokenProcessPool as error:
        raise BenchError(
            f"one of {jobs} processes ended before its part was counted (out of memory?). Give fewer --jobs."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Own:
    """The ranker of a worker process."""

    ranker: Ranker


def _begin(gallery: Gallery) -> None:
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells all of its processes; the first one ends us
    once_parent_is_gone(lambda: os._exit(1))
    torch.set_num_threads(1)
    _Own.ranker = Ranker(gallery)


def _call(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return _Own.ranker.call(method, arguments)
