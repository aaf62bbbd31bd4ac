"""Fits: what a loaded model must be able to do, of what its settings decide at least one, and how they are stopped."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from bench.errors import ModelError, UnsupportedTask
from bench.models import ModelSpec, VideoTextEncoder, VideoTextScorer
from bench.runs.fit import _check_capabilities, stop_requests

EITHER = (VideoTextEncoder, VideoTextScorer)


class Encoder:
    def embed_videos(self, videos: Any) -> Any: ...

    def embed_paragraphs(self, paragraphs: Any) -> Any: ...


class Scorer:
    def encode_videos(self, videos: Any) -> Any: ...

    def encode_paragraphs(self, paragraphs: Any) -> Any: ...

    def score(self, videos: Any, paragraphs: Any) -> Any: ...


def check(model: Any, by_setting: tuple[type, ...] = EITHER, accepts: tuple[type, ...] = EITHER) -> None:
    spec = ModelSpec(name="toy", summary="", loader="toy:Toy", provides=EITHER, by_setting=by_setting)
    plan: Any = SimpleNamespace(spec=spec, task=SimpleNamespace(name="t", accepts=accepts))
    _check_capabilities(plan, model)


@pytest.mark.parametrize("model", [Encoder(), Scorer()])
def test_one_of_what_settings_decide_is_enough(model: Any) -> None:
    check(model)


def test_none_of_what_settings_decide_is_not() -> None:
    with pytest.raises(ModelError, match="declares VideoTextEncoder, VideoTextScorer but toy:Toy does not"):
        check(object())


def test_all_is_owed_that_no_setting_decides() -> None:
    with pytest.raises(ModelError, match="declares VideoTextScorer but"):
        check(Encoder(), by_setting=())


def test_settings_that_a_task_cannot_use_are_refused_before_anything_is_fitted() -> None:
    with pytest.raises(UnsupportedTask, match="needs a VideoTextEncoder; model 'toy' under these settings provides"):
        check(Scorer(), accepts=(VideoTextEncoder,))


def test_a_fit_that_is_asked_to_stop_twice_saves_and_only_ctrl_c_ends_it_at_once() -> None:
    with stop_requests() as requested:
        assert not requested.is_set()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # as Slurm sends it where it takes a job's place
        assert requested.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with stop_requests() as requested:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert requested.is_set()
