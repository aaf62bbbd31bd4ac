"""What a model answers to a retrieval task: embeddings, scores of pairs, or embeddings at several fractions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bench.errors import ModelError
from bench.files import PathLike, write_tensors
from bench.predictions.checks import check_rows, check_scores
from bench.predictions.saved import Tensors, ids_in, places_of

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Embeddings(Tensors):
    """Video and paragraph embeddings of one test set.

    Attributes:
        video_ids: (n_videos,) opaque ids.
        videos: (n_videos, d) float32.
        paragraph_ids: (n_paragraphs,) opaque ids.
        paragraphs: (n_paragraphs, d) float32.
    """

    kind: ClassVar[str] = "embeddings"

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
            check_rows(model, side, ids, rows)
        if self.videos.shape[1] != self.paragraphs.shape[1]:
            raise ModelError(
                f"model {model!r} embeds videos in {self.videos.shape[1]} dimensions but paragraphs in "
                f"{self.paragraphs.shape[1]}: cosine needs one space. Fix the model's output size."
            )

    def among(self, videos: Collection[str], texts: Collection[str]) -> Embeddings:
        """Returns the embeddings of some videos and texts, in the same order."""
        rows, columns = places_of(self.paragraph_ids, texts), places_of(self.video_ids, videos)
        shown, told = tuple(self.video_ids[i] for i in columns), tuple(self.paragraph_ids[i] for i in rows)
        return Embeddings(shown, self.videos[columns], told, self.paragraphs[rows])

    def save(self, path: PathLike) -> None:
        """Writes one safetensors file; equal embeddings give equal bytes."""
        values = {"kind": self.kind, "video_ids": self.video_ids, "paragraph_ids": self.paragraph_ids}
        write_tensors(path, {"videos": self.videos, "paragraphs": self.paragraphs}, values)

    @classmethod
    def from_file(cls, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> Embeddings:
        """Returns what `save` wrote. Raises KeyError for what is lacking."""
        return cls(ids_in(values["video_ids"]), arrays["videos"], ids_in(values["paragraph_ids"]), arrays["paragraphs"])


@dataclass(frozen=True)
class PairScores(Tensors):
    """A score for every pair of a paragraph and a video of one test set.

    Attributes:
        video_ids: (n_videos,) opaque ids.
        paragraph_ids: (n_paragraphs,) opaque ids.
        scores: (n_paragraphs, n_videos) float32, higher means closer.
    """

    kind: ClassVar[str] = "pair scores"

    video_ids: tuple[str, ...]
    paragraph_ids: tuple[str, ...]
    scores: np.ndarray

    def check(self, model: str) -> None:
        """Raises ModelError unless every pair has a finite score."""
        check_scores(model, self.paragraph_ids, self.video_ids, self.scores)

    def among(self, videos: Collection[str], texts: Collection[str]) -> PairScores:
        """Returns the scores of some videos and texts with one another, in the same order."""
        rows, columns = places_of(self.paragraph_ids, texts), places_of(self.video_ids, videos)
        shown, told = tuple(self.video_ids[i] for i in columns), tuple(self.paragraph_ids[i] for i in rows)
        return PairScores(shown, told, self.scores[rows][:, columns])

    def save(self, path: PathLike) -> None:
        """Writes one safetensors file; equal scores give equal bytes."""
        values = {"kind": self.kind, "video_ids": self.video_ids, "paragraph_ids": self.paragraph_ids}
        write_tensors(path, {"scores": self.scores}, values)

    @classmethod
    def from_file(cls, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> PairScores:
        """Returns what `save` wrote. Raises KeyError for what is lacking."""
        return cls(ids_in(values["video_ids"]), ids_in(values["paragraph_ids"]), arrays["scores"])


@dataclass(frozen=True)
class EmbeddingCurve(Tensors):
    """Embeddings of one test set at several fractions of its videos, of its paragraphs, or of both.

    Attributes:
        video_ids: (n_videos,) opaque ids.
        videos: fraction kept -> (n_videos, d) float32; 1.0 alone where videos are never cut.
        paragraph_ids: (n_paragraphs,) opaque ids.
        paragraphs: fraction kept -> (n_paragraphs, d) float32; 1.0 alone where paragraphs are never cut.
    """

    kind: ClassVar[str] = "embedding curve"

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

    def among(self, videos: Collection[str], texts: Collection[str]) -> EmbeddingCurve:
        """Returns the embeddings of some videos and texts at every fraction, in the same order."""
        rows, columns = places_of(self.paragraph_ids, texts), places_of(self.video_ids, videos)
        return EmbeddingCurve(
            tuple(self.video_ids[i] for i in columns),
            {keep: vectors[columns] for keep, vectors in self.videos.items()},
            tuple(self.paragraph_ids[i] for i in rows),
            {keep: vectors[rows] for keep, vectors in self.paragraphs.items()},
        )

    def save(self, path: PathLike) -> None:
        """Writes one safetensors file; equal embeddings give equal bytes."""
        values = {"kind": self.kind, "video_ids": self.video_ids, "paragraph_ids": self.paragraph_ids}
        sides = {"videos": self.videos, "paragraphs": self.paragraphs}
        arrays = {f"{name}@{keep:.1f}": rows for name, side in sides.items() for keep, rows in side.items()}
        write_tensors(path, arrays, values)

    @classmethod
    def from_file(cls, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> EmbeddingCurve:
        """Returns what `save` wrote. Raises KeyError for what is lacking."""
        sides = (_curve(arrays, "videos"), _curve(arrays, "paragraphs"))
        return cls(ids_in(values["video_ids"]), sides[0], ids_in(values["paragraph_ids"]), sides[1])


def _curve(arrays: Mapping[str, np.ndarray], side: str) -> dict[float, np.ndarray]:
    """Returns fraction -> rows of one side. Raises KeyError without the whole one."""
    curve = {float(name.partition("@")[2]): rows for name, rows in arrays.items() if name.startswith(f"{side}@")}
    if 1.0 not in curve:
        raise KeyError(f"{side}@1.0")
    return dict(sorted(curve.items()))
