"""What captions of the sample name is counted by whole words, and twins are counted kind by kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.data.digests import opaque_id
from bench.data.sample.splits import anet_split, world
from bench.data.sample.world import Story
from bench.predictions import Captions, Embeddings


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parent.parent / "benchmarks")


def said(*sentences: str) -> Captions:
    """Returns captions of the sample's first test video, one for each of its events, the last one repeated."""
    split = anet_split("val_1")
    count = len(split.stories[0].events)
    padded = (*sentences, *[sentences[-1]] * (count - len(sentences)))
    return Captions((opaque_id("anet", "val_1", "video", split.videos.ids[0]),), (((0.0, 1.0),) * count,), (padded,))


def test_the_right_words_count_and_others_do_not():
    from concept_words import named

    events = anet_split("val_1").stories[0].events
    names = world(0).names
    right = [" ".join(names[kind][event[kind]] for kind in range(4)) for event in events]

    assert named(said(*right), "anet") == [100.0] * 4
    assert named(said(*(sentence + "x" for sentence in right)), "anet") == [100.0, 100.0, 100.0, 0.0]
    assert named(said(""), "anet") == [0.0] * 4
    half = named(said(right[0], ""), "anet")
    assert half == [pytest.approx(100.0 / len(events))] * 4


def test_twins_are_of_the_kind_of_their_difference():
    from twins import kind_of

    one, two, three = (0, 0, 0, 0), (1, 1, 1, 1), (2, 2, 2, 2)
    base = Story((one, two, three), 0)
    assert kind_of(base, base) == ""
    assert kind_of(base, Story((two, one, three), 0)) == "order"
    assert kind_of(base, Story(((1, 0, 0, 0), (0, 1, 1, 1), three), 0)) == "exchange"
    assert kind_of(base, Story(((0, 0, 5, 0), two, three), 0)) == "word"
    assert kind_of(base, Story(((0, 0, 5, 5), two, three), 0)) == ""
    assert kind_of(base, Story((one, two, three, one, two), 0)) == ""


def test_who_knows_all_tells_every_twin_apart_and_who_knows_nothing_half():
    from twins import pairs_of, told_apart

    split = anet_split("val_1")
    ids = {
        side: [opaque_id("anet", "val_1", side, video) for video in split.videos.ids] for side in ("video", "paragraph")
    }
    count = len(split.stories)
    order = np.random.default_rng(0).permutation(count)
    all_known = np.eye(count, dtype=np.float32)
    shuffled = tuple(ids["paragraph"][i] for i in order)
    pairs = pairs_of(split.stories)
    assert all(len(found) > 50 for found in pairs.values())
    assert (
        told_apart(Embeddings(tuple(ids["video"]), all_known, shuffled, all_known[order]), "anet", pairs) == [100] * 3
    )
    nothing = np.ones((count, 2), dtype=np.float32)
    assert told_apart(Embeddings(tuple(ids["video"]), nothing, shuffled, nothing), "anet", pairs) == [50] * 3
