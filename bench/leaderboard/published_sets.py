"""Published figures by the test set they were measured on: those of a set that is asked here first, others apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.data.sets.named import NamedSet, all_sets
from bench.leaderboard.board import Board
from bench.leaderboard.published import PublishedTable

UNSTATED = "It cannot be said which test set these were measured on, so they compare with nothing here. Each says why."


@dataclass(frozen=True)
class MeasuredOn:
    """Published tables of one test set.

    Attributes:
        set: its name; "" where it cannot be said.
        apart: whether the rows measured here ask another set.
        told: what the set is, or what sets it apart.
        text: what one text of it is, as a signature says it; "" for a paragraph.
    """

    set: str
    apart: bool
    told: tuple[str, ...]
    text: str
    tables: tuple[PublishedTable, ...]


def asked_sets(board: Board) -> tuple[str, ...]:
    """Returns the named sets that the measured tables of a board ask, in their order: a set asked is its own split."""
    splits = (table.parts.get("split", "") for table in board.tables)
    return tuple(dict.fromkeys(split for split in splits if ":" in split))


def by_set(board: Board) -> tuple[MeasuredOn, ...]:
    """Returns the published tables of a board by their set: those asked here, the others, those without one."""
    tables = board.published.tables if board.published else []
    known, asked = all_sets(), asked_sets(board)
    named = list(dict.fromkeys(table.set for table in tables if table.set is not None))
    captions = any(known[name].unit == "caption" for name in named)
    first = [name for name in asked if name in named]
    groups = [
        MeasuredOn(
            set=name,
            apart=bool(asked) and name not in asked,
            told=_told(known[name], [] if name in asked else [known[one] for one in asked if one in known]),
            text="caption" if known[name].unit == "caption" else "",
            tables=tuple(table for table in tables if table.set == name),
        )
        for name in dict.fromkeys([*first, *named])
    ]
    rest = tuple(table for table in tables if table.set is None)
    stated = bool(named or asked)
    unstated = MeasuredOn("", stated, (UNSTATED,) if stated else (), "caption" if captions else "", rest)
    return (*groups, *([unstated] if rest else []))


def _told(one: NamedSet, asked: Sequence[NamedSet]) -> tuple[str, ...]:
    """Returns what a set is, or for each asked set what sets this one apart from it."""
    return tuple(_difference(one, other) for other in asked) or (
        f"{one.videos:,} videos, {_queries(one)}; captions: {one.captions}. Videos: {one.rule}.",
    )


def _difference(one: NamedSet, other: NamedSet) -> str:
    told = []
    if one.videos != other.videos:
        told.append(f"{one.videos:,} videos ({other.videos:,} there)")
    if _queries(one) != _queries(other):
        told.append(f"{_queries(one)} ({_queries(other)} there)")
    if one.captions != other.captions:
        told.append(f"captions: {one.captions} ({other.captions} there)")
    if one.list_ships and other.list_ships:
        told.append(f"{len({*one.ids()} & {*other.ids()}):,} videos are in both")
    return f"Another set than {other.name}: {'; '.join([*told, f'videos: {one.rule}'])}."


def _queries(one: NamedSet) -> str:
    asks = {"caption": "captions", "paragraph": "paragraphs"}.get(one.unit, "queries")
    return f"{one.queries:,} {asks}" if one.queries else f"number of {asks} not known"
