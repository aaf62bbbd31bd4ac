"""Adam with warm-up and steps, resuming exactly: shuffles follow from seed and epoch, the rest is in the checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench.api import (
    Interrupted,
    InvalidData,
    ModelError,
    Paragraph,
    Settings,
    State,
    Training,
    TrainingData,
    VideoBatch,
)

Loss = Callable[[VideoBatch, Sequence[Paragraph]], Tensor]
GENERATOR = "generator"


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train; the settings say what each means."""

    epochs: int
    batch: int
    lr: float
    decay: float
    warmup: int
    lr_drop: int

    @classmethod
    def of(cls, settings: Settings) -> Schedule:
        """Returns the schedule that the settings describe."""
        return cls(**{name: settings[name] for name in cls.__dataclass_fields__})  # type: ignore[arg-type]

    def rate(self, epoch: int) -> float:
        """Returns the learning rate of an epoch, counted from 0."""
        rise = min(1.0, (epoch + 1) / (self.warmup + 1))
        return float(self.lr * rise * 0.1 ** (epoch // self.lr_drop))


def train(network: nn.Module, loss: Loss, data: TrainingData, schedule: Schedule, training: Training) -> None:
    """Trains `network` in place, or goes on from the last checkpoint of an interrupted fit.

    Raises: ModelError when the loss is no longer finite; Interrupted after an epoch when asked to stop.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=schedule.lr, weight_decay=schedule.decay)
    first = _resume(network, optimizer, training.resume())
    device = training.execution.device
    bf16 = training.execution.precision == "bf16"
    for epoch in range(first, schedule.epochs):
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(epoch)
        order = np.random.default_rng((training.execution.seed, epoch)).permutation(len(data)).tolist()
        groups = [order[start : start + schedule.batch] for start in range(0, len(order), schedule.batch)]
        network.train()
        for step, (indices, videos) in enumerate(zip(groups, data.videos.batches(groups, device), strict=True)):
            with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bf16):
                value = loss(videos, [data.paragraphs[i] for i in indices])
            if not math.isfinite(value.item()):
                raise ModelError(f"the loss became {value.item()} in epoch {epoch + 1}. Try a smaller lr.")
            optimizer.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            done, total = epoch * len(groups) + step + 1, schedule.epochs * len(groups)
            training.progress(done, total, {"loss": value.item(), "epoch": epoch + 1.0})
        stopping = training.stop_requested()
        if stopping or training.checkpoint_due(True):
            training.checkpoint(_unfinished(network, optimizer, epoch + 1))
        if stopping:
            raise Interrupted(f"stopped after {epoch + 1} of {schedule.epochs} epochs; all of it is saved.")
    network.eval()


def arrays_of(network: nn.Module) -> dict[str, np.ndarray]:
    """Returns copies of all weights by name."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in network.state_dict().items()}


def restore(network: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Puts back what `arrays_of` returned. Raises: InvalidData when names or shapes do not fit."""
    try:
        network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
    except RuntimeError as error:
        raise InvalidData(f"the checkpoint does not fit the model: {' '.join(str(error).split())}.") from error


def _unfinished(network: nn.Module, optimizer: torch.optim.Optimizer, epoch: int) -> State:
    arrays = {f"network.{name}": array for name, array in arrays_of(network).items()}
    for number, moments in optimizer.state_dict()["state"].items():
        arrays |= {f"optimizer.{number}.{name}": tensor.cpu().numpy().copy() for name, tensor in moments.items()}
    arrays[GENERATOR] = torch.get_rng_state().numpy().copy()
    return State(arrays, {"epoch": epoch})


def _resume(network: nn.Module, optimizer: torch.optim.Optimizer, state: State | None) -> int:
    """Returns the epoch to go on with, everything restored; 0 at a fresh start."""
    if state is None:
        return 0
    arrays = {name: np.array(array) for name, array in state.arrays.items()}
    restore(network, {name.removeprefix("network."): a for name, a in arrays.items() if name.startswith("network.")})
    moments: dict[int, dict[str, Any]] = {}
    for key, array in arrays.items():
        kind, _, rest = key.partition(".")
        if kind == "optimizer":
            number, _, name = rest.partition(".")
            moments.setdefault(int(number), {})[name] = torch.from_numpy(array)
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    torch.set_rng_state(torch.from_numpy(arrays[GENERATOR]))
    return int(state.values["epoch"])
