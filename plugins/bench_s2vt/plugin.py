"""Offers S2VT: as a captioner, and as a retriever by embedding or by likelihood."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import (
    SCHEDULE,
    SEARCH,
    TEXT,
    ModelSpec,
    Setting,
    Trainable,
    VideoCaptioner,
    VideoTextEncoder,
    VideoTextScorer,
    hookimpl,
)

S2VT = ModelSpec(
    name="s2vt",
    summary="two stacked LSTMs over frames, then words; captions, or retrieves by embedding or by likelihood",
    paper="Venugopalan et al.: Sequence to Sequence - Video to Text, ICCV 2015",
    loader="bench_s2vt.model:load",
    provides=(VideoTextEncoder, VideoTextScorer, VideoCaptioner, Trainable),
    by_setting=(VideoTextEncoder, VideoTextScorer, VideoCaptioner),
    roles={VideoCaptioner: {"score": "captioning", "text": ""}},
    settings={
        "score": Setting(
            "embedding",
            "last encoder state against a text LSTM (ranking loss), log p of the paragraph given the video, or none: "
            "captioning (what captioning tasks set)",
            ("embedding", "likelihood", "captioning"),
        ),
        **SEARCH,
        "prior": Setting(
            False,
            "score=likelihood: subtract log p of the paragraph under a language model without video",
            trained=False,
        ),
        "hidden": Setting(1000, "size of the LSTM states", minimum=1),
        "frame_dim": Setting(500, "size that frame features are embedded to", minimum=1),
        "word_dim": Setting(300, "size of the word vectors (500 in the paper, which learns them)", minimum=1),
        "margin": Setting(0.2, "score=embedding: margin of the ranking loss", minimum=0),
        **TEXT,
        **SCHEDULE,
    },
    recipes={
        "sample": {"hidden": 128, "frame_dim": 64, "word_dim": 64, "lr": 3e-3, "epochs": 30, "lr_drop": 22},
        "sample/VideoCaptioner": {"lr": 2e-3, "batch": 8, "epochs": 40, "lr_drop": 30},
    },
    uses_segments=False,
)


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    return [S2VT]
