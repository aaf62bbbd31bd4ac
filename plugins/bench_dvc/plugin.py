"""Offers DVC as a captioner of given segments."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import SCHEDULE, SEARCH, WORDS, ModelSpec, Setting, Trainable, VideoCaptioner, hookimpl

DVC = ModelSpec(
    name="dvc",
    summary="frames weighted by descriptiveness, likely words as attributes, an LSTM that reads both, self-critical",
    paper="Li et al.: Jointly Localizing and Describing Events for Dense Video Captioning, CVPR 2018",
    loader="bench_dvc.model:DVC",
    provides=(VideoCaptioner, Trainable),
    settings={
        "attributes": Setting(400, "how many of the most frequent content words of training are attributes", minimum=1),
        "attribute_weight": Setting(0.1, "weight of learning the attributes", minimum=0),
        "descriptiveness_weight": Setting(
            0.5, "weight of regressing a segment's descriptiveness on the reward of what is said of it", minimum=0
        ),
        "reward": Setting("METEOR", "what a sentence said in training is worth", ("METEOR", "CIDEr")),
        "self_critical": Setting(
            0.33, "share of the epochs, the last ones, that raise the reward beside the likelihood", minimum=0
        ),
        "reward_weight": Setting(10.0, "weight of the reward in self-critical epochs; a reward is 0 to 1", minimum=0),
        "hidden": Setting(1024, "size of the LSTM states and of an embedded segment", minimum=1),
        **WORDS,
        **SEARCH,
        **SCHEDULE,
        "batch": Setting(64, "videos per step (1 in the paper)", minimum=1),
    },
    recipes={
        "sample": {
            "hidden": 128, "word_dim": 64, "attributes": 100, "lr": 1e-2, "epochs": 40, "lr_drop": 30,
            "self_critical": 0.25,
        }
    },
    revision=2,
)  # fmt: skip


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    return [DVC]
