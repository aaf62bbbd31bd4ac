"""All that a model author imports; promised to stay.

    from bench.api import ModelSpec, Setting, VideoTextEncoder, hookimpl
"""

from __future__ import annotations

from bench.errors import (
    BenchError,
    CatalogueError,
    ConfigError,
    DataError,
    Interrupted,
    InvalidData,
    MissingData,
    ModelError,
    PartialFailure,
    SaveError,
    UnknownName,
    UnsupportedTask,
    UsageError,
    VerificationError,
)
from bench.hookspecs import hookimpl
from bench.inputs import (
    DataKind,
    Execution,
    Inputs,
    Paragraph,
    Precision,
    Ragged,
    State,
    Training,
    TrainingData,
    VideoBatch,
    Videos,
    VideoSubset,
    View,
    length_ordered,
)
from bench.models import (
    ClipTextEncoder,
    ModelSpec,
    Setting,
    Settings,
    Trainable,
    Value,
    VideoEncoder,
    VideoTextEncoder,
)
from bench.predictions import Embeddings

__all__ = [
    "BenchError",
    "CatalogueError",
    "ClipTextEncoder",
    "ConfigError",
    "DataError",
    "DataKind",
    "Embeddings",
    "Execution",
    "Inputs",
    "Interrupted",
    "InvalidData",
    "MissingData",
    "ModelError",
    "ModelSpec",
    "Paragraph",
    "PartialFailure",
    "Precision",
    "Ragged",
    "SaveError",
    "Setting",
    "Settings",
    "State",
    "Trainable",
    "Training",
    "TrainingData",
    "UnknownName",
    "UnsupportedTask",
    "UsageError",
    "Value",
    "VerificationError",
    "VideoBatch",
    "VideoEncoder",
    "VideoSubset",
    "VideoTextEncoder",
    "Videos",
    "View",
    "hookimpl",
    "length_ordered",
]
