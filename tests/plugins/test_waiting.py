"""How often a training step waits for its device, and how much it asks of it, counted on one that is pretended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pretend_device import Counted, pretending

from bench.api import Execution, TrainingData

GPU = Execution(device="cuda:0")
MOST_WAITS = 2
TEXT_MODELS = [
    ("hse", {}),
    ("hse", {"pooling": "attention", "low": "weak", "hardest": True}),
    ("hse", {"tau": 0.0, "pooling": "last"}),
    ("fse", {}),
    ("mean-pool", {"candidates": "0.01/0.1/8"}),
    ("s2vt", {"score": "embedding"}),
    ("s2vt", {"score": "likelihood"}),
    ("s2vt", {"score": "captioning"}),
    ("dense", {"score": "embedding"}),
    ("dense", {"score": "alignment"}),
    ("dense", {"score": "likelihood"}),
    ("dense", {"score": "captioning"}),
    ("dvc", {"self_critical": 1.0}),
    ("fse-captioner", {}),
    ("fse-captioner", {"frozen": False}),
    ("hse-captioner", {}),
    ("hse-captioner", {"frozen": False}),
]


def waits_of_steps(model: Any, training: Any, data: TrainingData, counted: Counted) -> list[dict[str, int]]:
    """Returns the waits of each step of a fit but for the first, from one report to the next."""
    seen = []

    def progress(*_: Any) -> None:
        seen.append(dict(counted.waits))
        counted.clear()

    model.fit(data, replace(training, progress=progress, checkpoint=lambda _: None))
    return seen[1:]


def most(steps: list[dict[str, int]]) -> tuple[int, dict[str, int]]:
    return max(((sum(step.values()), step) for step in steps), key=lambda both: both[0])


@pytest.mark.parametrize(("name", "chosen"), TEXT_MODELS)
def test_a_training_step_waits_for_its_device_twice_at_most(
    name: str, chosen: dict[str, Any], make_training_data: Any, make_model: Any, record: Any
) -> None:
    data = make_training_data(count=6)
    with pretending() as counted:
        base = make_model(name.removesuffix("-captioner"), GPU, epochs=0) if name.endswith("-captioner") else None
        if base is not None:
            base.fit(data, record(GPU).training())
        model = make_model(name, GPU, epochs=1, batch=2, **chosen)
        steps = waits_of_steps(model, record(GPU).training(base), data, counted)
    assert len(steps) == 2
    assert most(steps)[0] <= MOST_WAITS, most(steps)[1]


@pytest.mark.parametrize("name", ["tsn", "fv-vae"])
def test_a_training_step_of_recognition_waits_twice_at_most(
    name: str, make_labelled_data: Any, make_model: Any, record: Any
) -> None:
    with pretending() as counted:
        model = make_model(name, GPU, epochs=1, batch=2)
        steps = waits_of_steps(model, record(GPU).training(), make_labelled_data(count=6), counted)
    assert most(steps)[0] <= MOST_WAITS, most(steps)[1]
