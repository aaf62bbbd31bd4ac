"""Features are looked at before a run: all rows are read where they are not known yet, and whoever waits is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.data.features.durable import readable
from bench.runs.progress import Reporter

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

MB = 10**6


def examine(dataset: Dataset, splits: Iterable[str], reporter: Reporter) -> None:
    """Looks at the features of `splits`. Raises: DataError for features that cannot be used, naming their videos."""
    for split in dict.fromkeys(splits):
        reading = _Reading(reporter)
        dataset.examine([split], reading)
        if reading.total:
            size = readable(reading.total)
            reporter.say(f"{dataset.label}: all features of {split} were read for their digest ({size})")


@dataclass
class _Reading:
    """Passes on how much is read; `total` is 0 where nothing had to be."""

    reporter: Reporter
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        self.total = total
        self.reporter.step("read features (MB)", done // MB, total // MB, {})
