"""Offers DENSE: as a captioner, and as a retriever by embedding, by alignment or by likelihood."""

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
    VideoTextScorer,
    hookimpl,
)

DENSE = ModelSpec(
    name="dense",
    summary="an LSTM over each segment, attention over past and future ones; captions or matches sentence by sentence",
    paper="Krishna et al.: Dense-Captioning Events in Videos, ICCV 2017",
    loader="bench_dense.model:load",
    provides=(VideoTextEncoder, VideoTextScorer, VideoCaptioner, Trainable),
    by_setting=(VideoTextEncoder, VideoTextScorer, VideoCaptioner),
    roles={VideoCaptioner: {"score": "captioning", "text": ""}},
    settings={
        "score": Setting(
            "embedding",
            "mean segment against mean sentence; alignment: best segment of each sentence, averaged; likelihood: the "
            "same by log p of each word given the segment; captioning: none of them (what captioning tasks set)",
            ("embedding", "alignment", "likelihood", "captioning"),
        ),
        **SEARCH,
        "prior": Setting(
            False,
            "score=likelihood: subtract log p of each sentence under a language model without video",
            trained=False,
        ),
        "context": Setting(
            "full", "which other segments count: past and future, past only, or none", ("full", "online", "none")
        ),
        "attention": Setting(True, "weigh other segments by attention, or all equally"),
        "hidden": Setting(512, "size of the LSTM states", minimum=1),
        **WORDS,
        "margin": Setting(0.2, "score=embedding and alignment: margin of the ranking losses", minimum=0),
        **TEXT,
        **SCHEDULE,
        "batch": Setting(64, "videos per step (1 in the paper)", minimum=1),
    },
    recipes={
        "sample": {"hidden": 64, "word_dim": 64, "lr": 3e-3, "epochs": 50, "lr_drop": 38},
        "sample/VideoCaptioner": {"lr": 5e-3, "batch": 16, "epochs": 30, "lr_drop": 22},
    },
)


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    return [DENSE]
