"""Offers HSE, hierarchical sequence embedding, and a captioner on top of it."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import (
    SCHEDULE,
    SEARCH,
    TEXT,
    WORDS,
    ClipTextEncoder,
    FlatTextEncoder,
    ModelSpec,
    Paper,
    Setting,
    Trainable,
    VideoCaptioner,
    VideoTextEncoder,
    hookimpl,
)

HSE = ModelSpec(
    name="hse",
    summary="hierarchical sequence embedding: GRUs over frames and words, GRUs over clips and sentences",
    paper="Zhang, Hu, Sha: Cross-Modal and Hierarchical Modeling of Video and Text, ECCV 2018",
    loader="bench_hse.model:HSE",
    provides=(VideoTextEncoder, ClipTextEncoder, FlatTextEncoder, Trainable),
    settings={
        "hidden": Setting(1024, "size of all GRU states and of the embedding", minimum=1),
        **WORDS,
        "pooling": Setting("max", "how GRU states become one vector", ("max", "last", "attention")),
        "level2_init": Setting(
            "context", "where clip and sentence GRUs start: the flat embedding, or zero", ("context", "zero")
        ),
        "low": Setting(
            "auto",
            "low-level matching of clips and sentences; auto is strong when they are aligned, else weak",
            ("auto", "none", "weak", "strong"),
        ),
        "cluster": Setting(True, "push things of one side apart from each other"),
        "tau": Setting(5e-4, "weight of reconstructing clips and sentences; 0 switches all decoders off", minimum=0),
        "tau_low": Setting(1e-4, "weight of reconstructing frames and words", minimum=0),
        "margin": Setting(0.2, "margin of every ranking loss", minimum=0),
        "hardest": Setting(False, "hardest negatives instead of the sum over all (--max_violation)"),
        "embedding": Setting(
            "sequence",
            "what is compared: the paper's sequence embedding or the flat one",
            ("sequence", "flat"),
            trained=False,
        ),
        **TEXT,
        **SCHEDULE,
    },
    recipes={"sample": {"hidden": 128, "word_dim": 64, "lr": 1e-2, "epochs": 50, "lr_drop": 38}},
    revision=2,
    across_ranks=True,
)

HSE_CAPTIONER = ModelSpec(
    name="hse-captioner",
    summary="a decoder on HSE: an LSTM says of each segment what HSE makes of it and of its video",
    paper="Zhang, Hu, Sha: Cross-Modal and Hierarchical Modeling of Video and Text, ECCV 2018",
    loader="bench_hse.captioner:HSECaptioner",
    provides=(VideoCaptioner, Trainable),
    base="hse",
    settings={
        "frozen": Setting(True, "keep HSE's encoders as they were fitted, or train them on with the decoder"),
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
    return [HSE, HSE_CAPTIONER]


@hookimpl
def bench_papers() -> Iterable[Paper]:
    title = "Zhang, Hu, Sha: Cross-Modal and Hierarchical Modeling of Video and Text, ECCV 2018"
    return [Paper("hse2018", title, "bench_hse:papers/hse2018.yaml")]
