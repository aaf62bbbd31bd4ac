"""Offers the model `hashed-ridge`."""

from bench.api import ModelSpec, Setting, Trainable, VideoTextEncoder, hookimpl

BENCH_API = 1


@hookimpl
def bench_models():
    return [
        ModelSpec(
            name="hashed-ridge",
            summary="ridge regression from mean frames to hashed word counts, in closed form",
            loader="vtbench_hashed_ridge.model:Ridge",
            provides=(VideoTextEncoder, Trainable),
            settings={
                "buckets": Setting(512, "numbers a paragraph's words are hashed into", minimum=1),
                "penalty": Setting(10.0, "weight of the ridge", minimum=0),
            },
            uses_segments=False,
        )
    ]
