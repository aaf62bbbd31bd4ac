"""Numbers for words and phrases: equal for equal words wherever they stand, without a loop over them.

A word is the polynomial of its bytes, each through a fixed table of random numbers, modulo 2^64; a phrase is the same
polynomial of its words, mixed. Prefix sums give any span, and the inverse power takes its position off. That two of the
2.6 million phrases of METEOR's table, or another text and one of them, share a number has a chance of 1e-13 each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

_FACTOR = 0x9E3779B97F4A7C1B
"""Odd, and 3 modulo 8: words in another order then give another number even in their low bits."""
_MIX = 0xBF58476D1CE4E5B9
_BYTES = np.frombuffer(
    b"".join(hashlib.blake2b(bytes([value]), digest_size=8, person=b"meteor").digest() for value in range(256)),
    dtype="<u8",
)


class Powers:
    """The powers of the factor and of its inverse, kept and extended as longer texts come."""

    def __init__(self) -> None:
        self._up = self._down = np.ones(1, dtype=np.uint64)

    def upto(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns (count,) uint64 powers 0, 1, … of the factor, and those of its inverse."""
        if len(self._up) < count:
            self._up = _powers(_FACTOR, count)
            self._down = _powers(pow(_FACTOR, -1, 1 << 64), count)
        return self._up[:count], self._down[:count]


def _powers(factor: int, count: int) -> np.ndarray:
    factors = np.full(count, factor, dtype=np.uint64)
    factors[0] = 1
    return np.asarray(np.multiply.accumulate(factors))


_POWERS = Powers()


class Spans:
    """The number of every span of a sequence (t,) of uint64."""

    def __init__(self, values: np.ndarray) -> None:
        up, self._down = _POWERS.upto(len(values) + 1)
        self._sums = np.zeros(len(values) + 1, dtype=np.uint64)
        np.cumsum(values * up[:-1], out=self._sums[1:])

    def of(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Returns (s,) uint64 numbers of the spans from `starts` to before `ends`."""
        return np.asarray((self._sums[ends] - self._sums[starts]) * self._down[starts])


def byte_spans(content: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Returns (w,) uint64: the number of each word of UTF-8 bytes (b,) uint8."""
    numbers = Spans(_BYTES[content]).of(starts, ends)
    numbers ^= numbers >> np.uint64(32)  # mixed, or "1 000" would be "1000"
    numbers *= np.uint64(_MIX)
    return np.asarray(numbers ^ (numbers >> np.uint64(29)))


def word_numbers(words: Sequence[str]) -> np.ndarray:
    """Returns (w,) uint64."""
    encoded = [word.encode() for word in words]
    ends = np.cumsum(np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)))
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)[: len(encoded)]
    return byte_spans(np.frombuffer(b"".join(encoded), dtype=np.uint8), starts, ends)


def java_hash(word: str) -> int:
    """Returns Java's `String.hashCode`, unsigned: METEOR takes words for equal whose hashes are."""
    hashed = 0
    if word.isascii():
        for unit in word.encode():
            hashed = (31 * hashed + unit) & 0xFFFFFFFF
        return hashed
    units = word.encode("utf-16-be")
    for high, low in zip(units[::2], units[1::2], strict=True):
        hashed = (31 * hashed + 256 * high + low) & 0xFFFFFFFF
    return hashed


def find(sorted_numbers: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns (w,) int64: the place of each wanted number among sorted ones, or -1."""
    if not len(sorted_numbers):
        return np.full(len(wanted), -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(sorted_numbers, wanted), len(sorted_numbers) - 1)
    return np.asarray(np.where(sorted_numbers[places] == wanted, places, -1))
