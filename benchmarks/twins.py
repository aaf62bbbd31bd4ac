"""Which twins of the sample a retrieval model tells apart, and what a model could find that knows no order.

python benchmarks/twins.py runs/hse--anet-retrieval--s* runs/mean-pool--anet-retrieval--s*

For every two test videos of a kind: how often the paragraph of one is nearer to its own video than to the other. Kinds
are `order` (the same events in another order), `exchange` (the same concepts, other events) and `word` (one differs).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.data.digests import opaque_id
from bench.data.sample.splits import anet_split
from bench.data.sample.world import Story
from bench.predictions import Embeddings, load_predictions
from bench.results import Result

KINDS = ("order", "exchange", "word")


def concepts(story: Story) -> Counter[tuple[int, int]]:
    """Returns how often each (kind, index) occurs in a story."""
    return Counter((kind, index) for event in story.events for kind, index in enumerate(event))


def kind_of(first: Story, second: Story) -> str:
    """Returns which twins two stories are, or nothing."""
    if len(first.events) != len(second.events) or first.events == second.events:
        return ""
    if Counter(first.events) == Counter(second.events):
        return "order"
    apart = (concepts(first) - concepts(second)).total()
    return {0: "exchange", 1: "word"}.get(apart, "")


def pairs_of(stories: Sequence[Story]) -> dict[str, np.ndarray]:
    """Returns (pairs, 2) int64 places of twins for each kind, either way round."""
    found: dict[str, list[tuple[int, int]]] = {kind: [] for kind in KINDS}
    for i, first in enumerate(stories):
        for j, second in enumerate(stories):
            if kind := kind_of(first, second):
                found[kind].append((i, j))
    return {kind: np.array(pairs, dtype=np.int64).reshape(-1, 2) for kind, pairs in found.items()}


def told_apart(said: Embeddings, dataset: str, pairs: dict[str, np.ndarray]) -> list[float]:
    """Returns the percentage of pairs of each kind in which the paragraph is nearer to its own video; a tie is half."""
    texts = as_generated(said.paragraph_ids, said.paragraphs, dataset, "paragraph")
    videos = as_generated(said.video_ids, said.videos, dataset, "video")
    cosines = texts @ videos.T
    margins = (cosines[own, own] - cosines[own, other] for own, other in (pairs[kind].T for kind in KINDS))
    return [50.0 * float((1.0 + np.sign(margin)).mean()) for margin in margins]


def as_generated(ids: Sequence[str], rows: np.ndarray, dataset: str, side: str) -> np.ndarray:
    """Returns (n, d) float64 directions of the rows, in the order of the stories."""
    places = {name: place for place, name in enumerate(ids)}
    order = [places[opaque_id(dataset, "val_1", side, video)] for video in anet_split("val_1").videos.ids]
    directions = rows[order].astype(np.float64)
    return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))


def main(runs: Sequence[str]) -> None:
    stories = anet_split("val_1").stories
    pairs = pairs_of(stories)
    bags = Counter(tuple(sorted(concepts(story).items())) for story in stories)
    shared = sum(count for count in bags.values() if count > 1)
    print(f"{len(stories)} test videos, {100 * shared / len(stories):.1f} % share all concepts with another; ", end="")
    print(f"who finds all concepts but no order has an R@1 of {100 * len(bags) / len(stories):.1f} at most")
    print(f"{'run':<44}" + "".join(f" {kind:>9}" for kind in KINDS))
    print(f"{'pairs':<44}" + "".join(f" {len(pairs[kind]):>9}" for kind in KINDS))
    for run in map(Path, runs):
        result = Result.load(run / "result.json")
        said = None if result.predictions is None else load_predictions(run / result.predictions.file)
        if (result.data.kind, result.status) != ("generated", "complete") or not isinstance(said, Embeddings):
            sys.exit(f"{run}: not a whole run of embeddings on the sample, of which alone we know what happens.")
        print(f"{result.run:<44.44}" + "".join(f" {x:>8.1f}%" for x in told_apart(said, result.task.dataset, pairs)))


if __name__ == "__main__":
    main(sys.argv[1:])
