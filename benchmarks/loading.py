"""Times batches from feature packs against per-video reads of an HDF5 file, and how long training waits for them.

Both hold the same made-up videos, as many rows long as C3D features of ActivityNet Captions; the HDF5 file has the
official layout. All files are in the page cache. A step is forward, backward and optimiser of HSE.

    python benchmarks/loading.py
    python benchmarks/loading.py --hidden 256 --threads 2
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import h5py
import numpy as np
import torch
from batch import random_lengths
from timing import arguments, measure, start, synchronize, table
from train_step import networks

from bench.api import Ragged, View
from bench.data.declared import FeatureDeclaration
from bench.data.features.opening import open_features
from bench.data.features.pack_sources import all_of
from bench.data.features.packing import PackWatcher, pack
from bench.data.loading import FrameVideos, UncutVideos
from bench_torch.text import Text

DIM, MAX_ROWS, ROWS_PER_SECOND, WORDS = 500, 80, 3.5, 10_000
HDF5, PACK32, PACK16 = "HDF5, video by video", "pack float32", "pack float16"


@dataclass(frozen=True)
class Corpus:
    """Made-up videos on disk.

    Attributes:
        videos: their annotations.
        declarations: the same features in several forms, by name.
    """

    videos: UncutVideos
    declarations: Mapping[str, FeatureDeclaration]

    def opened(self, name: str) -> FrameVideos:
        """Returns the videos with the features of one form, opened anew."""
        return FrameVideos(self.videos, open_features(self.declarations[name]), View("gt"), MAX_ROWS)


def make_corpus(folder: Path, count: int) -> Corpus:
    """Writes an HDF5 file and packs of it; videos of 20 to 215 s (117 in the mean) with 2 to 5 segments."""
    rng = np.random.default_rng(0)
    durations = rng.uniform(20, 215, size=count)
    ids = tuple(f"v_{i:011d}" for i in range(count))
    noise = rng.standard_normal((4096, DIM), dtype=np.float32)
    with h5py.File(folder / "c3d.hdf5", "w") as file:
        for video_id, duration in zip(ids, durations.tolist(), strict=True):
            rows = np.arange(round(duration * ROWS_PER_SECOND)) + rng.integers(4096)
            file.create_dataset(f"{video_id}/c3d_features", data=noise.take(rows, axis=0, mode="wrap"))
    times = [np.sort(rng.uniform(0, duration, size=(rng.integers(2, 6), 2)), axis=1).tolist() for duration in durations]
    stored = FeatureDeclaration("c3d", "c3d-hdf5", folder / "c3d.hdf5", "C3D")
    declarations = {HDF5: stored}
    for name, dtype in ((PACK32, "float32"), (PACK16, "float16")):
        pack(all_of(stored), folder / dtype, "float16" if dtype == "float16" else "float32", PackWatcher())
        declarations[name] = FeatureDeclaration("c3d", "pack", folder / dtype)
    return Corpus(UncutVideos(ids, ids, durations, tuple(times)), declarations)


def compare_reading(corpus: Corpus, groups: Sequence[Sequence[int]], repeats: int) -> dict[str, float]:
    """Returns CPU seconds of one batch, by source; without reading ahead."""

    def read(videos: FrameVideos) -> None:
        for group in groups:
            videos.batch(group)

    def again(name: str) -> Callable[[], object]:
        videos = corpus.opened(name)
        return lambda: read(videos)

    def first(name: str) -> Callable[[], object]:
        return lambda: read(corpus.opened(name))

    runs: dict[str, Callable[[], object]] = {name: again(name) for name in corpus.declarations}
    runs |= {f"{name}, opened and checked": first(name) for name in (PACK32, PACK16)}
    batches = [corpus.opened(PACK32).batch(group) for group in groups]
    values = [rows for batch in batches for rows in (batch.frames.values, batch.clip_frames.values)]
    runs["copying the batch in memory"] = lambda: [rows.clone() for rows in values]
    taken = measure(runs, repeats, "cpu")
    return {name: seconds.cpu / len(groups) for name, seconds in taken.items()}


def matching_text(videos: FrameVideos, group: Sequence[int]) -> Text:
    """Returns a sentence of 4 to 23 words for every segment of the videos."""
    generator = torch.Generator().manual_seed(0)
    counts = videos.batch(group).segments.lengths
    sentences = int(counts.sum())
    lengths = random_lengths(sentences, round(13.5 * sentences), (4, 23), generator)
    words = torch.randint(0, WORDS, (int(lengths.sum()),), generator=generator)
    return Text(Ragged(words, lengths), counts)


@dataclass(frozen=True)
class Steps:
    """Medians over training steps, in seconds: waiting for the batch, computing, and both in CPU time."""

    wait: float
    compute: float
    cpu: float


def train(videos: FrameVideos, groups: Sequence[Sequence[int]], device: str, hidden: int) -> Steps:
    """Trains HSE for one step per group. The first step has nothing to read ahead beside, and does not count."""
    network = networks(hidden, WORDS)["hse"].to(device)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    texts = [matching_text(videos, group).to(device) for group in groups]
    waits, computes, cpus = [], [], []
    cpu, clock = time.process_time(), time.perf_counter()
    for batch, text in zip(videos.batches(groups, device), texts, strict=True):
        ready = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        network.loss(batch, text).backward()
        optimizer.step()
        synchronize(device)
        waits.append(ready - clock)
        computes.append(time.perf_counter() - ready)
        cpus.append(time.process_time() - cpu)
        cpu, clock = time.process_time(), time.perf_counter()
    return Steps(*(median(taken[1:]) for taken in (waits, computes, cpus)))


def main() -> None:
    """Prints a table of reading, and one of training."""
    parser = arguments(__doc__)
    parser.add_argument("--videos", type=int, default=320, help="videos on disk")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=4, help="training steps that count, for each source")
    chosen = parser.parse_args()
    print(start(chosen))
    with tempfile.TemporaryDirectory(prefix="bench-loading-") as folder:
        corpus = make_corpus(Path(folder), chosen.videos)
        order = np.random.default_rng(1).permutation(chosen.videos).tolist()
        groups = [order[i : i + chosen.batch] for i in range(0, chosen.videos - chosen.batch + 1, chosen.batch)]
        rows = corpus.opened(HDF5).rows
        print(f"{chosen.videos} videos, {chosen.batch} a batch, {rows.mean() * chosen.batch:.0f} rows of {DIM} a batch")
        reading = compare_reading(corpus, groups, chosen.repeats)
        lines = [(name, 1e3 * seconds, seconds / reading[HDF5]) for name, seconds in reading.items()]
        print("\n" + table([("reading", "CPU ms a batch", "ratio"), *lines]))

        steps = [groups[i % len(groups)] for i in range(chosen.steps + 1)]
        lines = []
        for name in (HDF5, PACK16):
            taken = train(corpus.opened(name), steps, chosen.device, chosen.hidden)
            waited = taken.wait / (taken.wait + taken.compute)
            lines.append((name, 1e3 * taken.wait, 1e3 * taken.compute, 100 * waited, 100 * reading[name] / taken.cpu))
        head = (f"training, hidden {chosen.hidden}", "ms waiting", "ms computing", "% waiting", "% of CPU reading")
        print("\n" + table([head, *lines]))


if __name__ == "__main__":
    main()
