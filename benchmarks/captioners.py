"""Times what a captioner on a frozen base and a long fit are spared: frames read again, projections, checkpoints.

Three figures, each beside what was done before, in turns in one process: a fit of `hse-captioner` at the paper's size
whose encoder reads the videos once, and in every epoch; a search that projects a condition once, and at every word; a
step of HSE, and the save of its fit that followed every epoch.

    python benchmarks/captioners.py
    python benchmarks/captioners.py --epochs 15 --repeats 3
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
import torch
from batch import Batch, synthetic_batch
from timing import arguments, measure, start, table
from torch import Tensor
from train_step import networks, step

from bench.api import Execution, Ragged, Training, VideoBatch
from bench.files import write_tensors
from bench_hse.captioner import HSECaptionerShape, HSECaptioning
from bench_hse.model import Hierarchy
from bench_torch.adam import Adam
from bench_torch.checkpoints import module_arrays
from bench_torch.lstm import Memory
from bench_torch.search import Beam, search
from bench_torch.text import select
from bench_torch.training import Examples, Schedule, train

HIDDEN, WORD_DIM, DECODER, MAX_WORDS = 1024, 300, 512, 30


@dataclass(frozen=True)
class OneBatch:
    """The videos of one batch."""

    videos: VideoBatch

    @property
    def ids(self) -> tuple[str, ...]:
        return self.videos.ids

    @property
    def rows(self) -> np.ndarray:
        return self.videos.frames.lengths.numpy()

    @property
    def dim(self) -> int:
        return int(self.videos.frames.values.shape[1])

    def __len__(self) -> int:
        return len(self.videos)

    def batch(self, indices: Sequence[int]) -> VideoBatch:
        """Returns the videos at `indices`."""
        videos, places = self.videos, torch.tensor(indices)
        counts = videos.segments.lengths
        clips = select(Ragged(torch.arange(len(videos.clip_frames)), counts), places).values
        return VideoBatch(
            ids=tuple(videos.ids[index] for index in indices),
            frames=select(videos.frames, places),
            segments=select(videos.segments, places),
            clip_frames=select(videos.clip_frames, clips),
            durations=videos.durations[places],
        )

    def batches(self, groups: Sequence[Sequence[int]], device: str) -> Iterator[VideoBatch]:
        """Yields the videos of each group."""
        return (self.batch(group).to(device) for group in groups)


class EveryEpoch(HSECaptioning):
    """As it was: the encoder reads in every epoch."""

    def prepared(self, examples: Examples, batch: int, execution: Execution) -> Examples:
        """Returns the examples as they are."""
        return examples


def captioner(batch: Batch, kind: type[HSECaptioning]) -> HSECaptioning:
    """Returns a fresh captioner with a frozen encoder of the paper's size."""
    torch.manual_seed(0)
    parts = HSECaptionerShape(
        Hierarchy(OneBatch(batch.videos).dim, HIDDEN, "max", decoders=False), True, HIDDEN, DECODER
    )
    network = kind(OneBatch(batch.videos).dim, torch.randn(batch.words, WORD_DIM), parts, aligned=True, frozen=True)
    network.freeze()
    return network


def fitting(batch: Batch, kind: type[HSECaptioning], epochs: int) -> Callable[[], object]:
    """Returns a run of one fit."""
    training = Training(
        Execution(), None, lambda *_: None, lambda _: None, lambda: None, lambda: False, checkpoint_due=lambda _: False
    )
    examples, schedule = Examples(OneBatch(batch.videos), batch.text), Schedule(epochs, len(batch.videos), 1e-3, 10)
    return lambda: train(captioner(batch, kind), examples, None, schedule, training)


def searching(network: HSECaptioning, watched: Tensor, width: int, *, once: bool) -> Callable[[], object]:
    """Returns a run of one search over all segments of a batch."""
    beam = Beam(width, MAX_WORDS)

    def run() -> object:
        conditions = repeat(watched) if once else map(torch.clone, repeat(watched))
        return search(
            network.decoder, network.words, conditions, Memory.empty(len(watched), network.decoder.lstm), beam
        )

    return run


def saving(network: torch.nn.Module, folder: Path) -> Callable[[], object]:
    """Returns a run of one save of an unfinished fit: weights and both moments of Adam."""
    optimizer = Adam(network.parameters(), lr=1e-3)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.clear_gradients()
    path = folder / "state"
    return lambda: write_tensors(path, module_arrays(network, "n.") | optimizer.arrays("o."), {})


def main() -> None:
    """Prints a table for each figure."""
    parser = arguments(__doc__)
    parser.add_argument("--epochs", type=int, default=5, help="epochs of a fit")
    chosen = parser.parse_args()
    print(start(chosen))
    batch = synthetic_batch()
    print(batch)

    def show(what: str, runs: dict[str, Callable[[], object]], *, warm: bool = True) -> None:
        taken = measure(runs, chosen.repeats, "cpu", warm=warm)
        first = next(iter(taken.values())).cpu
        rows = [(name, seconds.cpu, seconds.wall, seconds.cpu / first) for name, seconds in taken.items()]
        print("\n" + table([(what, "CPU s", "wall s", "ratio"), *rows]))

    kinds = {"read once": HSECaptioning, "read in every epoch": EveryEpoch}
    fits = {name: fitting(batch, kind, chosen.epochs) for name, kind in kinds.items()}
    show(f"hse-captioner, {chosen.epochs} epochs of one batch", fits, warm=False)
    network = captioner(batch, HSECaptioning)
    with torch.no_grad():
        watched = network.watch(batch.videos)
    for width in (1, 5):
        runs = {
            f"projected {name}": searching(network, watched, width, once=name == "once")
            for name in ("once", "at every word")
        }
        show(f"{MAX_WORDS} words of {len(watched)} segments, beam {width}", runs)
    hse = networks(HIDDEN, batch.words)["hse"]
    with tempfile.TemporaryDirectory() as folder:
        save = saving(hse, Path(folder))
        one_step = lambda: step(hse, lambda: hse.loss(batch.videos, batch.text), torch.float32)  # noqa: E731
        show("hse, an epoch of one batch", {"the step": one_step, "a save of the fit": save}, warm=False)
        print(f"{(Path(folder) / 'state').stat().st_size / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
