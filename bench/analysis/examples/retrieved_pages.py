"""A page of queries with what was found for them, as HTML with film strips and as Markdown without.

Ids and texts are untrusted: they can make no link, tag, row or heading. A film strip stands in the style sheet of the
page, once however often its video is shown.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from bench.analysis.examples.lists import Query, ShownItem
from bench.analysis.examples.pages import LONGEST, circumstances
from bench.analysis.examples.retrieved import Retrieved
from bench.evidence.kinds.wording import direction_in_words
from bench.files import write_atomically
from bench.leaderboard.pages import wording
from bench.leaderboard.pages.html import environment, integrity, text_of
from bench.leaderboard.pages.markdown import escape
from bench.reading.numbers import number_of
from bench.results import parse_signature

CAUTION = (
    "Best and worst queries show how far a model can go, not how it does; the middle shows what is usual. Queries of "
    "equal rank stand in an order that was drawn from their ids."
)
TOLD = 2
"""Captions of a video that are shown."""


def write_pages(shown: Retrieved, folder: Path, strips: Mapping[str, bytes]) -> tuple[Path, Path]:
    """Writes `<run>.examples.html` and `<run>.examples.md` into `folder`; returns their paths.

    Args:
        strips: video id -> its film strip, a JPEG; videos without one are shown by their captions alone.

    Raises: SaveError.
    """
    paths = tuple(folder / f"{shown.result.run}.examples.{kind}" for kind in ("html", "md"))
    for path, content in zip(paths, (html(shown, strips), markdown(shown)), strict=True):
        write_atomically(path, content.encode())
    return paths[0], paths[1]


def title(shown: Retrieved) -> str:
    """Returns the page's heading."""
    return f"What {shown.result.model.name} finds"


def headings(shown: Retrieved) -> dict[str, str]:
    """Returns the heading of each direction."""
    text = parse_signature(shown.result.signature).get("text", "")
    return {way: direction_in_words(way, text) for way in shown.groups}


def counts(shown: Retrieved, way: str) -> str:
    """Returns one line on all queries of a direction."""
    recall = next(
        (one for one in shown.result.measurements if one.name.endswith("R@1") and one.name.startswith(way)), None
    )
    told = f"; {recall.name} {recall.value:.1f}" if recall else ""
    return f"{number_of(shown.counts[way], 'query')}, each among {shown.sizes[way]:,}{told}."


def ranked(query: Query, size: int) -> str:
    """Returns the rank of a query's right answer in words."""
    if query.lost:
        return f"no features: counted as last of {size:,}"
    first = f"rank {query.above + 1:,}"
    return f"{first} to {query.above + 1 + query.tied:,} of {size:,}, tied" if query.tied else f"{first} of {size:,}"


def told(sentences: tuple[str, ...]) -> str:
    """Returns what is said of a video, or a text; of many sentences the first ones and how many there are."""
    if len(sentences) <= TOLD:
        return " / ".join(sentences)
    return f"{' / '.join(sentences[:TOLD])} … ({len(sentences):,} in all)"


def html(shown: Retrieved, strips: Mapping[str, bytes]) -> str:
    """Returns the queries as one self-contained HTML page."""
    numbers = {video: number for number, video in enumerate(video for video in shown.videos() if video in strips)}
    rules = [
        f".s{number} {{ background-image: url(data:image/jpeg;base64,{base64.b64encode(strips[video]).decode()}); }}"
        for video, number in numbers.items()
    ]
    further = text_of("retrieved.css") + "\n".join(rules) + "\n"
    return (
        environment()
        .get_template("retrieved.html.j2")
        .render(
            shown=shown,
            title=title(shown),
            circumstances=circumstances(shown.result),
            headings=headings(shown),
            counts=counts,
            caution=CAUTION,
            ranked=ranked,
            told=told,
            numbers=numbers,
            longest=LONGEST,
            further_style=further,
            further_hash=integrity(further),
        )
    )


def markdown(shown: Retrieved) -> str:
    """Returns the queries as a Markdown page."""
    lines = [f"# {escape(title(shown))}", "", escape(circumstances(shown.result), LONGEST), ""]
    if wording.KIND_WARNINGS[shown.result.data.kind]:
        lines += [f"> {wording.KIND_WARNINGS[shown.result.data.kind]}", ""]
    lines += [CAUTION, ""]
    for way, heading in headings(shown).items():
        lines += [f"## {heading}", "", escape(counts(shown, way), LONGEST), ""]
        for name, queries in shown.groups[way].items():
            lines += [f"### {name}", ""]
            for query in queries:
                lines += _query(query, shown.sizes[way])
    lines.append(f"Signature: <code>{escape(shown.result.signature, LONGEST)}</code>")
    return "\n".join(lines) + "\n"


def _query(query: Query, size: int) -> list[str]:
    head = f"**{escape(query.name)}**, {ranked(query, size)}: {escape(told(query.told), LONGEST)}"
    rows = ["| Place | Score | Found | |", "| ---: | ---: | --- | --- |", *(_row(item) for item in query.shown)]
    return [head, "", *(rows if query.shown else []), ""]


def _row(item: ShownItem) -> str:
    said = f"{escape(item.name)}<br><sub>{escape(told(item.told), LONGEST)}</sub>"
    return f"| {item.place:,} | {item.score:.3f} | {said} | {'right' if item.right else ''} |"
