"""The words and numbers of a board, the same in Markdown and in HTML. Values are rounded here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from bench.leaderboard.board import Cell, Column, Row, Table
from bench.metrics.statistics import FEWEST, TOO_FEW

KIND_TITLES = {
    "real": "Real data",
    "simulated": "Simulated features",
    "generated": "Generated sample",
}
KIND_WARNINGS = {
    "real": "",
    "simulated": "Real annotations, but frame features generated from the text they belong to. "
    "These numbers test the protocol; they say nothing about the paper.",
    "generated": "Videos and texts are generated. These numbers show that the machinery separates models; "
    "they say nothing about the paper.",
}
CUTS = {"video": "incomplete videos", "text": "incomplete paragraphs", "both": "incomplete videos and paragraphs"}
ORDERS = {"prefix": "first parts kept", "random": "random parts kept"}
PROTOCOLS = {
    "corpus": "scored as one corpus",
    "densevid": "scored by densevid",
    "paragraph": "scored as paragraphs",
}
SOURCES = {"similarity": "similarity matrix", "trec": "ranked list", "captions": "file of captions"}
STATUS_WORDS = {
    "reproduced": "The recorded command was run again here, with the same outcome.",
    "rescored": "Every number was computed again here from what the model said: embeddings, captions or scores.",
    "consistent": "Only evidence is stored: the numbers follow from it and keep every invariant. None was re-scored.",
    "published": "Copied from a paper; there is no record to check.",
}
UNKNOWN = "–"
LONGEST = 160
LONGEST_SIGNATURE = 600
LONGEST_REMARK = 300
_DIGEST = re.compile(r"(@sha256:[0-9a-f]{8})[0-9a-f]{56}\b")


def plain(text: str, longest: int = LONGEST) -> str:
    """Returns untrusted text on one line, without control, bidirectional or invisible characters, and not too long."""
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def segments_in_words(segments: str) -> str:
    """Returns a segment source as a heading: `uniform-4` is '4 equal windows'."""
    kind, _, count = segments.partition("-")
    if kind == "uniform":
        return f"{count} equal windows"
    return {"gt": "Ground-truth segments", "none": "Whole videos, no segments", "": "All"}.get(kind, segments)


def title(table: Table) -> str:
    """Returns what tells a table from the others of its section."""
    if "source" in table.parts:
        after = f", after {table.parts['transform']}" if "transform" in table.parts else ""
        return f"Computed elsewhere, scored from a {SOURCES.get(table.parts['source'], 'file')}{after}"
    told = [segments_in_words(table.parts.get("segments", ""))]
    told += [words(table.parts[name]) for name, words in _TELLING.items() if name in table.parts]
    return ", ".join(part for part in told if part)


def _level_in_words(level: str) -> str:
    compared = {"video": "whole videos", "flat": "flat embeddings", "clips": "clips"}
    return f"{compared.get(level, level)} compared"


def _prompts_in_words(template: str) -> str:
    kind, _, count = template.partition("-")
    if kind == "ensemble":
        return f"an ensemble of {count} prompts"
    return "class names as they are" if template == "name" else f"prompt {template.replace('_', ' ')}"


def _classes_in_words(classes: str) -> str:
    return "" if classes == "all" else f"classes {classes}"


def _shots_in_words(shots: str) -> str:
    return f"learned from {'all training videos' if shots == 'all' else f'{shots} training videos a class'}"


def _texts_in_words(text: str) -> str:
    asked = {"caption": "every caption asked by itself", "captions-together": "captions asked together"}
    return {**asked, "query": "asked with queries of its own"}.get(text, "")


_TELLING: dict[str, Callable[[str], str]] = {
    "text": _texts_in_words,
    "pairing": lambda pairing: "asked inside the video of each text" if pairing == "given" else f"pairing {pairing}",
    "protocol": lambda protocol: PROTOCOLS.get(protocol, protocol),
    "cut": lambda cut: CUTS.get(cut, cut),
    "order": lambda order: ORDERS.get(order, order),
    "level": _level_in_words,
    "template": _prompts_in_words,
    "classes": _classes_in_words,
    "shots": _shots_in_words,
}
"""Parts of a signature that tell tables of one task from each other, in the order of a heading, and their words."""


def circumstances(table: Table) -> str:
    """Returns one line on the data behind a table."""
    seen = features(table)
    parts = [table.label, f"split {table.parts['split']}", table.tested, seen and f"features {seen}"]
    if "protocol" in table.parts:
        parts += [f"{what} {table.parts[what]}" for what in ("references", "tokens") if what in table.parts]
        parts.append("without METEOR" if table.parts.get("meteor") == "none" else "")
    return " · ".join(part for part in parts if part)


def features(table: Table) -> str:
    """Returns the name of the features that a table's models saw, or nothing."""
    return table.parts.get("features", "").partition(":")[0]


