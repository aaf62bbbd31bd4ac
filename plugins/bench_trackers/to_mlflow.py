"""Runs in MLflow: one experiment for each task."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench_trackers.told import RECORD, extra, facts, measured, record_digest

if TYPE_CHECKING:
    from bench.api import Result, RunStart

FOLDER = "mlflow"


class MLflow:
    """Settings as parameters, losses and measurements as metrics, the record's digest as a tag."""

    def __init__(self, start: RunStart) -> None:
        # mlflow-skinny has no database, and MLflow 3 refuses folders unless it is told that they are wanted.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        with extra("mlflow"):
            from mlflow import MlflowClient

        place = os.environ.get("MLFLOW_TRACKING_URI") or (start.folder.parent / FOLDER).resolve().as_uri()
        self._start, self._client = start, MlflowClient(place)
        self._run = self._client.create_run(self._experiment(start.task), run_name=start.run).info.run_id
        for name, value in facts(start).items():
            self._client.log_param(self._run, _allowed(name), value)

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """Adds the figures of a step."""
        self._measure({f"{stage}/{name}": value for name, value in values.items()}, done)

    def finished(self, result: Result) -> None:
        """Adds the measurements."""
        self._measure(measured(result), 0)
        self._client.set_tag(self._run, RECORD, record_digest(self._start))
        self._client.set_terminated(self._run)

    def failed(self, reason: str) -> None:
        """Marks the run; why it failed is in its log."""
        self._client.set_terminated(self._run, "FAILED")

    def _measure(self, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        if values:
            now = int(time.time() * 1000)
            self._client.log_batch(
                self._run, [Metric(_allowed(key), value, now, step) for key, value in values.items()]
            )

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        known = self._client.get_experiment_by_name(name)
        if known is None:
            try:
                return str(self._client.create_experiment(name))
            except MlflowException:  # another run made it meanwhile
                known = self._client.get_experiment_by_name(name)
                if known is None:
                    raise
        return str(known.experiment_id)


def _allowed(name: str) -> str:
    """Returns a name with no sign that MLflow refuses: `t2v/R@1` is `t2v/R_at_1`."""
    return re.sub(r"[^\w\-. :/]", "_", name.replace("@", "_at_"))
