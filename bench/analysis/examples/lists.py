"""What a run found for each query: the lists of both directions, ranked again as its evidence says.

Without the dataset, texts and videos are called by their opaque ids, and the right answer of a query is known from its
place in the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench.annotations import RetrievalAnnotations
from bench.data.texts import texts_of
from bench.errors import InvalidData, UnsupportedTask, VerificationError
from bench.evidence.verified import Stored, verified
from bench.metrics.similarities import Scores, Similarities
from bench.predictions import Embeddings, PairScores, load_predictions
from bench.results import Evidence, Result
from bench.tasks.counting import queries_of
from bench.tasks.retrieval import ParagraphVideoRetrieval

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

Named = Mapping[str, tuple[str, tuple[str, ...]]]
"""Opaque id -> own id and sentences."""

SHOWN = 5
"""Items shown for a query, beside the right one where that is not among them."""
WAYS = ("t2v", "v2t")


@dataclass(frozen=True)
class ShownItem:
    """One video or text that was found for a query.

    Attributes:
        place: in the list of all, from 1.
        score: the cosine, or what the model said of the pair.
        name: the id of the video, or what files call the text.
        told: what people said of the video, or the text itself.
        right: whether it is a right answer.
    """

    place: int
    score: float
    name: str
    told: tuple[str, ...]
    right: bool


@dataclass(frozen=True)
class Query:
    """One query and what was found for it.

    Attributes:
        name, told: as of `ShownItem`.
        above: wrong items that score above the best right one.
        tied: wrong items that score as it does.
        shown: the best `SHOWN`, then the best right one where it is not among them.
        lost: whether no right item could be scored, because its video has no features.
    """

    name: str
    told: tuple[str, ...]
    above: int
    tied: int
    shown: tuple[ShownItem, ...]
    lost: bool

    @property
    def rank(self) -> float:
        """The expected rank of the right answer, ties broken at random, from 1."""
        return 1 + self.above + self.tied / 2.0


@dataclass(frozen=True)
class Lists:
    """The lists of one direction.

    Attributes:
        queries: opaque id -> row of `scores`; a video without features has none.
        items: opaque ids of what is ranked.
        scores: (queries, items).
        asked, ranked: opaque id -> own id and sentences, of queries and of items.
        right: the right items of each query; None without the dataset.
    """

    queries: Mapping[str, int]
    items: Sequence[str]
    scores: Scores
    asked: Named
    ranked: Named
    right: Mapping[str, frozenset[str]] | None

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return _places(self.items)

    def query(self, query: str, counts: np.ndarray) -> Query:
        """Returns a query with what was found for it; `counts` (3,) is its row of the evidence.

        The least costly order of calls is that of `queries`.
        """
        name, told = self.asked[query]
        above, tied = int(counts[0]), int(counts[1])
        if query not in self.queries:
            return Query(name, told, above, tied, (), lost=True)
        scores = self.scores.take(np.array([self.queries[query]]))[0]
        order = np.argsort(-scores, kind="stable")
        right = self._right(query, order, above, tied)
        found = np.flatnonzero(np.isin(order, list(right)))
        places = list(range(min(SHOWN, len(order))))
        places += [place for place in found[:1].tolist() if place not in places]
        shown = []
        for place in places:
            item = int(order[place])
            shown.append(ShownItem(place + 1, float(scores[item]), *self.ranked[self.items[item]], right=item in right))
        lost = not right if self.right is not None else above >= len(order)
        return Query(name, told, above, tied, tuple(shown), lost=lost)

    def _right(self, query: str, order: np.ndarray, above: int, tied: int) -> set[int]:
        """Returns the right items by column. Without the dataset the best one, where nothing ties with it."""
        if self.right is not None:
            return {self._places[item] for item in self.right[query] if item in self._places}
        return set() if tied or above >= len(order) else {int(order[above])}


@dataclass(frozen=True)
class OpenedRun:
    """A run of retrieval with the lists of both directions.

    Attributes:
        result: its record.
        evidence: what it rests on.
        asking: direction -> opaque ids of the queries, in the order of the evidence.
        lists: direction -> what was found.
    """

    result: Result
    evidence: Evidence
    asking: Mapping[str, tuple[str, ...]]
    lists: Mapping[str, Lists]

    def query(self, way: str, place: int) -> Query:
        """Returns the query at a place of a direction's evidence."""
        return self.lists[way].query(self.asking[way][place], self.evidence.counts[way][place])

    def queries(self, way: str) -> list[Query]:
        """Returns all queries of a direction, in the order of its evidence."""
        rows, asking = self.lists[way].queries, self.asking[way]
        found = {
            place: self.query(way, place)
            for place in sorted(range(len(asking)), key=lambda place: rows.get(asking[place], -1))
        }
        return [found[place] for place in range(len(asking))]


