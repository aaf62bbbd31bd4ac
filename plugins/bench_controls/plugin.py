"""Offers the controls: what a score is worth that knows nothing, only counts, or only averages."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import (
    TEXT,
    WORDS,
    ModelSpec,
    Setting,
    Trainable,
    VideoCaptioner,
    VideoEncoder,
    VideoTextEncoder,
    hookimpl,
)

RANDOM = ModelSpec(
    name="random",
    summary="Gaussian vectors that have nothing to do with the input: chance, measured",
    loader="bench_controls.random:RandomVectors",
    provides=(VideoTextEncoder,),
    uses_segments=False,
    control=True,
)

COUNT_ONLY = ModelSpec(
    name="count-only",
    summary="knows only how many segments a video and how many sentences a paragraph has",
    loader="bench_controls.count_only:CountOnly",
    provides=(VideoTextEncoder,),
    control=True,
)

MEAN_POOL = ModelSpec(
    name="mean-pool",
    summary="mean of frame features against mean of word vectors, two linear maps, InfoNCE",
    loader="bench_controls.mean_pool:MeanPool",
    provides=(VideoTextEncoder, Trainable),
    settings={
        **WORDS,
        **TEXT,
        "candidates": Setting(
            "0.001/0.05/128 0.001/0.1/512 0.003/0.1/128 0.003/0.2/512 "
            "0.01/0.1/512 0.01/0.2/128 0.01/0.2/512 0.01/0.4/256",
            "learning rate / temperature / dimension of each candidate; the best by R@1 on held-out videos is used",
        ),
        "batch": Setting(64, "videos per step", minimum=1),
        "epochs": Setting(15, "passes over the training videos, for each candidate and for the final fit", minimum=0),
        "lr_drop": Setting(10, "the learning rate is divided by 10 after each of so many epochs", minimum=1),
    },
    recipes={"sample": {"word_dim": 64, "epochs": 50, "lr_drop": 38}},
    uses_segments=False,
    control=True,
    across_ranks=True,
)

RIDGE = ModelSpec(
    name="ridge",
    summary="mean of frame features mapped to sentence vectors in closed form; give it text=ENCODER",
    loader="bench_controls.ridge:Ridge",
    provides=(VideoTextEncoder, Trainable),
    settings={
        "penalties": Setting(
            "0.01 0.1 1 10",
            "weights of the ridge, in mean eigenvalues of the features; the best by recalls on held-out videos is used",
        ),
        **WORDS,
        **TEXT,
    },
    uses_segments=False,
    control=True,
)

FEATURES = ModelSpec(
    name="features",
    summary="the mean of a video's feature rows, nothing trained: what the features are worth by themselves",
    loader="bench_controls.features:MeanFeatures",
    provides=(VideoEncoder,),
    uses_segments=False,
    control=True,
)

MOST_FREQUENT_CAPTION = ModelSpec(
    name="most-frequent-caption",
    summary="says of everything the sentence that the training text has most often",
    loader="bench_controls.captions:MostFrequentCaption",
    provides=(VideoCaptioner, Trainable),
    control=True,
)

NEAREST_CAPTION = ModelSpec(
    name="nearest-caption",
    summary="says what was said of the training segment with the most similar mean features",
    loader="bench_controls.captions:NearestCaption",
    provides=(VideoCaptioner, Trainable),
    control=True,
)


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    return [RANDOM, COUNT_ONLY, MEAN_POOL, RIDGE, FEATURES, MOST_FREQUENT_CAPTION, NEAREST_CAPTION]
