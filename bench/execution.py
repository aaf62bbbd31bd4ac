"""Where and how a model computes, and what `fit` gets beside the data."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

Precision = Literal["fp32", "bf16"]
"""In what numbers a model computes; scores are float32 in either case."""


@dataclass(frozen=True)
class Execution:
    """Where and how a model computes. Given to its loader.

    Attributes:
        device: `cpu` or `cuda:i`.
        precision: `fp32`, or `bf16` (autocast; parameters, losses and embeddings stay float32).
        seed: seeds everything random in the model.
        batch_size: videos or paragraphs per batch when predicting (training has its own setting).
        kept: the folder of all runs, for what is to be found again by the next one, such as answers that were paid for;
            "" where nothing is kept.
    """

    device: str = "cpu"
    precision: Precision = "fp32"
    seed: int = 0
    batch_size: int = 64
    kept: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Resources:
    """What one run needs on a cluster. A model states its own; `--cpus`, `--gpus` and `--memory` count more.

    Attributes:
        cpus: cores, and threads.
        gpus: CUDA devices; with 0 a run sees none.
        memory: in GB; 0 for as much as the cluster gives by itself.
    """

    cpus: int = 1
    gpus: int = 0
    memory: int = 0

    def __str__(self) -> str:
        counts = {"cpu": self.cpus, "gpu": self.gpus}
        words = [f"{count} {noun}{'s' * (count > 1)}" for noun, count in counts.items() if count]
        return ", ".join([*words, *([f"{self.memory} GB"] if self.memory else [])])


@dataclass(frozen=True)
class State:
    """What a model or a training run needs to go on: arrays and JSON values, never pickled objects."""

    arrays: Mapping[str, np.ndarray]
    values: Mapping[str, Any]


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_device(asked: str) -> None:
    """Raises UsageError for what no machine calls a device."""
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,4})?", asked):
        raise UsageError(f"--device {asked[:40]}: not a device. Use auto, cpu, cuda or cuda:0.")


def after_epochs(epoch_done: bool) -> bool:
    """Says when to save an unfinished fit: after every epoch, and at no other time."""
    return epoch_done


def length_ordered(rows: np.ndarray, batch_size: int) -> list[list[int]]:
    """Returns all indices in groups of at most `batch_size`, longest videos first: one too large fails at once."""
    order = (-rows).argsort(kind="stable").tolist()
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


@dataclass(frozen=True)
class Training:
    """What `fit` gets beside the data.

    Attributes:
        execution: device, precision and seed.
        word_vectors: a GloVe text file (a word and its numbers per line), or None for random vectors.
        progress: `progress(done, total, values)`: steps done of `total`, with figures to show such as the loss.
        checkpoint: saves the state of an unfinished fit, atomically; call it when it is due, or once an epoch.
        resume: returns the last saved state, or None at a fresh start.
        stop_requested: true after Ctrl-C or SIGTERM: save a checkpoint and raise `Interrupted`.
        base: the fitted model that `ModelSpec.base` names; None without one.
        checkpoint_due: `checkpoint_due(epoch_done)`: whether to save now; ask after every resumable step.
    """

    execution: Execution
    word_vectors: Path | None
    progress: Callable[[int, int, Mapping[str, float]], None]
    checkpoint: Callable[[State], None]
    resume: Callable[[], State | None]
    stop_requested: Callable[[], bool]
    base: Any = None
    checkpoint_due: Callable[[bool], bool] = after_epochs
