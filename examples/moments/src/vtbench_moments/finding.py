"""What a model must be able to do to take part: find the span of a sentence in its video."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bench.api import VideoBatch

if TYPE_CHECKING:
    from torch import Tensor

PARTS = 8
"""Equal parts that a video is divided into for models without a search of their own; a window is a run of them: 36."""


@runtime_checkable
class MomentFinder(Protocol):
    """Finds a moment. Models that provide `bench.api.ClipTextEncoder` need not: windows are slid for them."""

    def find(self, videos: VideoBatch, sentences: Sequence[str]) -> Tensor:
        """Returns (B, 2) float32: start and end in seconds of what sentence i says of entry i of the batch.

        A video stands there once for each sentence, under the same id. An answer depends on its own entry alone.
        """