def open_run(record: Stored, task: ParagraphVideoRetrieval, dataset: Dataset) -> OpenedRun:
    """Returns a finished run with its lists.

    Raises: VerificationError when the record does not hold, or the data at hand are not those it was scored on.
    """
    result, evidence, said = _read(record)
    annotations = task.annotations(dataset, result.limit)
    if annotations.pool != evidence.pool:
        raise VerificationError(
            f"{record.folder}: the record is of another test set ({evidence.pool[:8]}…) than {dataset.name!r} at hand "
            f"({annotations.pool[:8]}…). Declare the data it was made on, or run again."
        )
    texts, videos = _names(dataset, task, result.limit)
    lists = {
        "t2v": _lists(said, "t2v", (texts, videos), _right(annotations, "t2v")),
        "v2t": _lists(said, "v2t", (videos, texts), _right(annotations, "v2t")),
    }
    return OpenedRun(result, evidence, queries_of(annotations), lists)


def open_without_texts(record: Stored) -> OpenedRun:
    """Returns a finished run with its lists under opaque ids, from evidence and predictions alone.

    Raises: VerificationError when the record does not hold; InvalidData where evidence alone does not say which query
    a row is of: several texts a video, or videos without features.
    """
    result, evidence, said = _read(record)
    texts, videos = sorted(said.paragraph_ids), sorted(said.video_ids)
    counts = [evidence.counts[way] for way in WAYS]
    whole = len(texts) == len(videos) == evidence.n_items["t2v"] == evidence.n_items["v2t"]
    if not whole or any(len(rows) != len(texts) or (rows[:, 2] != 1).any() for rows in counts):
        raise InvalidData(
            f"{record.folder}: videos with several texts, or without features, cannot be shown without their dataset. "
            "Declare it in bench.yaml, or name that bench.yaml by --config."
        )
    named: Named = {name: (name, ()) for name in (*texts, *videos)}
    lists = {way: _lists(said, way, (named, named), None) for way in WAYS}
    return OpenedRun(result, evidence, {"t2v": tuple(texts), "v2t": tuple(videos)}, lists)


def _read(record: Stored) -> tuple[Result, Evidence, Embeddings | PairScores]:
    result, evidence = record.result, verified(record).evidence
    if result.predictions is None:
        raise InvalidData(f"{record.folder} was scored from a file that is not kept: what was found cannot be shown.")
    if not set(WAYS) <= set(evidence.counts):
        raise UnsupportedTask(f"{record.folder}: task {result.task.name!r} is no retrieval. Name a run of one.")
    path = record.folder / result.predictions.file
    said = load_predictions(path, ParagraphVideoRetrieval.answers, result.predictions.kind or "")
    assert isinstance(said, Embeddings | PairScores)  # noqa: S101 (what the task answers with)
    return result, evidence, said


def _names(dataset: Dataset, task: ParagraphVideoRetrieval, limit: int | None) -> tuple[Named, Named]:
    """Returns what people call texts and videos, and what they said."""
    split, columns = task.split, dataset.columns(task.split)
    told = zip(columns["video_id"], columns["sentences"], strict=True)
    videos = {dataset.opaque(split, "video", name): (name, tuple(said)) for name, said in told}
    texts = texts_of(dataset, split, dataset.evaluated(split, limit), task.view)
    return {text.opaque: (text.name, text.sentences) for text in texts}, videos


def _lists(
    said: Embeddings | PairScores, way: str, names: tuple[Named, Named], right: Mapping[str, frozenset[str]] | None
) -> Lists:
    """Returns the lists of a direction; `names` are those of its queries and of its items."""
    ids = (said.paragraph_ids, said.video_ids) if way == "t2v" else (said.video_ids, said.paragraph_ids)
    return Lists(_places(ids[0]), ids[1], _scores(said, way), *names, right)


def _places(ids: Sequence[str]) -> dict[str, int]:
    return {name: i for i, name in enumerate(ids)}


def _right(annotations: RetrievalAnnotations, way: str) -> dict[str, frozenset[str]]:
    by_text = annotations.matching.by_text
    if way == "t2v":
        return {text: frozenset(videos) for text, videos in by_text.items()}
    texts: dict[str, set[str]] = {}
    for text, videos in by_text.items():
        for video in videos:
            texts.setdefault(video, set()).add(text)
    return {video: frozenset(right_texts) for video, right_texts in texts.items()}


def _scores(said: Embeddings | PairScores, way: str) -> Scores:
    if isinstance(said, PairScores):
        return Similarities(said.scores if way == "t2v" else said.scores.T, np.asarray, "float32")
    import torch

    from bench.metrics.cosines import Cosines

    texts, videos = torch.from_numpy(said.paragraphs), torch.from_numpy(said.videos)
    return Cosines(texts, videos) if way == "t2v" else Cosines(videos, texts)
