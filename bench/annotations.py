"""What only scoring sees: which paragraph belongs to which video. Model plugins never import this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RetrievalAnnotations:
    """The matching of a paragraph-video retrieval test, in opaque ids.

    Attributes:
        matches: the video of each paragraph; one to one.
        pool: SHA-256 of the test set: its video ids with their paragraphs. Equal pools, equal tests.
        missing: videos that have no features and count as never found; they and their paragraphs are in `matches`.
    """

    matches: Mapping[str, str]
    pool: str
    missing: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.matches)
