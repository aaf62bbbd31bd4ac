"""All that a model author imports, promised to stay: `from bench.api import ModelSpec, Setting, hookimpl`.

Other doors, for what a model must not see: `bench.data_api` (datasets and features), `bench.task_api` (tasks) and
`bench.board_api` (exporters). docs/public-surface.md lists all that is promised.
"""

from __future__ import annotations

from importlib import import_module
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
from bench.execution import Execution, Precision, Resources, State, Training, length_ordered
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
    Reporting,
    Setting,
    Settings,
    Spending,
    TextEncoder,
    Trainable,
    Value,
    VideoCaptioner,
    VideoClassifier,
    VideoEncoder,
    VideoTextEncoder,
    VideoTextReranker,
    VideoTextScorer,
    ZeroShotClassifier,
)
from bench.models.pictures import FramesShown, Pictures
from bench.plugins.hookspecs import API_VERSION, hookimpl
from bench.plugins.launchers import Job, JobEnd, Launcher, LauncherSpec, LaunchStart, MachineCheck
from bench.plugins.offers import ColumnSpec, ExporterSpec, FinishedRun, RunStart, Watcher, WatcherSpec
from bench.plugins.papers import Paper
from bench.predictions import Captions, ClassScores, Embeddings, PairScores
from bench.reading.word_vectors import read_word_vectors

if TYPE_CHECKING:
    from bench.endpoints import (
        Answer,
        Answerer,
        Asker,
        Prompt,
        Question,
        Sampling,
        Served,
        asker_of,
        endpoint_of,
        read_prompt,
    )
    from bench.metrics.captions.clipscore import clip_scores, ref_clip_scores
    from bench.results import Measurement, Result

__all__ = [
    "API_VERSION",
    "SCHEDULE",
    "SEARCH",
    "TEXT",
    "WORDS",
    "Answer",
    "Answerer",
    "Asker",
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
    "FramesShown",
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
    "Pictures",
    "Precision",
    "Prompt",
    "Question",
    "Ragged",
    "Reporting",
    "Resources",
    "Result",
    "RunStart",
    "Sampling",
    "SaveError",
    "Served",
    "Setting",
    "Settings",
    "Spending",
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
    "VideoTextReranker",
    "VideoTextScorer",
    "Videos",
    "View",
    "Watcher",
    "WatcherSpec",
    "ZeroShotClassifier",
    "asker_of",
    "cider",
    "clip_scores",
    "endpoint_of",
    "hookimpl",
    "length_ordered",
    "meteor",
    "read_prompt",
    "read_word_vectors",
    "ref_clip_scores",
]


LATER: dict[str, tuple[str, ...]] = {"bench.results": ("Measurement", "Result")}
LATER["bench.metrics.captions.clipscore"] = ("clip_scores", "ref_clip_scores")
LATER["bench.endpoints"] = (
    *("Answer", "Answerer", "Asker", "Prompt", "Question", "Sampling", "Served"),
    *("asker_of", "endpoint_of", "read_prompt"),
)


def __getattr__(name: str) -> Any:
    """Returns what needs more than a listing, which imports every plugin: what records are made of, asks, or counts."""
    for module, names in LATER.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
