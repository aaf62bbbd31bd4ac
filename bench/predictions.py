"""What a model says, saved before it is scored: scoring starts from these files and never needs the model.

One safetensors file each; ids are opaque and the order of videos tells nothing about the order of paragraphs.
`load_predictions` reads whichever kind a file holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bench.errors import InvalidData, ModelError
from bench.files import read_tensors, write_tensors

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Embeddings:
    """Video and paragraph embeddings of one test set.

    Attributes:
        video_ids: (n_videos,) opaque ids.
        videos: (n_videos, d) float32.
        paragraph_ids: (n_paragraphs,) opaque ids.
        paragraphs: (n_paragraphs, d) float32.
    """

    video_ids: tuple[str, ...]
    videos: np.ndarray
    paragraph_ids: tuple[str, ...]
    paragraphs: np.ndarray

    def check(self, model: str) -> None:
        """Raises ModelError unless every id has a finite row, and both sides have the same dimension."""
        for side, ids, rows in (
            ("videos", self.video_ids, self.videos),
            ("paragraphs", self.paragraph_ids, self.paragraphs),
        ):
            check_rows(model, side, len(ids), rows)
        if self.videos.shape[1] != self.paragraphs.shape[1]:
            raise ModelError(
                f"model {model!r} embeds videos in {self.videos.shape[1]} dimensions but paragraphs in "
                f"{self.paragraphs.shape[1]}: cosine needs one space. Fix the model's output size."
            )

    def save(self, path: Path) -> None:
        """Writes one safetensors file; equal embeddings give equal bytes."""
        values = {"kind": "embeddings", "video_ids": self.video_ids, "paragraph_ids": self.paragraph_ids}
        write_tensors(path, {"videos": self.videos, "paragraphs": self.paragraphs}, values)

    @classmethod
    def load(cls, path: Path) -> Embeddings:
        """Reads what `save` wrote. Raises: InvalidData for any other file."""
        return _of_kind(cls, load_predictions(path), path)


@dataclass(frozen=True)
class PairScores:
    """A score for every pair of a paragraph and a video of one test set.

    Attributes:
        video_ids: (n_videos,) opaque ids.
        paragraph_ids: (n_paragraphs,) opaque ids.
        scores: (n_paragraphs, n_videos) float32, higher means closer.
    """

    video_ids: tuple[str, ...]
    paragraph_ids: tuple[str, ...]
    scores: np.ndarray

    def check(self, model: str) -> None:
        """Raises ModelError unless every pair has a finite score."""
        check_scores(model, (len(self.paragraph_ids), len(self.video_ids)), self.scores)

    def save(self, path: Path) -> None:
        """Writes one safetensors file; equal scores give equal bytes."""
        values = {"kind": "pair scores", "video_ids": self.video_ids, "paragraph_ids": self.paragraph_ids}
        write_tensors(path, {"scores": self.scores}, values)

    @classmethod
    def load(cls, path: Path) -> PairScores:
        """Reads what `save` wrote. Raises: InvalidData for any other file."""
        return _of_kind(cls, load_predictions(path), path)


@dataclass(frozen=True)
class EmbeddingCurve:
    """Embeddings of one test set at several fractions of its videos, of its paragraphs, or of both.

    Attributes:
        video_ids: (n_videos,) opaque ids.
        videos: fraction kept -> (n_videos, d) float32; 1.0 alone where videos are never cut.
        paragraph_ids: (n_paragraphs,) opaque ids.
        paragraphs: fraction kept -> (n_paragraphs, d) float32; 1.0 alone where paragraphs are never cut.
    """

    video_ids: tuple[str, ...]
    videos: Mapping[float, np.ndarray]
    paragraph_ids: tuple[str, ...]
    paragraphs: Mapping[float, np.ndarray]

    @property
    def fractions(self) -> tuple[float, ...]:
        """The fractions, the smallest first."""
        return tuple(sorted(self.videos.keys() | self.paragraphs.keys()))

    def at(self, fraction: float) -> Embeddings:
        """Returns the embeddings at one fraction; a side that is never cut is whole at each of them."""
        sides = (side[fraction if len(side) > 1 else 1.0] for side in (self.videos, self.paragraphs))
        videos, paragraphs = sides
        return Embeddings(self.video_ids, videos, self.paragraph_ids, paragraphs)

    def check(self, model: str) -> None:
        """Raises ModelError unless the embeddings at every fraction can be ranked."""
        for fraction in self.fractions:
            self.at(fraction).check(model)

    def save(self, path: Path) -> None:
        """Writes one safetensors file; equal embeddings give equal bytes."""
        values = {"kind": "embedding curve", "video_ids": self.video_ids, "paragraph_ids": self.paragraph_ids}
        sides = {"videos": self.videos, "paragraphs": self.paragraphs}
        arrays = {f"{name}@{keep:.1f}": rows for name, side in sides.items() for keep, rows in side.items()}
        write_tensors(path, arrays, values)

    @classmethod
    def load(cls, path: Path) -> EmbeddingCurve:
        """Reads what `save` wrote. Raises: InvalidData for any other file."""
        return _of_kind(cls, load_predictions(path), path)


Predictions = Embeddings | PairScores | EmbeddingCurve
"""What a model may answer to a retrieval task."""

P = TypeVar("P", Embeddings, PairScores, EmbeddingCurve)


def load_predictions(path: Path) -> Predictions:
    """Returns the predictions that `save` wrote, of any kind. Raises: InvalidData for any other file."""
    arrays, values = read_tensors(path)
    try:
        ids = {"video_ids": tuple(values["video_ids"]), "paragraph_ids": tuple(values["paragraph_ids"])}
        if values["kind"] == "embeddings":
            return Embeddings(**ids, videos=arrays["videos"], paragraphs=arrays["paragraphs"])
        if values["kind"] == "pair scores":
            return PairScores(**ids, scores=arrays["scores"])
        if values["kind"] == "embedding curve":
            return EmbeddingCurve(**ids, videos=_curve(arrays, "videos"), paragraphs=_curve(arrays, "paragraphs"))
    except KeyError as error:
        raise InvalidData(f"{path} holds no predictions: it lacks {error}. Run again.") from error
    raise InvalidData(f"{path} holds {values['kind']}, not predictions. Run again.")


def _curve(arrays: Mapping[str, np.ndarray], side: str) -> dict[float, np.ndarray]:
    """Returns fraction -> rows of one side. Raises KeyError without the whole one."""
    found = {float(name.partition("@")[2]): rows for name, rows in arrays.items() if name.startswith(f"{side}@")}
    if 1.0 not in found:
        raise KeyError(f"{side}@1.0")
    return dict(sorted(found.items()))


def _of_kind(kind: type[P], found: Predictions, path: Path) -> P:
    if not isinstance(found, kind):
        raise InvalidData(f"{path} holds {type(found).__name__}, not {kind.__name__}. Run again.")
    return found


def check_scores(model: str, expected: tuple[int, int], scores: np.ndarray) -> None:
    """Raises ModelError unless `scores` is float32, finite and of the shape `expected` (paragraphs, videos)."""
    import numpy as np

    if scores.shape != expected:
        raise ModelError(
            f"model {model!r} returned scores of shape {tuple(scores.shape)}; expected {expected}: a row for each "
            "paragraph and a column for each video. Fix the model's score method."
        )
    if scores.dtype != np.float32:
        raise ModelError(f"model {model!r} returned scores as {scores.dtype}; expected float32. Convert the output.")
    finite = np.isfinite(scores)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ModelError(
            f"model {model!r} returned NaN or infinity for {int((~finite).sum())} of {scores.size} pairs (first: "
            f"paragraph {row}, video {column}): such scores cannot be ranked. Check the training loss and the features."
        )


def check_rows(model: str, side: str, expected: int, rows: np.ndarray) -> None:
    """Raises ModelError unless `rows` is (expected, d) float32 and finite."""
    import numpy as np

    if rows.ndim != 2 or rows.shape[0] != expected:
        raise ModelError(
            f"model {model!r} returned {side} of shape {tuple(rows.shape)}; expected ({expected}, d): one row for each "
            f"of the {expected} {side}. Fix the model's embed method."
        )
    if rows.dtype != np.float32:
        raise ModelError(f"model {model!r} returned {side} as {rows.dtype}; expected float32. Convert the output.")
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if bad.size:
        raise ModelError(
            f"model {model!r} returned NaN or infinity for {bad.size} of {expected} {side} (first at row {bad[0]}): "
            "such values cannot be ranked. Check the training loss and the features."
        )
