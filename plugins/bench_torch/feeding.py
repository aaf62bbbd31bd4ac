"""What a training step reads, there before it is needed: on a GPU another thread sends it while the last step runs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bench.api import VideoBatch
from bench_torch.packing import Packing, packings


@dataclass(frozen=True)
class Fed:
    """What one step reads, on its device.

    Attributes:
        videos, targets: video i belongs to target i.
        packings: the orders in which the network reads them, kept while the step runs.
    """

    videos: VideoBatch
    targets: Any
    packings: Sequence[Packing]


Lengths = Callable[[VideoBatch, Any], Sequence[Tensor]]


def fed(
    batches: Iterator[VideoBatch], targets: Iterator[Any], lengths: Lengths, device: str
) -> Generator[Fed, None, None]:
    """Yields what each step reads on `device`; the threads that made it have ended when this has.

    Args:
        batches: of videos, on the device.
        targets: of each batch, on the CPU.
        lengths: returns the lengths of all sequences of a batch that a network reads step by step, each (n,) int64.
    """
    if not device.startswith("cuda"):
        for videos, of_them in zip(batches, targets, strict=True):
            yield Fed(videos, of_them, ())
        return
    following = partial(_following, zip(batches, targets, strict=True), lengths, device)
    pool = ThreadPoolExecutor(1, "bench-feeding", partial(torch.cuda.set_device, device))
    try:
        ahead = pool.submit(following)
        while (ready := ahead.result()) is not None:
            ahead = pool.submit(following)
            yield ready
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _following(both: Iterator[tuple[VideoBatch, Any]], lengths: Lengths, device: str) -> Fed | None:
    for videos, targets in both:
        orders = packings(lengths(videos, targets), device)
        return Fed(videos, targets.to(device), orders)
    return None
