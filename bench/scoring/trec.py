"""Ranked lists in TREC form: a run (`query Q0 document rank score tag`) against qrels (`query 0 document relevance`).

Ranks come from the scores; ties are broken at random in expectation, and the rank column is not used. The gallery is
every document of run or qrels. A right document that a run does not list was not found: it ranks last, so a run that
was cut gives a lower bound. Queries without a right document have no rank and are left out. Grades above 0 are right,
and what nDCG counts. A query is resampled with the first, by id, of its documents of the highest grade, so that queries
that ask for one video, such as its captions, are drawn together.
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
from bench.metrics.rank_statistics import expected_hits
from bench.metrics.right_items import best_of, owner_arrays, right_arrays
from bench.reading.numbers import number_of, real_in
from bench.reading.outside import read_text
from bench.results import Evidence

RUN = ("query", "Q0", "document", "rank", "score", "tag")
QRELS = ("query", "0", "document", "relevance")


@dataclass(frozen=True)
class TrecScores:
    """What a run is worth.

    Attributes:
        evidence: direction t2v only, queries in the order of their ids.
        unjudged: queries of the run that have no right document in the qrels, left out.
        unanswered: queries with a right document that the run does not list at all; they count as not found.
        answered: (n,) bool, which queries of the evidence the run lists.
    """

    evidence: Evidence
    unjudged: int
    unanswered: int
    answered: np.ndarray

    @property
    def remarks(self) -> tuple[str, ...]:
        """What became of queries that are lost on either side, a line each."""
        lines = []
        if self.unjudged:
            lines.append(
                number_of(
                    self.unjudged,
                    "query of the run has no right document and is left out",
                    "queries of the run have no right document and are left out",
                )
            )
        if self.unanswered:
            first = expected_hits(self.evidence.counts["t2v"], 1)
            whole, part = 100.0 * first.mean(), 100.0 * first[self.answered].mean()
            counted = number_of(
                self.unanswered, "query is not in the run and counts", "queries are not in the run and count"
            )
            lines.append(
                f"{counted} as not found, which makes R@1 {whole:.2f}; "
                f"over the queries of the run alone, as mteb takes the mean, it would be {part:.2f}"
            )
        return tuple(lines)


def score_run(run: Path, qrels: Path, task: str, split: str) -> TrecScores:
    """Returns the evidence of a run.

    Raises: MissingData, InvalidData for a line that cannot be read, a score that is NaN or infinite, a document that is
    listed or judged twice for a query, a run without a document or without a query of the qrels, or qrels without any
    right document.
    """
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for place, (query, _, document, _, score, *_) in _lines(run, RUN):
        if document in scores[query]:
            raise InvalidData(f"{place}: {document[:60]!r} is listed twice for query {query[:60]!r}.")
        scores[query][document] = _finite(place, score, query)
    right: dict[str, dict[str, float]] = defaultdict(dict)
    documents = {document for listed in scores.values() for document in listed}
    seen: set[tuple[str, str]] = set()
    for place, (query, _, document, relevance) in _lines(qrels, QRELS):
        if (query, document) in seen:
            raise InvalidData(f"{place}: {document[:60]!r} is judged twice for query {query[:60]!r}. Keep one line.")
        seen.add((query, document))
        documents.add(document)
        if (grade := _finite(place, relevance, query)) > 0:
            right[query][document] = grade
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
    answers = [sorted(right[query]) for query in queries]
    pairs = [_pairs(scores.get(query, {}), own, len(documents)) for query, own in zip(queries, answers, strict=True)]
    gains = np.array([right[query][document] for query, own in zip(queries, answers, strict=True) for document in own])
    graded = [gains.tolist()] if len(set(gains.tolist())) > 1 else []
    pool = digest([task, split, sorted(documents), [list(one) for one in zip(queries, answers, strict=True)], *graded])
    owners = [max(own, key=right[query].__getitem__) for query, own in zip(queries, answers, strict=True)]
    counts = {
        "t2v": np.array([best_of(own) for own in pairs], dtype=np.uint32),
        **right_arrays("t2v", np.repeat(np.arange(len(queries)), [*map(len, answers)]), np.concatenate(pairs), gains),
        **owner_arrays("t2v", owners),
    }
    return TrecScores(
        evidence=Evidence(counts, pool, {"t2v": len(documents)}),
        unjudged=len(set(scores) - set(right)),
        unanswered=len(set(right) - set(scores)),
        answered=np.array([query in scores for query in queries]),
    )


def _pairs(scores: dict[str, float], right: list[str], n_items: int) -> np.ndarray:
    """Returns (p, 2) documents above and equal to each right one of a query; those not listed stand behind all."""
    rising = np.sort(np.array([*scores.values()], dtype=np.float64))
    own = np.array([scores.get(document, -math.inf) for document in right])
    listed = own > -math.inf
    above = len(rising) - np.searchsorted(rising, own, side="right")
    equal = np.searchsorted(rising, own, side="right") - np.searchsorted(rising, own, side="left") - 1
    lacking = int((~listed).sum())
    return np.stack([np.where(listed, above, n_items - lacking), np.where(listed, equal, lacking - 1)], axis=1)


def _lines(path: Path, form: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Yields the place and the fields of each line that is not blank; a run's lines may lack the tag."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        fields = line.split()
        if fields and len(fields) != len(form) and (*form[: len(fields)], "tag") != form:
            raise InvalidData(
                f"{path}:{number}: {len(fields)} fields; expected {len(form)}: {' '.join(form)}. None holds a space."
            )
        if fields:
            yield f"{path}:{number}", fields


def _finite(place: str, text: str, query: str) -> float:
    value = real_in(text)
    if value is None:
        raise InvalidData(f"{place}: {text[:40]!r} is no finite number: query {query[:60]!r} cannot be ranked.")
    return value
