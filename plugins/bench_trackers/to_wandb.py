"""Runs in Weights & Biases, offline: files in the run's folder, which `wandb sync` sends once the user says so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench_trackers.told import RECORD, extra, facts, measured, record_digest

if TYPE_CHECKING:
    from bench.api import Result, RunStart


class WeightsAndBiases:
    """Settings as the configuration, losses as the history, measurements and the record's digest as the summary."""

    def __init__(self, start: RunStart) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        with extra("wandb"):
            import wandb

        folder = start.folder / "wandb"
        folder.mkdir(exist_ok=True)
        self._start = start
        self._run = wandb.init(
            project="bench",
            name=start.run,
            group=start.task,
            config=facts(start),
            settings=wandb.Settings(
                mode="offline",
                root_dir=str(folder),
                silent=True,
                console="off",
                host="not-said",
                # What it would otherwise gather: the command with its paths, the machine, git, packages, code.
                disable_git=True,
                disable_code=True,
                save_code=False,
                x_disable_meta=True,
                x_disable_stats=True,
                x_disable_machine_info=True,
                x_save_requirements=False,
            ),
        )

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """Adds the figures of a step, with the number of the step beside them."""
        if values:
            self._run.log({f"{stage}/step": done, **{f"{stage}/{name}": value for name, value in values.items()}})

    def finished(self, result: Result) -> None:
        """Adds the measurements."""
        self._run.summary.update({**measured(result), RECORD: record_digest(self._start)})
        self._run.finish(exit_code=0)

    def failed(self, reason: str) -> None:
        """Marks the run; why it failed is in its log."""
        self._run.finish(exit_code=1)
