"""What a model answers to an action recognition task: a score for every class."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bench.errors import ModelError
from bench.files import PathLike, write_tensors
from bench.predictions.checks import check_rows
from bench.predictions.saved import Tensors, ids_in, places_of

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class ClassScores(Tensors):
    """A score for every class for each video of one test set.

    Attributes:
        video_ids: (n,) opaque ids.
        scores: (n, classes) float32, higher means likelier.
        class_names: names of the classes.
    """

    kind: ClassVar[str] = "class scores"

    video_ids: tuple[str, ...]
    scores: np.ndarray
    class_names: tuple[str, ...]

    def check(self, model: str) -> None:
        """Raises ModelError unless every video has a finite float32 score for every class."""
        import numpy as np

        expected = (len(self.video_ids), len(self.class_names))
        if self.scores.shape != expected:
            raise ModelError(
                f"model {model!r} returned class scores of shape {tuple(self.scores.shape)}; expected {expected}: a "
                "row for each video and a column for each class. Fix the model's classify method."
            )
        if self.scores.dtype != np.float32:
            raise ModelError(f"model {model!r} returned class scores as {self.scores.dtype}; expected float32.")
        check_rows(model, "videos", self.video_ids, self.scores)

    def among(self, videos: Collection[str], texts: Collection[str] = ()) -> ClassScores:
        """Returns the scores of some videos, in the same order."""
        places = places_of(self.video_ids, videos)
        return ClassScores(tuple(self.video_ids[i] for i in places), self.scores[places], self.class_names)

    def save(self, path: PathLike) -> None:
        """Writes one safetensors file; equal scores give equal bytes."""
        values = {"kind": self.kind, "video_ids": self.video_ids, "class_names": self.class_names}
        write_tensors(path, {"scores": self.scores}, values)

    @classmethod
    def from_file(cls, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> ClassScores:
        """Returns what `save` wrote. Raises KeyError for what is lacking."""
        return cls(ids_in(values["video_ids"]), arrays["scores"], ids_in(values["class_names"]))
