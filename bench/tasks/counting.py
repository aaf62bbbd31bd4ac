"""From what a model said of texts and videos to evidence: how many wrong partners outrank the right one of each query.

One text for each video and one video for each text is counted in one pass over the cosines; any other matching, and
scores that a model gave pair by pair, in two passes by rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from bench.annotations import RetrievalAnnotations
from bench.errors import InvalidData, ModelError, VerificationError
from bench.matching import Matching
from bench.metrics.missing import missing_arrays
from bench.metrics.retrieval import BEST_CAPTION
from bench.metrics.right_items import owner_arrays, right_arrays
from bench.metrics.similarities import Pairs, Scores, Similarities, count_best_captions, count_ranks
from bench.predictions import Embeddings, PairScores
from bench.predictions.checks import check_directions
from bench.results import Evidence


def evidence_of(predictions: Embeddings | PairScores, annotations: RetrievalAnnotations, device: str) -> Evidence:
    """Returns the counts of every query in both directions, in the order of opaque ids.

    Where a video has several texts, they stand beside one another in the order of their videos, and v2t is counted by
    both conventions (`bench.metrics.retrieval`). Texts and videos without a right partner ask nothing; they are among
    what others are compared with.

    Raises: VerificationError when the predictions are not those of this test set; ModelError when they cannot be
    ranked.
    """
    matching = annotations.matching
    _check_ids("paragraphs", predictions.paragraph_ids, matching.texts)
    _check_ids("videos", predictions.video_ids, set(matching.videos) - annotations.missing)
    if isinstance(predictions, Embeddings):
        check_directions("text", predictions.paragraph_ids, predictions.paragraphs)
        check_directions("video", predictions.video_ids, predictions.videos)
    count = _count_pairs if matching.one_to_one and isinstance(predictions, Embeddings) else _count_all
    counts = count(predictions, annotations, device)
    sizes = {"t2v": len(matching.videos), "v2t": len(matching.texts), BEST_CAPTION: len(counts["v2t"])}
    return Evidence(
        counts={**counts, **_missing(annotations)},
        pool=annotations.pool,
        n_items={name: n for name, n in sizes.items() if name in counts},
    )


def _missing(annotations: RetrievalAnnotations) -> dict[str, np.ndarray]:
    """Returns what evidence says of missing videos: nothing where a text may have several right ones."""
    matching = annotations.matching
    if not matching.one_video_each:
        return {}
    texts_of = Counter(matching.own.values())
    return missing_arrays(annotations.absent, (texts_of[video] for video in annotations.missing))


def queries_of(annotations: RetrievalAnnotations) -> dict[str, tuple[str, ...]]:
    """Returns by direction the opaque ids of the queries, in the order of their evidence."""
    matching = annotations.matching
    asking = tuple(text for text in _texts_in_order(matching) if matching.by_text[text])
    return {"t2v": asking, "v2t": tuple(sorted({video for text in asking for video in matching.by_text[text]}))}


def _texts_in_order(matching: Matching) -> list[str]:
    beside = not matching.one_to_one and matching.one_video_each
    return sorted(matching.texts, key=lambda text: (matching.by_text[text] if beside else (), text))


def _count_all(
    predictions: Embeddings | PairScores, annotations: RetrievalAnnotations, device: str
) -> dict[str, np.ndarray]:
    """Returns by name the arrays of evidence of any matching (`bench.metrics.retrieval`)."""
    matching, missing = annotations.matching, sorted(annotations.missing)
    right, order = matching.by_text, _texts_in_order(matching)
    names = (*predictions.video_ids, *missing)
    place = {video: i for i, video in enumerate(names)}
    columns = [sorted(place[video] for video in right[text]) for text in order]
    present = [[i for i in own if i < len(predictions.video_ids)] for own in columns]
    try:
        scores = _scores(predictions, order, device)
        ranks = count_ranks(scores, Pairs.of(present))
        both = annotations.hits == "any+best-caption"
        best = count_best_captions(scores, np.array([own[0] for own in present])) if both else None
    except InvalidData as error:
        raise ModelError(f"scores that are NaN or infinite have no rank: {error}") from error
    by_text, by_video = ranks.rows, ranks.columns
    n_right = np.array([len(own) for own in columns])
    lost = by_text[:, 2] == 0  # none of its videos has features: it finds one behind all others
    by_text[lost, 0], by_text[lost, 1] = len(matching.videos) - n_right[lost], 0
    by_text[:, 2] = n_right
    texts_of = Counter(video for own in right.values() for video in own)
    behind = np.array([[len(right) - texts_of[video], 0, texts_of[video]] for video in missing], dtype=by_video.dtype)
    videos = np.concatenate([by_video, behind.reshape(-1, 3)])
    asking = sorted((i for i, video in enumerate(names) if texts_of[video]), key=lambda i: names[i])
    counts = {"t2v": by_text[n_right > 0], "v2t": videos[asking]}
    counts |= {} if best is None else {BEST_CAPTION: best[asking]}
    pairs, text_queries, video_queries = Pairs.of(columns), np.cumsum(n_right > 0) - 1, np.zeros(len(names), dtype=int)
    video_queries[asking] = np.arange(len(asking))
    there = pairs.columns < len(by_video)
    of_rows = _with_missing(ranks.row_pairs, there, pairs.rows, len(names))
    of_columns = _with_missing(ranks.column_pairs, there, pairs.columns, len(order))
    grades = _grades(matching, pairs, order, names)
    return {
        **counts,
        **right_arrays("t2v", text_queries[pairs.rows], of_rows, grades),
        **right_arrays("v2t", video_queries[pairs.columns], of_columns, grades),
        **_owners(matching, [text for text in order if right[text]]),
    }


def _with_missing(counted: np.ndarray, there: np.ndarray, places: np.ndarray, n_items: int) -> np.ndarray:
    """Returns (P, 2) items above and equal to each right one; those without features stand behind all, in any order.

    Args:
        counted: (p, 2) of the p pairs whose video is `there`.
        places: (P,) the query of each pair.
    """
    lacking = np.bincount(places[~there], minlength=int(places.max()) + 1)[places]
    whole = np.stack([n_items - lacking, lacking - 1], axis=1)
    whole[there] = counted
    return whole


def _grades(matching: Matching, pairs: Pairs, texts: Sequence[str], videos: Sequence[str]) -> np.ndarray | None:
    """Returns (P,) what each pair is worth, or None where all are worth the same."""
    if matching.grades is None:
        return None
    worth = {
        text: {matching.videos[place]: grade for place, grade in zip(places, grades, strict=True)}
        for text, places, grades in zip(matching.texts, matching.right, matching.grades, strict=True)
    }
    return np.array([worth[texts[i]][videos[j]] for i, j in zip(pairs.rows, pairs.columns, strict=True)])


def _owners(matching: Matching, asking: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns which video the texts that ask belong to, where the order of the evidence does not tell it."""
    answers = zip(matching.right, matching.asked_for, strict=True)
    if matching.one_video_each and all(places[0] == own for places, own in answers):
        return {}
    owner = dict(zip(matching.texts, matching.asked_for, strict=True))
    return owner_arrays("t2v", [place for text in asking if (place := owner[text]) is not None])


