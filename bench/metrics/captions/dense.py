"""`densevid`: which prediction is compared with which reference at each threshold of temporal IoU.

Source: densevid_eval by Krishna et al. (2017); its random strings are drawn anew in every run, ours are fixed.

Letters for shapes: `V` videos, `T` thresholds, `q` distinct pairs of sentences, `m` memberships of a pair in a corpus.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.errors import InvalidData
from bench.metrics.captions.items import TIOUS, Rules, Sentence, VideoCaptions
from bench.metrics.captions.soda import Telling

MOST_PREDICTIONS = 1000
"""Predictions of a video that are looked at, as in densevid_eval."""


@dataclass(frozen=True)
class DensePairs:
    """The pairs of each video at each threshold; those of one video at one threshold are a corpus.

    Attributes:
        captions, references: (q,) sentences in ASCII.
        pair: (m,) int64, which pair.
        corpus: (m,) int64, rising: video * T + threshold.
        stories: of each video one for each annotation, for SODA_c; none without METEOR.
        only_told: how many pairs, the last ones, occur in stories alone.
    """

    captions: tuple[str, ...]
    references: tuple[str, ...]
    pair: np.ndarray
    corpus: np.ndarray
    stories: tuple[tuple[Telling, ...], ...]
    only_told: int


def dense_pairs(videos: Sequence[VideoCaptions], rules: Rules) -> DensePairs:
    """Returns the pairs of videos that all count. Raises: InvalidData for a sentence without times."""
    numbers: dict[tuple[str, str], int] = {}
    members: list[int] = []
    sizes = np.zeros((len(videos), len(TIOUS)), dtype=np.int64)
    for row, video in enumerate(videos):
        predicted = (video.predicted or ())[:MOST_PREDICTIONS]
        references = [sentence for annotation in video.references for sentence in annotation]
        overlap = tious(_times(video, predicted), _times(video, references))
        mine, theirs = [_ascii(s.text) for s in predicted], [_ascii(s.text) for s in references]
        for column, threshold in enumerate(TIOUS):
            close = overlap >= threshold
            pairs = [(mine[i], theirs[j]) for i, j in np.argwhere(close).tolist()]
            if rules.unmatched == "random-string":
                alone = np.flatnonzero(~close.any(axis=1)).tolist()
                pairs += [(mine[i], random_string(video.video, mine[i])) for i in alone]
            members += [numbers.setdefault(pair, len(numbers)) for pair in pairs]
            sizes[row, column] = len(pairs)
    compared = len(numbers)
    stories = () if rules.meteor == "none" else tuple(_stories(video, numbers) for video in videos)
    return DensePairs(
        captions=tuple(caption for caption, _ in numbers),
        references=tuple(reference for _, reference in numbers),
        pair=np.array(members, dtype=np.int64),
        corpus=np.repeat(np.arange(sizes.size), sizes.ravel()),
        stories=stories,
        only_told=len(numbers) - compared,
    )


def _stories(video: VideoCaptions, numbers: dict[tuple[str, str], int]) -> tuple[Telling, ...]:
    """Returns a story for each annotation; pairs of sentences that overlap in time are numbered if they are new.

    SODA's program hands METEOR the two the other way round: the reference is scored against what was said.
    """
    predicted = _in_time((video.predicted or ())[:MOST_PREDICTIONS])
    mine = [_ascii(sentence.text) for sentence in predicted]
    stories = []
    for annotation in filter(None, video.references):
        told = _in_time(annotation)
        overlap = tious(_times(video, told), _times(video, predicted))
        pair = np.full(overlap.shape, -1, dtype=np.int64)
        for row, column in np.argwhere(overlap > 0.0).tolist():
            pair[row, column] = numbers.setdefault((_ascii(told[row].text), mine[column]), len(numbers))
        stories.append(Telling(overlap, pair))
    return tuple(stories)


def _in_time(sentences: Sequence[Sentence]) -> list[Sentence]:
    return sorted(sentences, key=lambda sentence: (sentence.segment or (0.0, 0.0), sentence.text))


def tious(predicted: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Returns (p, r) float64 temporal IoU of segments (p, 2) and (r, 2), as densevid_eval computes it."""
    first, second = predicted[:, None, :], references[None, :, :]
    shared = np.minimum(first[..., 1], second[..., 1]) - np.maximum(first[..., 0], second[..., 0])
    hull = np.maximum(first[..., 1], second[..., 1]) - np.minimum(first[..., 0], second[..., 0])
    both = first[..., 1] - first[..., 0] + second[..., 1] - second[..., 0]
    return np.asarray(np.maximum(shared, 0.0) / (np.minimum(hull, both) + 1e-8))


def random_string(video: str, text: str) -> str:
    """Returns 10 to 20 letters that are no word, the same for the same prediction in every run."""
    drawn = hashlib.sha256(f"{video}\0{text}".encode("utf-8", errors="replace")).digest()
    return "".join(string.ascii_lowercase[byte % 26] for byte in drawn[1 : 11 + drawn[0] % 11])


def summed(rows: np.ndarray, corpus: np.ndarray, corpora: int) -> np.ndarray:
    """Returns (corpora, …) sums of rows (m, …) by corpus; 0 for a corpus without any."""
    totals = np.zeros((corpora, *rows.shape[1:]), dtype=rows.dtype)
    if len(rows):
        starts = np.flatnonzero(np.diff(corpus, prepend=-1))
        totals[corpus[starts]] = np.add.reduceat(rows, starts, axis=0)
    return totals


def _times(video: VideoCaptions, sentences: Sequence[Sentence]) -> np.ndarray:
    if any(sentence.segment is None for sentence in sentences):
        raise InvalidData(
            f"video {video.video[:60]!r} has sentences without times: densevid compares segments. Try paragraph."
        )
    return np.array([sentence.segment for sentence in sentences], dtype=np.float64).reshape(len(sentences), 2)


def _ascii(text: str) -> str:
    """Returns `text` with every character beyond ASCII as a space, as densevid_eval does."""
    return text if text.isascii() else "".join(letter if letter.isascii() else " " for letter in text)
