"""Frame features made up for real annotations, so that the real protocol runs before anyone has real features.

A video has T = max(1, round(3.5 duration)) rows of 500 numbers, as C3D features of stride 8 at 28 frames a second
would (20 rows where the duration is unknown). A row is
    0.5 * background of the video + the text of every segment that covers the row + 0.8 * noise of the row,
so that stretches nobody described carry background and noise only; a video without segments is covered by its whole
paragraph. The text of a segment is the sum of its words' 64-d Gaussian vectors over the square root of their number,
through a fixed 64 x 500 map. A word's vector is one of 8,192, chosen by CRC-32; which rows of a fixed noise table a
video reads, and with which signs, follows from the SHA-256 of its id. Everything is float32 and depends on the
annotations of the video alone; of several splits that annotate one video, the first declared decides.

Scores on such features say that a protocol runs, and nothing about a model or a paper: the words are in the frames.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from functools import cache

import numpy as np

from bench.data.declared import SIMULATED, FeatureIdentity
from bench.data.features.stored import missing_videos
from bench.data.segments import segment_rows
from bench.data.tables import Tables
from bench.files import digest
from bench.inputs import DataKind

RECIPE = 1
"""Raised whenever one number changes; part of the digest."""
ROWS_PER_SECOND = 3.5
ROWS_OF_UNKNOWN_DURATION = 20
DIM = 500
WORD_DIM = 64
BUCKETS = 8192
NOISE_ROWS = 4096
BACKGROUND, NOISE = 0.5, 0.8


@cache
def _fixed() -> tuple[np.ndarray, np.ndarray]:
    """Returns (BUCKETS, DIM) word vectors in feature space and (NOISE_ROWS, DIM) noise, both float32."""
    rng = np.random.default_rng([RECIPE, 20181018])
    words = rng.standard_normal((BUCKETS, WORD_DIM), dtype=np.float32)
    to_features = rng.standard_normal((WORD_DIM, DIM), dtype=np.float32) / np.float32(np.sqrt(WORD_DIM))
    return words @ to_features, np.float32(NOISE) * rng.standard_normal((NOISE_ROWS, DIM), dtype=np.float32)


class SimulatedFeatures:
    """Features simulated from the tables of a dataset (`bench.data.declared.FeatureSource`), one video at a time."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._where: dict[str, tuple[str, int]] = {}
        self._indexed: set[str] = set()

    @property
    def dim(self) -> int:
        return DIM

    @property
    def kind(self) -> DataKind:
        return "simulated"

    def ids(self) -> tuple[str, ...]:
        """Returns every video of every split."""
        return tuple(dict.fromkeys(video_id for split in self._tables for video_id in self._tables[split].ids))

    def missing(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Returns those of `ids` that no split annotates."""
        self._index(ids)
        return tuple(video_id for video_id in ids if video_id not in self._where)

    def lengths(self, ids: Sequence[str]) -> np.ndarray:
        """Returns (n,) int64, rows of each video. Raises: MissingData for videos without annotations."""
        missing = self.missing(ids)
        if missing:
            raise missing_videos("simulated features", missing, len(ids))
        return np.array([self._length(video_id) for video_id in ids], dtype=np.int64)

    def read(self, video_id: str) -> np.ndarray:
        """Returns (T, 500) float32."""
        rows = int(self.lengths([video_id])[0])
        split, index = self._where[video_id]
        videos = self._tables[split]
        words, noise = _fixed()
        seeds = np.frombuffer(hashlib.sha256(video_id.encode()).digest(), dtype=np.uint32)
        rng = np.random.default_rng(seeds)
        values = noise.take(np.arange(rows) + rng.integers(NOISE_ROWS), axis=0, mode="wrap")
        values *= rng.integers(0, 2, size=DIM).astype(np.float32) * 2 - 1
        values += np.float32(BACKGROUND) * rng.standard_normal(DIM, dtype=np.float32)
        texts = videos.sentences[index]
        duration, segments = videos.durations[index], videos.timestamps[index]
        if duration is None or not segments:
            values += _text(words, " ".join(texts))
            return values
        count = len(segments)
        first, last = segment_rows(np.array(segments), np.full(count, duration), np.full(count, rows))
        for text, begin, end in zip(texts, first.tolist(), last.tolist(), strict=True):
            values[begin : end + 1] += _text(words, text)
        return values

    def identity(self, ids: Sequence[str]) -> FeatureIdentity:
        """Returns what these features are; the digest covers the recipe and the annotations of the given videos."""
        self.lengths(ids)
        content = []
        for video_id in sorted(ids):
            split, index = self._where[video_id]
            videos = self._tables[split]
            content.append([video_id, videos.durations[index], videos.timestamps[index], videos.sentences[index]])
        return FeatureIdentity(SIMULATED, DIM, "2/7 s", digest([RECIPE, content]), self.kind)

    def _length(self, video_id: str) -> int:
        split, index = self._where[video_id]
        duration = self._tables[split].durations[index]
        return ROWS_OF_UNKNOWN_DURATION if duration is None else max(1, round(duration * ROWS_PER_SECOND))

    def _index(self, ids: Sequence[str]) -> None:
        """Finds the annotations of `ids`, opening splits in the order they are declared until all are found."""
        for split in self._tables:
            if all(video_id in self._where for video_id in ids):
                return
            if split not in self._indexed:
                self._indexed.add(split)
                for index, video_id in enumerate(self._tables[split].ids):
                    self._where.setdefault(video_id, (split, index))


def _text(words: np.ndarray, text: str) -> np.ndarray:
    """Returns (DIM,) float32: the bag of hashed words of a text."""
    tokens = re.findall(r"\w+", text.lower()) or [text]
    buckets = [zlib.crc32(word.encode()) % BUCKETS for word in tokens]
    return np.asarray(words[buckets].sum(axis=0) / np.float32(np.sqrt(len(buckets))))
