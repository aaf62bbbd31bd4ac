"""All that a model author imports, promised to stay: `from bench.api import ModelSpec, Setting, hookimpl`.

Other doors, for what a model must not see: `bench.data_api` (datasets and features), `bench.task_api` (tasks) and
`bench.board_api` (exporters). docs/public-surface.md lists all that is promised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from bench.execution import Execution, Precision, Resources, State, Training
from bench.inputs import (
    DataKind,
    Inputs,
    Paragraph,
    Ragged,
    TrainingData,
    VideoBatch,
    Videos,
    VideoSubset,
    View,
    length_ordered,
)
from bench.metrics import cider, meteor
from bench.models import (
    SCHEDULE,
    SEARCH,
    TEXT,
    WORDS,
    ClipEncoder,
    ClipTextEncoder,
    EncoderSpec,
    FlatTextEncoder,
    FrameEncoder,
    ModelSpec,
    Setting,
    Settings,
    TextEncoder,
    Trainable,
    Value,
    VideoCaptioner,
    VideoClassifier,
    VideoEncoder,
    VideoTextEncoder,
    VideoTextScorer,
)
from bench.plugins.hookspecs import API_VERSION, hookimpl
from bench.plugins.launchers import Job, JobEnd, Launcher, LauncherSpec, LaunchStart, MachineCheck
from bench.plugins.offers import ColumnSpec, ExporterSpec, FinishedRun, RunStart, Watcher, WatcherSpec
from bench.plugins.papers import Paper
from bench.predictions import Captions, ClassScores, Embeddings, PairScores
from bench.reading.word_vectors import read_word_vectors

if TYPE_CHECKING:
    from bench.results import Measurement, Result

__all__ = [
    "API_VERSION",
    "SCHEDULE",
    "SEARCH",
    "TEXT",
    "WORDS",
    "BenchError",
    "Captions",
    "CatalogueError",
    "ClassScores",
    "ClipEncoder",
    "ClipTextEncoder",
    "ColumnSpec",
    "ConfigError",
    "DataError",
    "DataKind",
    "Embeddings",
    "EncoderSpec",
    "Execution",
    "ExporterSpec",
    "FinishedRun",
    "FlatTextEncoder",
    "FrameEncoder",
    "Inputs",
    "Interrupted",
    "InvalidData",
    "Job",
    "JobEnd",
    "LaunchStart",
    "Launcher",
    "LauncherSpec",
    "MachineCheck",
    "Measurement",
    "MissingData",
    "ModelError",
    "ModelSpec",
    "PairScores",
    "Paper",
    "Paragraph",
    "PartialFailure",
    "Precision",
    "Ragged",
    "Resources",
    "Result",
    "RunStart",
    "SaveError",
    "Setting",
    "Settings",
    "State",
    "TextEncoder",
    "Trainable",
    "Training",
    "TrainingData",
    "UnknownName",
    "UnsupportedTask",
    "UsageError",
    "Value",
    "VerificationError",
    "VideoBatch",
    "VideoCaptioner",
    "VideoClassifier",
    "VideoEncoder",
    "VideoSubset",
    "VideoTextEncoder",
    "VideoTextScorer",
    "Videos",
    "View",
    "Watcher",
    "WatcherSpec",
    "cider",
    "hookimpl",
    "length_ordered",
    "meteor",
    "read_word_vectors",
]


def __getattr__(name: str) -> Any:
    """Returns what a record is made of: read when it is asked for, as every listing imports every plugin."""
    if name in ("Measurement", "Result"):
        from bench import results

        return getattr(results, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
