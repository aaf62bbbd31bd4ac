"""A video that stands in a batch with several of its captions: no bundled loss counts one of them as wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from bench.api import TrainingData

MATCHING = [
    ("fse", {}),
    ("fse", {"hardest": True}),
    ("mean-pool", {"candidates": "0.01/0.1/8"}),
    ("hse", {"tau": 0.0, "low": "strong"}),
    ("hse", {"tau": 0.0, "low": "strong", "hardest": True}),
    ("hse", {"tau": 0.0, "low": "weak"}),
    ("hse", {"tau": 0.0, "low": "none", "cluster": False}),
    ("dense", {"score": "embedding"}),
    ("dense", {"score": "alignment"}),
    ("s2vt", {"score": "embedding"}),
]
TELLING = [
    ("dense", {"score": "likelihood"}),
    ("dense", {"score": "captioning"}),
    ("s2vt", {"score": "likelihood"}),
    ("s2vt", {"score": "captioning"}),
    ("dvc", {"self_critical": 0.0}),  # whose epochs draw what they are told
]


@pytest.fixture
def loss(make_model: Callable[..., Any], data: TrainingData, record: Any) -> Callable[..., float]:
    """Returns a function from a model, its settings and four ids to its loss on four entries that are these videos.

    An entry is a whole video, which is one segment, and one caption, as training on single captions has them.
    """
    whole = replace(data.videos, clips=[[rows] for rows in data.videos.whole])
    data = replace(data, videos=whole, paragraphs=tuple(paragraph[:1] for paragraph in data.paragraphs))

    def of(name: str, settings: dict[str, object], *ids: str) -> float:
        model = make_model(name, **settings)
        model.fit(data, record().training())
        batch = replace(data.videos.batch(range(4)), ids=ids)
        text = model.vocabulary.encode(data.paragraphs[:4])
        with torch.no_grad():
            return float(model.network.eval().loss(batch, text))

    return of


@pytest.mark.parametrize(("name", "settings"), MATCHING)
def test_entries_of_one_video_are_no_negatives(loss: Callable[..., float], name: str, settings: dict) -> None:
    assert loss(name, settings, "a", "b", "c", "d") > 0.001
    assert loss(name, settings, "a", "a", "a", "a") == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("name", "settings"), MATCHING)
def test_other_videos_of_the_batch_stay_negatives(loss: Callable[..., float], name: str, settings: dict) -> None:
    apart, pairs = loss(name, settings, "a", "b", "c", "d"), loss(name, settings, "a", "a", "b", "b")
    assert 0.0005 < pairs < apart


@pytest.mark.parametrize(("name", "settings"), TELLING)
def test_models_that_tell_have_no_negatives(loss: Callable[..., float], name: str, settings: dict) -> None:
    assert loss(name, settings, "a", "a", "b", "b") == loss(name, settings, "a", "b", "c", "d") > 0
