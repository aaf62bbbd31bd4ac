"""A dual encoder as a model: every encoder with both sides is one, without a word from its plugin."""

from __future__ import annotations

from bench.models.capabilities import ClipTextEncoder, VideoTextEncoder, VideoTextScorer
from bench.models.encoders import ClipEncoder, EncoderSpec, FrameEncoder, TextEncoder
from bench.models.settings import Setting
from bench.models.spec import ModelSpec

ENCODER = "encoder"
"""The setting that holds the encoder."""


def is_dual(encoder: EncoderSpec) -> bool:
    """Whether an encoder has text, and frames or windows, in one space; where settings decide, whether it can."""
    return TextEncoder in encoder.provides and not {FrameEncoder, ClipEncoder}.isdisjoint(encoder.provides)


def model_of(encoder: EncoderSpec) -> ModelSpec:
    """Returns the model that a dual encoder is when nothing is trained; it reads features that this encoder made."""
    return ModelSpec(
        name=encoder.name,
        summary=f"{encoder.summary}; as it is, nothing trained",
        loader="bench.models.frozen:load",
        provides=(VideoTextEncoder, ClipTextEncoder, VideoTextScorer),
        by_setting=(VideoTextEncoder, ClipTextEncoder, VideoTextScorer),
        paper=encoder.paper,
        settings={
            ENCODER: Setting(encoder.name, "itself, as bench.yaml declares it under features", kind="encoder"),
            "frames": Setting(
                "mean",
                "a video is the mean of its frames; or the best of them counts, for each text anew",
                ("mean", "max"),
            ),
            "paragraphs": Setting(
                "sentences",
                "a paragraph is the mean of its sentences; or all of it is read as one text, as far as it is read",
                ("sentences", "whole"),
            ),
        },
        reads_own=ENCODER,
    )
