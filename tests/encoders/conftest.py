"""Encoders of the bundled plugin, opened as a run would open them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench.catalogue.catalogue import Catalogue, EntryPoint, discover
from bench.catalogue.encoders import plan_encoder
from bench.execution import Execution
from bench.testing.encoder_checks import ENCODER_CHECKS, EncoderSubject
from bench.testing.report import NotApplicable


@pytest.fixture(scope="session")
def offered() -> Catalogue:
    """Returns the catalogue of the bundled encoders alone."""
    catalogue = discover({}, [EntryPoint("encoders", "bench_encoders.plugin", "vtbench 0")])
    assert not catalogue.plugins[0].error
    return catalogue


@pytest.fixture(scope="session")
def opened(offered: Catalogue) -> Callable[..., Any]:
    """Returns a function from an encoder's name and settings to the encoder on the CPU, under seed 0."""
    return lambda name, **settings: plan_encoder(offered, name, settings).open(Execution())


@pytest.fixture(scope="session")
def picture() -> Callable[..., np.ndarray]:
    """Returns a function that draws a frame (height, width, 3): soft blobs of colour, the same for the same seed."""

    def draw(height: int, width: int, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
        frame = np.zeros((height, width, 3))
        for _ in range(12):
            centre, size, colour = rng.random(2), 0.05 + 0.2 * rng.random(), rng.random(3)
            frame += np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / size**2)[..., None] * colour
        return np.uint8(255 * np.clip(frame, 0, 1))

    return draw


@pytest.fixture
def checked(offered: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """Returns a function from an encoder's name and settings to what the conformance kit finds, by check.

    It fails the test unless every check passes or does not apply. The Hub's own switch is off: it is bench that keeps
    libraries from asking for what lies before them.
    """

    def check(name: str, **settings: Any) -> dict[str, str]:
        subject = EncoderSubject(plan_encoder(offered, name, settings))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        found = {}
        for what, ask in ENCODER_CHECKS.items():
            try:
                with subject.traces.watching(what):
                    found[what] = ask(subject)
            except NotApplicable as reason:
                found[what] = f"skipped: {reason}"
        return found

    return check
