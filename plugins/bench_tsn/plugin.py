"""Offers TSN as a classifier over frame features."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import ModelSpec, Setting, Trainable, VideoClassifier, hookimpl

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
        "lr": Setting(1e-3, "learning rate of Adam", minimum=0),
        "batch": Setting(128, "videos per step", minimum=1),
        "epochs": Setting(80, "passes over the training videos", minimum=0),
        "lr_drop": Setting(30, "the learning rate is divided by 10 after each of so many epochs", minimum=1),
        "selection": Setting("fixed", "which epoch: the last, or the best on held-out videos", ("fixed", "held-out")),
    },
    recipes={"sample": {"segments": 9, "consensus": "topk", "dropout": 0.2, "lr": 3e-2}},
)


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    return [TSN]
