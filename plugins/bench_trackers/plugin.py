"""Offers three trackers; each needs the extra of its name and is told of the runs whose bench.yaml lists it."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import WatcherSpec, hookimpl


@hookimpl
def bench_watchers() -> Iterable[WatcherSpec]:
    """Returns the trackers."""
    return [
        WatcherSpec(
            "tensorboard",
            "event files in each run's folder: tensorboard --logdir runs",
            "bench_trackers.to_tensorboard:TensorBoard",
            tracker=True,
        ),
        WatcherSpec(
            "mlflow",
            "runs in MLflow, below runs/mlflow or where MLFLOW_TRACKING_URI says",
            "bench_trackers.to_mlflow:MLflow",
            tracker=True,
        ),
        WatcherSpec(
            "wandb",
            "Weights & Biases, offline, in each run's folder; `wandb sync` sends them",
            "bench_trackers.to_wandb:WeightsAndBiases",
            tracker=True,
        ),
    ]