def _scores(predictions: Embeddings | PairScores, order: Sequence[str], device: str) -> Scores:
    """Returns the scores of the texts in `order` with all videos that have features."""
    place = {text: i for i, text in enumerate(predictions.paragraph_ids)}
    rows = np.array([place[text] for text in order], dtype=np.int64)
    if isinstance(predictions, PairScores):
        return Similarities(predictions.scores[rows], np.asarray, "float32")
    import torch

    from bench.metrics.cosines import Cosines

    texts, videos = torch.from_numpy(predictions.paragraphs[rows]), torch.from_numpy(predictions.videos)
    return Cosines(texts.to(device), videos.to(device))


def _count_pairs(
    predictions: Embeddings | PairScores, annotations: RetrievalAnnotations, device: str
) -> dict[str, np.ndarray]:
    """Returns the same as `_count_all` for a matching that is one to one, in one pass."""
    import torch

    from bench.metrics.ranking import rank_pairs

    assert isinstance(predictions, Embeddings)  # noqa: S101 (the caller chose by it)
    own_video = annotations.matching.own
    video_ids = (*predictions.video_ids, *sorted(annotations.missing))
    place = {video_id: i for i, video_id in enumerate(video_ids)}
    places = np.array([place[own_video[text]] for text in predictions.paragraph_ids], dtype=np.int64)
    paragraphs = torch.from_numpy(predictions.paragraphs).to(device)
    videos = torch.from_numpy(predictions.videos).to(device)
    own = torch.from_numpy(places)
    total, present = len(paragraphs), len(videos)
    if total == present:
        counts = rank_pairs(paragraphs, videos, own)
        by_paragraph, by_video = counts.queries, counts.items
    else:
        shown = own < present
        by_paragraph, by_video = (np.tile(np.array([total - 1, 0]), (total, 1)) for _ in range(2))
        asking = paragraphs[shown.to(paragraphs.device)]
        by_paragraph[shown.numpy()] = rank_pairs(asking, videos, own[shown]).queries
        # Any vector may stand in for a missing video here: what a video is compared with are the paragraphs.
        stand_ins = videos[:1].expand(total - present, -1)
        by_video[:present] = rank_pairs(paragraphs, torch.cat([videos, stand_ins]), own).items[:present]
    text_order = sorted(range(total), key=lambda i: predictions.paragraph_ids[i])
    video_order = sorted(range(total), key=lambda i: video_ids[i])
    evidence = {"t2v": _with_positives(by_paragraph[text_order]), "v2t": _with_positives(by_video[video_order])}
    return {**evidence, **_owners(annotations.matching, [predictions.paragraph_ids[i] for i in text_order])}


def _check_ids(side: str, predicted: tuple[str, ...], expected: Iterable[str]) -> None:
    """Raises VerificationError unless the predictions name each expected id once, and no other."""
    wanted = set(expected)
    if len(set(predicted)) != len(predicted) or set(predicted) != wanted:
        missing = len(wanted - set(predicted))
        raise VerificationError(
            f"the predictions hold {len(predicted)} {side}, the test set {len(wanted)}, of which {missing} are missing "
            "in the predictions: they belong to another test set. Rescore on the data of that run, or run with "
            "--no-resume."
        )


def _with_positives(counts: np.ndarray) -> np.ndarray:
    """Returns (n, 3) uint32 evidence: greater, equal, and the one positive that each query has."""
    return np.concatenate([counts, np.ones((len(counts), 1), dtype=counts.dtype)], axis=1).astype(np.uint32)
