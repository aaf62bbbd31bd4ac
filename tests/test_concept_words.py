"""What captions of the sample name is counted by whole words."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from bench.data.identity import opaque_id
from bench.data.sample import anet_split, world
from bench.predictions import Captions

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "concept_words.py"


@pytest.fixture(scope="module")
def named():
    spec = importlib.util.spec_from_file_location("concept_words", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["concept_words"] = module
    spec.loader.exec_module(module)
    yield module.named
    del sys.modules["concept_words"]


def said(*sentences: str) -> Captions:
    """Returns captions of the sample's first test video, one for each of its events, the last one repeated."""
    split = anet_split("val_1")
    count = len(split.stories[0].events)
    padded = (*sentences, *[sentences[-1]] * (count - len(sentences)))
    return Captions((opaque_id("anet", "val_1", "video", split.videos.ids[0]),), (((0.0, 1.0),) * count,), (padded,))


def test_the_right_words_count_and_others_do_not(named):
    events = anet_split("val_1").stories[0].events
    names = world().names
    right = [" ".join(names[kind][event[kind]] for kind in range(4)) for event in events]

    assert named(said(*right), "anet") == [100.0] * 4
    assert named(said(*(sentence + "x" for sentence in right)), "anet") == [100.0, 100.0, 100.0, 0.0]
    assert named(said(""), "anet") == [0.0] * 4
    half = named(said(right[0], ""), "anet")
    assert half == [pytest.approx(100.0 / len(events))] * 4
