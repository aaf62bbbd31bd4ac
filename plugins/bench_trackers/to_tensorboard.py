"""Runs as event files of TensorBoard, in the run's own folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench_trackers.told import RECORD, extra, facts, measured, record_digest

if TYPE_CHECKING:
    from bench.api import Result, RunStart


class TensorBoard:
    """Losses as curves, measurements under `measured/`, settings and the record's digest among the hyperparameters."""

    def __init__(self, start: RunStart) -> None:
        with extra("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

        self._start = start
        self._writer = SummaryWriter(str(start.folder / "tensorboard"))

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """Adds the figures of a step."""
        for name, value in values.items():
            self._writer.add_scalar(f"{stage}/{name}", value, done)

    def finished(self, result: Result) -> None:
        """Adds the measurements."""
        from torch.utils.tensorboard.summary import hparams

        final = {f"measured/{name}": value for name, value in measured(result).items()}
        for name, value in final.items():
            self._writer.add_scalar(name, value, 0)
        writer: Any = self._writer.file_writer
        for summary in hparams({**facts(self._start), RECORD: record_digest(self._start)}, final):  # type: ignore[no-untyped-call]
            writer.add_summary(summary)
        self._writer.close()

    def failed(self, reason: str) -> None:
        """Keeps what there is; why it failed is in the run's log."""
        self._writer.close()
