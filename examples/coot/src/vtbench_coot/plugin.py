"""Offers COOT, which follows HSE with transformers instead of GRUs and a loss of cycle consistency."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import ClipTextEncoder, ModelSpec, Setting, Trainable, VideoTextEncoder, hookimpl

BENCH_API = 1

COOT = ModelSpec(
    name="coot",
    summary="transformers over frames and words, over clips and sentences; learned word vectors instead of BERT",
    paper="Ging, Zolfaghari, Pirsiavash, Brox: COOT, NeurIPS 2020",
    loader="vtbench_coot.model:COOT",
    provides=(VideoTextEncoder, ClipTextEncoder, Trainable),
    settings={
        "hidden": Setting(384, "size of every transformer; embeddings of videos have twice as many numbers", minimum=8),
        "heads": Setting(8, "attention heads; they divide `hidden`", minimum=1),
        "word_dim": Setting(300, "size of the learned word vectors (the paper reads BERT, 1536)", minimum=1),
        "dropout": Setting(0.025, "share of activations dropped in training", minimum=0),
        "margin": Setting(0.2, "margin of every ranking loss", minimum=0),
        "low": Setting(1.0, "weight of matching clips and sentences; needs ground-truth segments, else 0", minimum=0),
        "cycle": Setting(0.01, "weight of cycle consistency", minimum=0),
        "lr": Setting(1e-3, "learning rate of Adam", minimum=0),
        "decay": Setting(2e-5, "weight decay", minimum=0),
        "warmup": Setting(3, "epochs over which the learning rate rises to `lr`", minimum=0),
        "batch": Setting(64, "videos per step", minimum=1),
        "epochs": Setting(40, "passes over the training videos (the released runs stopped after 36 to 50)", minimum=0),
        "lr_drop": Setting(30, "the learning rate is divided by 10 after each of so many epochs", minimum=1),
    },
    recipes={"sample": {"hidden": 128, "word_dim": 64, "epochs": 50, "lr_drop": 38}},
)


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    return [COOT]
