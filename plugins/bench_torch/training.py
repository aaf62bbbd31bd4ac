"""The one training loop: Adam with a stepwise learning rate, checkpoints, resuming exactly, choosing an epoch.

Shuffles are made from (seed, epoch), so an interrupted fit needs no generator of its own to go on: model, optimiser,
torch's generator, epoch and batch are all there is. On CPU with the same number of threads the weights come out equal
bit by bit, however often a fit was stopped.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from bench.api import Execution, Interrupted, ModelError, State, Training, VideoBatch, Videos, length_ordered
from bench_torch.adam import Adam
from bench_torch.checkpoints import (
    as_array,
    as_tensor,
    module_arrays,
    restore_module,
)
from bench_torch.feeding import Fed, fed
from bench_torch.float32 import without_tf32
from bench_torch.ranks import any_of, average_gradients, is_first, part_of, sharing, take_weights_of_first
from bench_torch.recall import recalls
from bench_torch.transfer import Late

if TYPE_CHECKING:
    from bench_torch.text import Text

NETWORK, OPTIMIZER, BEST, GENERATOR = "network.", "optimizer.", "best.", "generator."


class Targets(Protocol):
    """What videos are trained on, one for each of n videos: paragraphs, classes, or nothing."""

    def __len__(self) -> int: ...

    def select(self, indices: Sequence[int]) -> Targets:
        """Returns those of the videos at `indices`, in that order."""

    def to(self, device: str) -> Targets:
        """Returns the same on `device`."""


class TrainableNetwork(nn.Module):
    """A network that this loop can train: it has a loss over a batch of videos and what belongs to them."""

    def __init__(self, dim: int) -> None:
        """Starts a network for features of `dim` numbers per row."""
        super().__init__()
        self.dim = dim

    def loss(self, videos: VideoBatch, targets: Any, /) -> Tensor:
        """Returns the loss, a float32 scalar; video i belongs to target i."""
        raise NotImplementedError

    def sequences(self, videos: VideoBatch, targets: Any, /) -> Sequence[Tensor]:
        """Returns the lengths of all sequences that `loss` reads step by step, each (n,) int64, as far as it says so.

        Their orders are then sent to a GPU all at once and ahead of the step; those of others when they are needed.
        """
        return ()

    def begin_epoch(self, epoch: int) -> None:
        """Is told of each epoch before it begins, counted from 0; some networks learn otherwise from one of them on."""

    def prepared(self, examples: Examples, batch: int, execution: Execution) -> Examples:
        """Returns the examples in the form that is read in every epoch; `batch` videos fit into one step."""
        return examples

    def merit(self, heldout: Examples, execution: Execution) -> float:
        """Returns how good the network is on held-out videos, higher is better: here minus the mean loss."""
        groups = length_ordered(heldout.videos.rows, execution.batch_size)
        total = 0.0
        with torch.inference_mode(), autocast(execution):
            for group, batch in zip(groups, heldout.videos.batches(groups, execution.device), strict=True):
                total -= len(group) * float(self.loss(batch, heldout.targets.select(group).to(execution.device)))
        return total / len(heldout.targets)


class MatchingNetwork(TrainableNetwork):
    """A network that embeds videos and paragraphs in one space."""

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, d)."""
        raise NotImplementedError

    def embed_text(self, text: Text) -> Tensor:
        """Returns (n, d)."""
        raise NotImplementedError

    def merit(self, heldout: Examples, execution: Execution) -> float:
        """Returns the sum of the six recalls on held-out videos."""
        videos, texts = embed_all(self, heldout, execution)
        ids = heldout.videos.ids
        return sum(recalls(videos, texts, (1, 5, 50), ids)) + sum(recalls(texts, videos, (1, 5, 50), ids))


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        epochs: passes over the videos.
        batch: videos per step.
        lr: learning rate of Adam.
        lr_drop: after every `lr_drop` epochs the learning rate is divided by 10.
        selection: `fixed` keeps the last epoch; `held-out` the epoch of the greatest merit on held-out videos.
    """

    epochs: int
    batch: int
    lr: float
    lr_drop: int
    selection: str = "fixed"

    def rate(self, epoch: int) -> float:
        """Returns the learning rate of an epoch, counted from 0."""
        return float(self.lr * 0.1 ** (epoch // self.lr_drop))


@dataclass(frozen=True)
class Examples:
    """Videos with what they are trained on: video i belongs to target i. For matching, paragraphs as word numbers."""

    videos: Videos
    targets: Targets


def autocast(execution: Execution) -> torch.autocast:
    """Returns the context that computes matrix products in the precision that was asked for."""
    device = torch.device(execution.device).type
    return torch.autocast(device, torch.bfloat16, enabled=execution.precision == "bf16")


def embed_all(network: MatchingNetwork, examples: Examples, execution: Execution) -> tuple[Tensor, Tensor]:
    """Returns videos (n, d) and paragraphs (n, d) on the CPU, in the order of the examples."""
    groups = length_ordered(examples.videos.rows, execution.batch_size)
    videos, texts = [], []
    with torch.inference_mode(), autocast(execution):
        for group, batch in zip(groups, examples.videos.batches(groups, execution.device), strict=True):
            videos.append(network.embed_videos(batch).float().cpu())
            text = cast("Text", examples.targets.select(group).to(execution.device))
            texts.append(network.embed_text(text).float().cpu())
    order = torch.tensor([index for group in groups for index in group])
    back = order.argsort()
    return torch.cat(videos)[back], torch.cat(texts)[back]


def train(
    network: TrainableNetwork, examples: Examples, heldout: Examples | None, schedule: Schedule, training: Training
) -> None:
    """Trains `network` in place, or goes on from where an interrupted fit stopped.

    Raises: ModelError when the loss is no longer finite; Interrupted after saving, when asked to stop.
    """
    fit = _Fit(network, examples, heldout, schedule, training)
    fit.resume()
    if fit.epoch < schedule.epochs:
        fit.examples = network.prepared(examples, schedule.batch, training.execution)
        fit.heldout = heldout and network.prepared(heldout, schedule.batch, training.execution)
        take_weights_of_first(network)
    while fit.epoch < schedule.epochs:
        fit.run_epoch()
        fit.epoch, fit.position = fit.epoch + 1, 0
        if fit.heldout is not None and is_first():
            fit.consider(fit.heldout)
        fit.pause(epoch_done=True)
    if fit.heldout is not None and is_first():
        restore_module(network, fit.best, BEST)


class _Fit:
    """One fit and where it stands."""

    def __init__(
        self,
        network: TrainableNetwork,
        examples: Examples,
        heldout: Examples | None,
        schedule: Schedule,
        training: Training,
    ) -> None:
        self.network, self.examples, self.heldout = network, examples, heldout
        self.schedule, self.training = schedule, training
        self.device = training.execution.device
        self.optimizer = Adam(network.parameters(), schedule.lr)
        self.epoch, self.position = 0, 0
        self.best_score, self.best_epoch = -math.inf, -1
        self.best: dict[str, np.ndarray] = {}
        self.losses: deque[Late] = deque()

    def run_epoch(self) -> None:
        self.optimizer.lr = self.schedule.rate(self.epoch)
        groups = self.groups()
        self.network.begin_epoch(self.epoch)
        self.network.train()
        remaining = groups[self.position :]
        parts = [part_of(group) for group in remaining]
        batches = self.examples.videos.batches(parts, self.device)
        targets = map(self.examples.targets.select, parts)
        with closing(fed(batches, targets, self.network.sequences, self.device)) as steps:
            for group, part, given in zip(remaining, parts, steps, strict=True):
                with sharing(len(part) < len(group)):
                    self.losses.append(self.step(given))
                self.position += 1
                self.look(ahead=int(self.device.startswith("cuda")))
                if self.position < len(groups):
                    self.pause(epoch_done=False)
        self.look(ahead=0)

    def groups(self) -> list[list[int]]:
        """Returns the batches of this epoch; they depend on the seed and the epoch only."""
        seed = (self.training.execution.seed, self.epoch)
        order = np.random.default_rng(seed).permutation(len(self.examples.targets)).tolist()
        return [order[start : start + self.schedule.batch] for start in range(0, len(order), self.schedule.batch)]

    def step(self, given: Fed) -> Late:
        """Takes one step of Adam and returns the loss."""
        with autocast(self.training.execution):
            loss = self.network.loss(given.videos, given.targets)
        self.optimizer.clear_gradients()
        with without_tf32():
            loss.backward()  # type: ignore[no-untyped-call]
        average_gradients(self.network.parameters())
        self.optimizer.step()
        return Late(loss)

    def look(self, *, ahead: int) -> None:
        """Reports the losses of the steps taken, but for the last `ahead`, which a GPU may still be busy with.

        Raises: ModelError when a loss is not finite. No checkpoint is made before its loss was looked at.
        """
        steps = math.ceil(len(self.examples.targets) / self.schedule.batch)
        while len(self.losses) > ahead:
            step, loss = self.position - len(self.losses) + 1, self.losses.popleft().value()
            if not math.isfinite(loss):
                raise ModelError(
                    f"the loss became {loss} in epoch {self.epoch + 1}, step {step}. Try a smaller lr "
                    f"(now {self.schedule.rate(self.epoch):g}), --precision fp32, or features without extreme values."
                )
            values = {"loss": loss, "epoch": float(self.epoch + 1)}
            self.training.progress(self.epoch * steps + step, self.schedule.epochs * steps, values)

    def consider(self, heldout: Examples) -> None:
        """Keeps the weights of this epoch if they are the best so far on held-out videos."""
        self.network.eval()
        score = self.network.merit(heldout, self.training.execution)
        if score > self.best_score:
            self.best_score, self.best_epoch = score, self.epoch
            self.best = module_arrays(self.network, BEST)

    def pause(self, *, epoch_done: bool) -> None:
        """Saves where the fit stands if that is due. Raises: Interrupted after saving, when asked to stop."""
        stopping, due = any_of(self.training.stop_requested(), self.training.checkpoint_due(epoch_done))
        if stopping or due:
            self.look(ahead=0)
            self.training.checkpoint(self.state())
        if not stopping:
            return
        raise Interrupted(
            f"stopped in training after {self.epoch} of {self.schedule.epochs} epochs and {self.position} batches; "
            "all of it is saved, and the same command goes on from there."
        )

    def state(self) -> State:
        arrays = module_arrays(self.network, NETWORK) | self.optimizer.arrays(OPTIMIZER) | self.best
        arrays[GENERATOR + "cpu"] = as_array(torch.get_rng_state())
        if self.device.startswith("cuda"):
            arrays[GENERATOR + "cuda"] = as_array(torch.cuda.get_rng_state(self.device))
        values = {"epoch": self.epoch, "position": self.position, "best_epoch": self.best_epoch}
        return State(arrays, values | ({"best_score": self.best_score} if self.best else {}))

    def resume(self) -> None:
        state = self.training.resume()
        if state is None:
            return
        restore_module(self.network, state.arrays, NETWORK)
        self.optimizer.restore(state.arrays, OPTIMIZER)
        self.epoch, self.position = int(state.values["epoch"]), int(state.values["position"])
        self.best = {name: array for name, array in state.arrays.items() if name.startswith(BEST)}
        self.best_epoch = int(state.values["best_epoch"])
        self.best_score = float(state.values.get("best_score", -math.inf))
        torch.set_rng_state(as_tensor(state.arrays[GENERATOR + "cpu"]))
        if GENERATOR + "cuda" in state.arrays and self.device.startswith("cuda"):
            torch.cuda.set_rng_state(as_tensor(state.arrays[GENERATOR + "cuda"]), self.device)
