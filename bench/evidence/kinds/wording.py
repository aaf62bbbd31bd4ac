"""Words for measurements: columns, directions of retrieval and counts, the same on terminal and pages."""

from __future__ import annotations

from bench.metrics.names import parse_name
from bench.results import Result

TEXTS = {"caption": "caption", "captions-together": "captions together", "query": "query"}
"""What a signature calls one text, in words; a paragraph where it says nothing else."""


def direction_in_words(direction: str, text: str) -> str:
    """Returns a direction of retrieval: 'Paragraph → video', or 'Caption → video' where `text` is `caption`."""
    asked = TEXTS.get(text, "paragraph")
    words = {"t2v": f"{asked} → video", "v2t": f"video → {asked}"}.get(direction, direction)
    return words[:1].upper() + words[1:]


def plain_head(name: str) -> tuple[str, str]:
    """Returns the group of a table's column and what it is called there, by the last slash of its name."""
    group, slash, rest = name.rpartition("/")
    return (group.replace("_", " "), rest) if slash else ("", name)


def head_of(name: str, text: str = "") -> tuple[str, str]:
    """Returns the same for a name of retrieval; the points of a curve and the area under it are a group."""
    parsed = parse_name(name)
    if parsed is None:
        return plain_head(name)
    direction = direction_in_words(parsed.direction, text)
    if not parsed.of_curve:
        return direction, parsed.metric
    return f"{direction}, {parsed.metric}", "area" if parsed.keep is None else f"{100 * parsed.keep:.0f} %"


def tested_by_queries(result: Result) -> str:
    """Returns how large a test was that asks: `100 videos, 4,087 queries`; the videos alone where each asks once."""
    items = "documents" if "|source=trec|" in result.signature else "videos"
    words, queries = f"{result.data.n_evaluated:,} {items}", result[result.primary].n
    asked = "captions" if "|text=caption|" in result.signature else "queries"
    return words if queries == result.data.n_evaluated else f"{words}, {queries:,} {asked}"
