"""Ranked lists in TREC form: a run (`query Q0 document rank score tag`) against qrels (`query 0 document relevance`).

Ranks come from the scores; ties are broken at random in expectation, and the rank column is not used. The gallery is
every document of run or qrels. A right document that a run does not list was not found: it ranks last, so a run that
was cut gives a lower bound. Queries without a right document have no rank and are left out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import InvalidData
from bench.files import digest
from bench.reading.numbers import real_in
from bench.reading.outside import read_text
from bench.results import Evidence


@dataclass(frozen=True)
class TrecScores:
    """What a run is worth.

    Attributes:
        evidence: direction t2v only, queries in the order of their ids.
        unjudged: queries of the run that have no right document in the qrels, left out.
        unanswered: queries with a right document that the run does not list at all; they count as not found.
    """

    evidence: Evidence
    unjudged: int
    unanswered: int


def score_run(run: Path, qrels: Path, task: str, split: str) -> TrecScores:
    """Returns the evidence of a run.

    Raises: MissingData, InvalidData for a line that cannot be read, a score that is NaN or infinite, a document that is
    listed twice for a query, a run without a document or without a query of the qrels, or qrels without any right
    document.
    """
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for place, (query, _, document, _, score, *_) in _lines(run, 5):
        if document in scores[query]:
            raise InvalidData(f"{place}: {document[:60]!r} is listed twice for query {query[:60]!r}.")
        scores[query][document] = _finite(place, score)
    right: dict[str, set[str]] = defaultdict(set)
    documents = {document for listed in scores.values() for document in listed}
    for place, (query, _, document, relevance, *_) in _lines(qrels, 4):
        documents.add(document)
        if _finite(place, relevance) > 0:
            right[query].add(document)
    if not right:
        raise InvalidData(f"{qrels} names no right document: nothing can be found.")
    if not scores:
        raise InvalidData(f"{run} lists no document for any query: there is nothing to score. Is it the right file?")
    if not any(query in right for query in scores):
        raise InvalidData(
            f"{run} and {qrels} have no query in common, such as {next(iter(scores))[:60]!r} of the run and "
            f"{next(iter(right))[:60]!r} of the qrels. Are the ids the same?"
        )
    queries = sorted(right)
    counts = np.array([_counts(scores.get(query, {}), right[query], len(documents)) for query in queries])
    pool = digest([task, split, sorted(documents), [[query, sorted(right[query])] for query in queries]])
    return TrecScores(
        evidence=Evidence({"t2v": counts.astype(np.uint32)}, pool, {"t2v": len(documents)}),
        unjudged=len(set(scores) - set(right)),
        unanswered=len(set(right) - set(scores)),
    )


def _counts(scores: dict[str, float], right: set[str], n_items: int) -> tuple[int, int, int]:
    """Returns wrong documents above the best right one, wrong ones equal to it, and the number of right ones."""
    best = max((scores[document] for document in right if document in scores), default=-math.inf)
    if best == -math.inf:
        return n_items - len(right), 0, len(right)
    wrong = [score for document, score in scores.items() if document not in right]
    return sum(score > best for score in wrong), sum(score == best for score in wrong), len(right)


def _lines(path: Path, least: int) -> Iterator[tuple[str, list[str]]]:
    """Yields the place and the fields of each line that is not blank."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        fields = line.split()
        if fields and len(fields) < least:
            raise InvalidData(f"{path}:{number}: {len(fields)} fields; expected at least {least}.")
        if fields:
            yield f"{path}:{number}", fields


def _finite(place: str, text: str) -> float:
    value = real_in(text)
    if value is None:
        raise InvalidData(f"{place}: {text[:40]!r} is no finite number: it cannot be ranked.")
    return value
