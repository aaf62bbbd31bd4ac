"""What a model and an encoder are: light specs that plugins offer, and the protocols of what each can do.

A spec names its code as `"package.module:object"`; nothing heavy is imported until a run needs it. Models turn features
into answers; encoders turn frames and sentences into features.
"""

from bench.models.capabilities import (
    ClipTextEncoder,
    FlatTextEncoder,
    Reporting,
    Spending,
    Trainable,
    VideoCaptioner,
    VideoClassifier,
    VideoEncoder,
    VideoTextEncoder,
    VideoTextReranker,
    VideoTextScorer,
    ZeroShotClassifier,
)
from bench.models.dual_encoders import is_dual, model_of
from bench.models.encoders import ClipEncoder, EncoderSpec, FrameEncoder, TextEncoder
from bench.models.settings import SCHEDULE, SEARCH, TEXT, WORDS, Setting, Settings, Value
from bench.models.spec import Lesson, ModelSpec

__all__ = [
    "SCHEDULE",
    "SEARCH",
    "TEXT",
    "WORDS",
    "ClipEncoder",
    "ClipTextEncoder",
    "EncoderSpec",
    "FlatTextEncoder",
    "FrameEncoder",
    "Lesson",
    "ModelSpec",
    "Reporting",
    "Setting",
    "Settings",
    "Spending",
    "TextEncoder",
    "Trainable",
    "Value",
    "VideoCaptioner",
    "VideoClassifier",
    "VideoEncoder",
    "VideoTextEncoder",
    "VideoTextReranker",
    "VideoTextScorer",
    "ZeroShotClassifier",
    "is_dual",
    "model_of",
]
