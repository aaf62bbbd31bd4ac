"""What a model found for a query: the best five videos or texts with their scores, for the best and worst queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.annotations import RetrievalAnnotations
from bench.data.texts import texts_of
from bench.errors import InvalidData, UsageError, VerificationError
from bench.evidence.verified import Stored, verified
from bench.metrics.similarities import Scores, Similarities
from bench.predictions import Embeddings, PairScores, load_predictions
from bench.results import Result
from bench.tasks.counting import queries_of
from bench.tasks.retrieval import ParagraphVideoRetrieval

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

_Named = Mapping[str, tuple[str, tuple[str, ...]]]
"""Opaque id -> own id and sentences."""

SHOWN = 5
"""Items shown for a query, beside the right one where that is not among them."""


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


@dataclass(frozen=True)
class Retrieved:
    """What is shown of one run of retrieval.

    Attributes:
        result: the run's record.
        sizes: direction -> how many items each query is compared with.
        counts: direction -> how many queries there are.
        groups: direction -> title -> queries.
    """

    result: Result
    sizes: Mapping[str, int]
    counts: Mapping[str, int]
    groups: Mapping[str, Mapping[str, tuple[Query, ...]]]

    def videos(self) -> list[str]:
        """Returns the ids of all videos that are shown, each once."""
        queries = [(way, query) for way, groups in self.groups.items() for group in groups.values() for query in group]
        asked = [query.name for way, query in queries if way == "v2t"]
        shown = [item.name for way, query in queries if way == "t2v" for item in query.shown]
        return list(dict.fromkeys([*asked, *shown]))


def retrieved_by(record: Stored, task: ParagraphVideoRetrieval, dataset: Dataset, count: int) -> Retrieved:
    """Returns `count` queries of each kind of a finished run in both directions, ranked as its evidence says.

    Raises: UsageError for a count below 1; VerificationError when the record does not hold, or the data at hand are
    not those it was scored on.
    """
    if count < 1:
        raise UsageError(f"--count {count}: show at least 1.")
    result, evidence = record.result, verified(record).evidence
    if result.predictions is None:
        raise InvalidData(f"{record.folder} was scored from a file that is not kept: what was found cannot be shown.")
    limit = result.limit
    annotations = task.annotations(dataset, limit)
    if annotations.pool != evidence.pool:
        raise VerificationError(
            f"{record.folder}: the record is of another test set ({evidence.pool[:8]}…) than {dataset.name!r} at hand "
            f"({annotations.pool[:8]}…). Declare the data it was made on, or run again."
        )
    said = load_predictions(record.folder / result.predictions.file, task.answers, result.predictions.kind or "")
    assert isinstance(said, Embeddings | PairScores)  # noqa: S101 (what the task answers with)
    asking, names = queries_of(annotations), _names(dataset, task, limit)
    groups = {}
    for way in ("t2v", "v2t"):
        chosen = _chosen(evidence.counts[way], asking[way], count)
        lists = _lists(said, annotations, names, way)
        groups[way] = {
            title: tuple(lists.query(asking[way][place], evidence.counts[way][place]) for place in places)
            for title, places in chosen.items()
        }
    counts = {way: len(asking[way]) for way in groups}
    return Retrieved(result, {way: evidence.n_items[way] for way in groups}, counts, groups)


def _chosen(counts: np.ndarray, ids: Sequence[str], count: int) -> dict[str, list[int]]:
    """Returns title -> rows of (n, 3) evidence; rows of equal rank stand in the order of their opaque ids."""
    ranks = (counts[:, 0] + counts[:, 1] / 2.0).tolist()
    order = sorted(range(len(ranks)), key=lambda row: (ranks[row], ids[row]))
    middle = max(0, (len(order) - count) // 2)
    return {"Best": order[:count], "In the middle": order[middle : middle + count], "Worst": order[-count:][::-1]}


def _names(dataset: Dataset, task: ParagraphVideoRetrieval, limit: int | None) -> tuple[_Named, _Named]:
    """Returns what people call texts and videos, and what they said."""
    split, columns = task.split, dataset.columns(task.split)
    told = zip(columns["video_id"], columns["sentences"], strict=True)
    videos = {dataset.opaque(split, "video", name): (name, tuple(said)) for name, said in told}
    texts = texts_of(dataset, split, dataset.evaluated(split, limit), task.view)
    return {text.opaque: (text.name, text.sentences) for text in texts}, videos


@dataclass(frozen=True)
class _Lists:
    """The lists of one direction.

    Attributes:
        queries: opaque id -> row of `scores`; a video without features has none.
        items: opaque ids of what is ranked.
        scores: (queries, items).
        asked, ranked: opaque id -> own id and sentences, of queries and of items.
        right: the right items of each query.
    """

    queries: Mapping[str, int]
    items: Sequence[str]
    scores: Scores
    asked: _Named
    ranked: _Named
    right: Mapping[str, frozenset[str]]

    def query(self, query: str, counts: np.ndarray) -> Query:
        """Returns a query with what was found for it; `counts` (3,) is its row of the evidence."""
        name, told = self.asked[query]
        above, tied = int(counts[0]), int(counts[1])
        if query not in self.queries:
            return Query(name, told, above, tied, (), lost=True)
        scores = self.scores.take(np.array([self.queries[query]]))[0]
        order = np.argsort(-scores, kind="stable").tolist()
        right = [place for place, item in enumerate(order) if self.items[item] in self.right[query]]
        places = list(range(min(SHOWN, len(order))))
        places += [place for place in right[:1] if place not in places]
        shown = []
        for place in places:
            item = self.items[order[place]]
            score = float(scores[order[place]])
            shown.append(ShownItem(place + 1, score, *self.ranked[item], right=item in self.right[query]))
        return Query(name, told, above, tied, tuple(shown), lost=not right)


def _lists(
    said: Embeddings | PairScores, annotations: RetrievalAnnotations, names: tuple[_Named, _Named], way: str
) -> _Lists:
    """Returns the lists of a direction; `names` are those of texts and of videos."""
    right = _right(annotations, way)
    texts, videos = names
    if way == "t2v":
        return _Lists(_places(said.paragraph_ids), said.video_ids, _scores(said, way), texts, videos, right)
    return _Lists(_places(said.video_ids), said.paragraph_ids, _scores(said, way), videos, texts, right)


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