def signed(value: float) -> str:
    """Returns a difference with its sign."""
    return f"{value:+.1f}".replace("-", "\u2212")


def signed_interval(ci95: tuple[float, float] | None, sign: int) -> str:
    """Returns the interval of a difference, or of its negative for `sign` -1; nothing where there is none."""
    if ci95 is None:
        return ""
    low, high = sorted(sign * end for end in ci95)
    return f"{signed(low)} to {signed(high)}"


def heads(table: Table) -> list[tuple[str, list[str]]]:
    """Returns the two levels of a table's head: groups of neighbouring columns, and the names below each."""
    text = table.parts.get("text", "")
    return grouped(table.columns, lambda name: table.kind.head(name, text))


def grouped(columns: Iterable[Column], head: Callable[[str], tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Returns groups of neighbouring columns and the names below each; `head` gives both for a measurement."""
    groups: list[tuple[str, list[str]]] = []
    for column in columns:
        group, name = head(column.name)
        if not groups or groups[-1][0] != group:
            groups.append((group, []))
        groups[-1][1].append(name + (" ↓" if column.higher_is_better is False else ""))
    return groups


def decimals(table: Table) -> list[int]:
    """Returns how many decimals each column shows: none for ranks that are whole numbers in every row."""
    shown = []
    for i, column in enumerate(table.columns):
        means = [cell.mean for row in table.rows if (cell := row.cells[i]) is not None]
        shown.append(0 if column.unit == "rank" and all(mean == int(mean) for mean in means) else 1)
    return shown


def value(cell: Cell | None, places: int) -> str:
    """Returns the number a cell shows."""
    return UNKNOWN if cell is None else f"{cell.mean:,.{places}f}"


def spread(cell: Cell | None) -> str:
    """Returns the standard deviation over seeds, or nothing for a single seed."""
    if cell is None or cell.std is None:
        return ""
    return f"±{cell.std:,.1f}" if cell.std else "±0"


def bounds(cell: Cell | None, places: int) -> str:
    """Returns the 95 % interval, or nothing where none is known."""
    return "" if cell is None or cell.ci95 is None else f"{cell.ci95[0]:,.{places}f}\u2013{cell.ci95[1]:,.{places}f}"


def remarks(row: Row) -> str:
    """Returns what tells a row from others of its model, digests of weights by their first digits."""
    return ", ".join(map(shortened, row.remarks))


def shortened(remark: str) -> str:
    """Returns a remark with the first digits of each digest in it."""
    return _DIGEST.sub(r"\1", remark)


def seeds(row: Row) -> str:
    """Returns the number of seeds."""
    return str(len(row.seeds))


def tier(row: Row) -> str:
    """Returns the number of the row's tier."""
    return UNKNOWN if row.tier is None else str(row.tier)


def opens_tier(table: Table, place: int) -> bool:
    """Returns whether the row at `place` differs significantly from the first of the tier above it."""
    return place > 0 and table.rows[place].tier != table.rows[place - 1].tier


def footnotes(table: Table, *, bars: bool = True) -> list[str]:
    """Returns what a reader has to know about the rows of a table; `bars` where intervals are drawn as bars."""
    notes = []
    if any(row.from_segments for row in table.rows):
        notes.append("† looks at whole videos only: its predictions are the same under every segment source.")
    if any(row.control for row in table.rows):
        notes.append("Shaded rows are controls: the floor that a model has to beat.")
    if any(len(row.seeds) > 1 for row in table.rows):
        notes.append(
            "Several seeds: mean ± standard deviation over seeds, which is the spread of training. The interval is the "
            "mean of theirs and the spread of test videos; neither contains the other."
        )
    if any(cell and cell.ci95 for row in table.rows for cell in row.cells):
        shown = "Bar below a number, on a scale from 0" if bars else "Below each number"
        notes.append(f"{shown}: its 95 % interval by resampling videos.")
    if table.n < FEWEST:
        notes.append(TOO_FEW)
    if any(row.tier is not None for row in table.rows) and len(table.rows) > 1:
        notes.append(
            f"Tier: a row opens a new one where its {plain(table.primary)} differs significantly (5 %) from the first "
            "row of the tier above: paired test over test videos, seeds averaged, Holm's correction over all rows "
            "below that first row. Rows of one tier are not shown to be equal, only not told apart. Below "
            "it: the ranks that the row may have with 95 %, from its tests against all other rows."
        )
    if "cut" in table.parts:
        notes.append("20 % to 100 %: the share of clips or sentences that is kept. Area: under the curve, as a mean.")
    if any(column.higher_is_better is False for column in table.columns):
        notes.append("↓ less is better.")
    if neither := [plain(column.name) for column in table.columns if column.higher_is_better is None]:
        notes.append(f"Neither more nor less is better, and none is marked as best: {', '.join(neither)}.")
    notes += [f"{UNKNOWN} {plain(reason)}" for reason in table.certain]
    return notes
