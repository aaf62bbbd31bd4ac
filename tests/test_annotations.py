"""The size of a test is that of its videos, whatever is asked about them."""

from __future__ import annotations

from bench.annotations import RetrievalAnnotations
from bench.matching import Matching


def test_videos_are_counted_however_many_paragraphs_ask_for_them() -> None:
    assert len(RetrievalAnnotations(Matching.of({"p0": ["v0"], "p1": ["v1"], "p2": ["v0"]}), "a" * 64)) == 2
    assert len(RetrievalAnnotations(Matching.of({}), "a" * 64)) == 0
