"""What people said of pairs of texts and videos: files of JSON Lines that the judging page writes, read without trust.

A head that says which sample was judged, then a line for each pair:

    {"schema": "bench-judgements/1", "run": …, "evidence": SHA-256, "direction": "t2v", "count": 100, "seed": 0}
    {"text": …, "video": …, "verdict": "right", "judge": "Ada", "date": "2026-11-28"}

It is a file of relevance with more to each pair than a grade: `unclear` beside right and wrong, who said so, and when.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.analysis.judging.drawing import SampleDraw
from bench.data.readers.json_files import json_lines
from bench.errors import InvalidData
from bench.reading.outside import Form, read_text, shown

SCHEMA = "bench-judgements/1"
RIGHT, WRONG, UNCLEAR = "right", "wrong", "unclear"
VERDICTS = (RIGHT, WRONG, UNCLEAR)
FORM = Form("a file of judgements", ("json", "text"), "Save it again from the judging page.")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

JudgedPair = tuple[str, str]
"""The query and the item, by what files call them."""


@dataclass(frozen=True)
class Judgements:
    """One file.

    Attributes:
        path: where it is.
        run, evidence: which run was judged.
        draw: which of its queries.
        said: judge -> pair -> verdict.
    """

    path: Path
    run: str
    evidence: str
    draw: SampleDraw
    said: Mapping[str, Mapping[JudgedPair, str]]


def read_judgements(path: Path) -> Judgements:
    """Returns what a file says. Raises: MissingData where it is not there; InvalidData for any other file."""
    lines = json_lines(path, FORM, read_text(path, FORM))
    head = lines[0][1] if lines and isinstance(lines[0][1], dict) else {}
    draw = _draw_in(head)
    if head.get("schema") != SCHEMA or draw is None:
        raise InvalidData(f"{path}: its first line is no head of {SCHEMA}. {FORM.remedy}")
    said: dict[str, dict[JudgedPair, str]] = {}
    for number, value in lines[1:]:
        text, video, verdict, judge = (_text(path, number, value, key) for key in ("text", "video", "verdict", "judge"))
        if verdict not in VERDICTS or not judge.strip() or not _DATE.fullmatch(_text(path, number, value, "date")):
            raise InvalidData(
                f"{path}:{number}: expected a verdict of {', '.join(VERDICTS)}, a judge and a date such as 2026-11-28."
            )
        pair = (text, video) if draw.direction == "t2v" else (video, text)
        if said.setdefault(judge.strip(), {}).setdefault(pair, verdict) != verdict:
            raise InvalidData(f"{path}:{number}: {shown(judge)} says two things of one pair. Leave one of the lines.")
    return Judgements(path, str(head.get("run")), str(head.get("evidence")), draw, said)


def _draw_in(head: Mapping[str, Any]) -> SampleDraw | None:
    """Returns how the sample of a file was drawn, or None where its head does not say so."""
    direction, count, seed = head.get("direction"), head.get("count"), head.get("seed")
    if direction not in ("t2v", "v2t") or not isinstance(count, int) or not isinstance(seed, int) or count < 1:
        return None
    return SampleDraw(direction, count, seed)


def _text(path: Path, number: int, value: Any, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, str):
        raise InvalidData(f"{path}:{number}: has no {key!r}. {FORM.remedy}")
    return found


def together(files: Iterable[Judgements]) -> dict[str, dict[JudgedPair, str]]:
    """Returns judge -> pair -> verdict over files. Raises: InvalidData where a judge says two things of one pair."""
    said: dict[str, dict[JudgedPair, str]] = {}
    for file in files:
        for judge, verdicts in file.said.items():
            own = said.setdefault(judge, {})
            if twice := next((pair for pair in verdicts if own.get(pair, verdicts[pair]) != verdicts[pair]), None):
                raise InvalidData(
                    f"{file.path}: {shown(judge)} says of {shown(twice[0])} and {shown(twice[1])} what another file "
                    "denies. Leave one of the files out, or give judges names of their own."
                )
            own.update(verdicts)
    return said


def agreed(said: Mapping[str, Mapping[JudgedPair, str]]) -> dict[JudgedPair, str]:
    """Returns of each pair what more than half of its judges say; `unclear` where nothing is said by so many."""
    votes: dict[JudgedPair, Counter[str]] = {}
    for verdicts in said.values():
        for pair, verdict in verdicts.items():
            votes.setdefault(pair, Counter())[verdict] += 1
    return {
        pair: next((verdict for verdict, n in counted.items() if 2 * n > counted.total()), UNCLEAR)
        for pair, counted in votes.items()
    }


def kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Returns Cohen's kappa of two judges of the same pairs; None where both said one and the same of all.

    Source: Cohen, "A Coefficient of Agreement for Nominal Scales", EPM 20 (1960).
    """
    from sklearn.metrics import cohen_kappa_score

    if not first or len({*first, *second}) == 1:
        return None
    return float(cohen_kappa_score(first, second))
