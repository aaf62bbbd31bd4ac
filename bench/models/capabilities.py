"""What a model can do: one protocol for each capability, which a spec names and a task asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from bench.execution import State, Training
from bench.inputs import Paragraph, Ragged, TrainingData, VideoBatch

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


@runtime_checkable
class VideoEncoder(Protocol):
    """Turns videos into vectors."""

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, d) float32 on the model's device, finite; need not be normalised."""


@runtime_checkable
class VideoTextEncoder(VideoEncoder, Protocol):
    """Turns videos and paragraphs into vectors of one space, compared by cosine."""

    def embed_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Tensor:
        """Returns (n, d) float32 on the model's device, finite; need not be normalised."""


@runtime_checkable
class VideoTextScorer(Protocol):
    """Scores pairs of a video and a paragraph, for models that compare them by more than a cosine.

    Each side is encoded once, in the tiles in which `score` will meet it again; what an encoded tile is, only the model
    knows. The score of a pair depends on that pair alone, not on what else is in the tile.
    """

    def encode_videos(self, videos: VideoBatch) -> Any:
        """Returns a tile of videos, encoded; it is handed to `score` as it is."""

    def encode_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Any:
        """Returns a tile of paragraphs, encoded; it is handed to `score` as it is."""

    def score(self, videos: Any, paragraphs: Any) -> Tensor:
        """Returns (paragraphs of the tile, videos of the tile) float32, finite; higher means closer."""


@runtime_checkable
class VideoCaptioner(Protocol):
    """Describes segments of videos in words."""

    def caption(self, videos: VideoBatch) -> list[Paragraph]:
        """Returns B paragraphs: one sentence for each segment of a video, in the order of its segments."""


@runtime_checkable
class VideoClassifier(Protocol):
    """Scores the classes it was trained on (`TrainingData.class_names`)."""

    def classify(self, videos: VideoBatch) -> Tensor:
        """Returns (B, classes) float32 on the model's device, finite; higher means likelier."""


@runtime_checkable
class VideoTextReranker(VideoTextScorer, Protocol):
    """Scores pairs that another model ranked first, and no others.

    Attributes:
        best: how many videos of each paragraph's list are scored; 0 where there is no list and all pairs are scored.
    """

    best: int

    def listed(self, paragraph_ids: Sequence[str], video_ids: Sequence[str]) -> np.ndarray:
        """Returns (n, m) float32, the other model's scores. Raises: DataError for a list of another test set."""

    def score_listed(self, videos: Any, paragraphs: Any, asked: np.ndarray) -> Tensor:
        """Returns (paragraphs, videos) float32 as `score` does, from -50 to 50; only `asked` (bool) pairs count."""


@runtime_checkable
class ZeroShotClassifier(Protocol):
    """Scores classes that it is told by name, without having learnt any."""

    def choose(self, videos: VideoBatch, options: Sequence[str]) -> Tensor:
        """Returns (B, options) float32, finite; higher means likelier."""


@runtime_checkable
class Reporting(Protocol):
    """A model that has something to say beside its score, such as how many of its answers were refused."""

    def remarks(self) -> tuple[str, ...]:
        """Returns a few lines on what it predicted; they stand in the log and in the record."""


@runtime_checkable
class Spending(Protocol):
    """A model whose answers are counted and paid for, such as one behind an endpoint."""

    def spent(self) -> Mapping[str, float]:
        """Returns tokens_in and tokens_out of a run, whole numbers, and its cost where prices are known."""


@runtime_checkable
class ClipTextEncoder(Protocol):
    """Turns clips and sentences into vectors of one space."""

    def embed_clips(self, videos: VideoBatch) -> Ragged:
        """Returns B sequences of (segments, d)."""

    def embed_sentences(self, paragraphs: Sequence[Paragraph]) -> Ragged:
        """Returns n sequences of (sentences, d)."""


@runtime_checkable
class FlatTextEncoder(Protocol):
    """Turns whole videos and paragraphs into vectors of one space in one go, past the hierarchy that it has beside."""

    def embed_flat_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, d) float32 on the model's device, finite; need not be normalised."""

    def embed_flat_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Tensor:
        """Returns (n, d) float32 on the model's device, finite; need not be normalised."""


@runtime_checkable
class Trainable(Protocol):
    """Learns from training data; its state can be saved and restored."""

    def fit(self, data: TrainingData, training: Training) -> None:
        """Trains from scratch, or goes on from `training.resume()`."""

    def state(self) -> State:
        """Returns everything `load_state` needs to restore the fitted model exactly."""

    def load_state(self, state: State) -> None:
        """Restores a fitted model; afterwards it predicts what the saved one predicted."""
