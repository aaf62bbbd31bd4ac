"""Galleries that are counted in parts: the same counts, to the last one, as those of whole rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bench.metrics import galleries
from bench.metrics.cosines import Cosines
from bench.metrics.galleries import gallery_of
from bench.metrics.gallery_ranks import count_gallery, in_this_process
from bench.metrics.similarities import Pairs, count_best_captions, count_ranks


class Held:
    """Embeddings in memory, read as those of a file are."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows, self.shape = rows, rows.shape

    def take(self, places: np.ndarray) -> np.ndarray:
        return self.rows[places]


def embeddings(rng: np.random.Generator, count: int) -> np.ndarray:
    """Returns few different directions, so that much ties, and copies of one in every seventh row."""
    rows = np.round(rng.normal(size=(count, 6))).astype(np.float32) + 0.25
    rows[1::7] = rows[0]
    return rows


def of_captions(rng: np.random.Generator) -> list[tuple[int, ...]]:
    return [(int(place),) for place in rng.integers(0, 90, 700)]


def of_several(rng: np.random.Generator) -> list[tuple[int, ...]]:
    return [tuple(sorted(rng.choice(600, int(size), replace=False).tolist())) for size in rng.integers(1, 9, 150)]


MATCHINGS = {
    "one each": lambda rng: [(int(place),) for place in rng.permutation(1300)[:600]],
    "captions": of_captions,
    "several right": of_several,
}


@pytest.mark.parametrize("matching", MATCHINGS)
@pytest.mark.parametrize("small_parts", [False, True])
def test_counts_in_parts_are_those_of_whole_rows(matching: str, small_parts: bool, monkeypatch) -> None:
    if small_parts:  # one block of queries and of items each
        monkeypatch.setattr(galleries, "STRIPE_BYTES", 1)
        monkeypatch.setattr(galleries, "SHARD", 1)
    rng = np.random.default_rng(3)
    right = MATCHINGS[matching](rng)
    queries = embeddings(rng, len(right))
    items = embeddings(rng, 1300 if matching == "one each" else 600)
    pairs, several = Pairs.of(right), matching == "captions"
    whole = Cosines(torch.from_numpy(queries), torch.from_numpy(items))
    expected = count_ranks(whole, pairs)
    gallery, sort = gallery_of(Held(queries), Held(items), np.arange(len(right)), pairs)
    counts = count_gallery(gallery, in_this_process(gallery), best_captions=several)
    np.testing.assert_array_equal(counts.row_pairs, expected.row_pairs[sort])
    np.testing.assert_array_equal(counts.column_pairs, expected.column_pairs[sort])
    assert expected.row_pairs[:, 1].max() > 20  # it was about ties
    if several:
        asked = np.unique(pairs.columns)
        best = np.empty((len(items), 3), dtype=np.uint32)
        best[gallery.item_places] = counts.best_captions
        np.testing.assert_array_equal(best[asked], count_best_captions(whole, pairs.columns)[asked])


def test_queries_that_are_not_ranked_are_not_counted_among_others() -> None:
    rng = np.random.default_rng(5)
    queries, items = embeddings(rng, 40), embeddings(rng, 50)
    asking = np.array([3, 8, 30])
    pairs = Pairs.of([(4,), (9,), (9, 11)][: len(asking)])
    gallery, sort = gallery_of(Held(queries), Held(items), asking, pairs)
    counts = count_gallery(gallery, in_this_process(gallery), best_captions=False)
    expected = count_ranks(Cosines(torch.from_numpy(queries[asking]), torch.from_numpy(items)), pairs)
    np.testing.assert_array_equal(counts.row_pairs, expected.row_pairs[sort])
    np.testing.assert_array_equal(counts.column_pairs, expected.column_pairs[sort])
