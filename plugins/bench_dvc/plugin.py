"""Offers DVC as a captioner of given segments."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import SCHEDULE, SEARCH, WORDS, ModelSpec, Setting, Trainable, VideoCaptioner, hookimpl

DVC = ModelSpec(
    name="dvc",
    summary="frames weighted by descriptiveness, likely words as attributes, and an LSTM that reads both",
    paper="Li et al.: Jointly Localizing and Describing Events for Dense Video Captioning, CVPR 2018",
    loader="bench_dvc.model:DVC",
    provides=(VideoCaptioner, Trainable),
    settings={
        "attributes": Setting(400, "how many of the most frequent training words are attributes", minimum=1),
        "attribute_weight": Setting(0.1, "weight of learning the attributes", minimum=0),
        "hidden": Setting(1024, "size of the LSTM states and of an embedded segment", minimum=1),
        **WORDS,
        **SEARCH,
        **SCHEDULE,
        "batch": Setting(64, "videos per step (1 in the paper)", minimum=1),
    },
    recipes={"sample": {"hidden": 128, "word_dim": 64, "attributes": 100, "lr": 1e-2, "epochs": 40, "lr_drop": 30}},
)


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    return [DVC]
