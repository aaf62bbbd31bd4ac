"""Offers TSN as a classifier over frame features."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bench.api import SCHEDULE, ModelSpec, Setting, Trainable, VideoClassifier, hookimpl

TSN = ModelSpec(
    name="tsn",
    summary="a linear layer scores a few snippets of a video, which agree on its class",
    paper="Wang et al.: Temporal Segment Networks, ECCV 2016 and TPAMI 2018",
    loader="bench_tsn.model:TSN",
    provides=(VideoClassifier, Trainable),
    learns_from="labels",
    uses_segments=False,
    settings={
        "segments": Setting(3, "equal parts of a video in training, with a snippet drawn from each", minimum=1),
        "test_snippets": Setting(25, "snippets of a video in prediction", minimum=1, trained=False),
        "consensus": Setting("average", "what snippets agree on", ("average", "max", "topk")),
        "top": Setting(3, "consensus=topk: of how many snippets the greatest scores are averaged", minimum=1),
        "dropout": Setting(0.8, "share of the features that are dropped in training, below 1", minimum=0),
        **SCHEDULE,
        "batch": replace(SCHEDULE["batch"], default=128),
        "epochs": replace(SCHEDULE["epochs"], default=80),
        "lr_drop": replace(SCHEDULE["lr_drop"], default=30),
    },
    recipes={"sample": {"segments": 9, "consensus": "topk", "dropout": 0.2, "lr": 3e-2}},
)


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    return [TSN]
