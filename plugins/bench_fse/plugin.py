"""Offers FSE, the flat baseline of the HSE paper, and a captioner on top of it."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import (
    SCHEDULE,
    SEARCH,
    TEXT,
    WORDS,
    ModelSpec,
    Setting,
    Trainable,
    VideoCaptioner,
    VideoTextEncoder,
    hookimpl,
)

FSE = ModelSpec(
    name="fse",
    summary="flat sequence embedding: one GRU over all frames, one over all words",
    paper="Zhang, Hu, Sha: Cross-Modal and Hierarchical Modeling of Video and Text, ECCV 2018",
    loader="bench_fse.model:FSE",
    provides=(VideoTextEncoder, Trainable),
    settings={
        "hidden": Setting(1024, "size of the GRU states and of the embedding", minimum=1),
        **WORDS,
        "pooling": Setting("max", "how GRU states become one vector", ("max", "last", "attention")),
        "margin": Setting(0.2, "margin of the ranking loss", minimum=0),
        "hardest": Setting(False, "hardest negatives instead of the sum over all (--max_violation)"),
        **TEXT,
        **SCHEDULE,
    },
    recipes={"sample": {"hidden": 128, "word_dim": 64, "lr": 1e-2, "epochs": 50, "lr_drop": 38}},
    uses_segments=False,
    across_ranks=True,
)

FSE_CAPTIONER = ModelSpec(
    name="fse-captioner",
    summary="a decoder on FSE: an LSTM says of each segment what FSE's video encoder makes of its frames",
    paper="Zhang, Hu, Sha: Cross-Modal and Hierarchical Modeling of Video and Text, ECCV 2018",
    loader="bench_fse.captioner:FSECaptioner",
    provides=(VideoCaptioner, Trainable),
    base="fse",
    settings={
        "frozen": Setting(True, "keep FSE's encoder as it was fitted, or train it on with the decoder"),
        "hidden": Setting(512, "size of the decoder's LSTM states", minimum=1),
        **WORDS,
        **SEARCH,
        **SCHEDULE,
    },
    recipes={"sample": {"hidden": 128, "word_dim": 64, "lr": 1e-2, "epochs": 20, "lr_drop": 15}},
    revision=2,
)


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    return [FSE, FSE_CAPTIONER]
