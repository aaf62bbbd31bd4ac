"""Offers `frozen-head`, what there is to train on top of frozen encoders."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import SCHEDULE, TEXT, ModelSpec, Setting, Trainable, VideoTextEncoder, hookimpl

FROZEN_HEAD = ModelSpec(
    name="frozen-head",
    summary="one linear map a side on frozen vectors, frames by their mean or a transformer; give it text=ENCODER",
    paper="Luo et al.: CLIP4Clip, Neurocomputing 2022 (its heads meanP and seqTransf; the encoders stay as they are)",
    loader="bench_head.model:FrozenHead",
    provides=(VideoTextEncoder, Trainable),
    settings={
        "frames": Setting("transformer", "the mean of frames, or a transformer before it", ("transformer", "mean")),
        "size": Setting(512, "size of the embedding, and of the transformer", minimum=8),
        "layers": Setting(4, "frames=transformer: its layers (4 in the paper)", minimum=1),
        "heads": Setting(8, "frames=transformer: its heads; they divide the size (8 in the paper)", minimum=1),
        "temperature": Setting(0.05, "of the loss: cosines are divided by it", minimum=1e-3),
        "word_dim": Setting(300, "without text=ENCODER: size of the word vectors", minimum=1),
        **TEXT,
        **SCHEDULE,
        "lr": Setting(1e-4, "learning rate of Adam (1e-4 in the paper, for what is new)", minimum=0),
    },
    recipes={"sample": {"size": 64, "layers": 1, "word_dim": 64, "lr": 3e-3, "epochs": 30, "lr_drop": 22}},
    uses_segments=False,
)


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    return [FROZEN_HEAD]
