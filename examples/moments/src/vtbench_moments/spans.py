"""What a model answers to moment retrieval: a span for each sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bench.api import ModelError
from bench.task_api import Tensors, write_tensors

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Spans(Tensors):
    """A span for each sentence of the videos of one test set.

    Attributes:
        video_ids: (n,) opaque ids.
        counts: (n,) how many sentences each video has.
        spans: (sum of `counts`, 2) float32: start and end in seconds of each sentence, in the order of the annotations.
    """

    kind: ClassVar[str] = "spans"

    video_ids: tuple[str, ...]
    counts: tuple[int, ...]
    spans: np.ndarray

    def check(self, model: str) -> None:
        """Raises ModelError unless every sentence has a finite span that does not end before it starts."""
        import numpy as np

        expected = (sum(self.counts), 2)
        if self.spans.shape != expected or self.spans.dtype != np.float32:
            raise ModelError(
                f"model {model!r} returned spans as {self.spans.dtype} {self.spans.shape}; expected float32 "
                f"{expected}: start and end for each sentence. Fix the model's find method."
            )
        bad = np.flatnonzero(~(np.isfinite(self.spans).all(axis=1) & (self.spans[:, 0] <= self.spans[:, 1])))
        if bad.size:
            start, end = self.spans[bad[0]]
            raise ModelError(
                f"model {model!r} returned {bad.size} of {expected[0]} spans that are none (first: {start} to {end} "
                "seconds). Fix the model's find method."
            )

    def save(self, path: Any) -> None:
        """Writes one safetensors file; equal spans give equal bytes."""
        write_tensors(path, {"spans": self.spans}, {"kind": self.kind, "ids": self.video_ids, "counts": self.counts})

    @classmethod
    def from_file(cls, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> Spans:
        """Returns what `save` wrote. Raises KeyError for what is lacking."""
        return cls(tuple(values["ids"]), tuple(values["counts"]), arrays["spans"])

    def by_video(self) -> dict[str, np.ndarray]:
        """Returns the spans of each video, (sentences, 2)."""
        import numpy as np

        parts = np.split(self.spans, np.cumsum(self.counts)[:-1])
        return dict(zip(self.video_ids, parts, strict=True))
