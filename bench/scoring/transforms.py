"""Post-processing of similarities by the other queries of a test, or by a bank of queries: declared, and in signatures.

Each is written `NAME:SCALE`, or `NAME:SCALE:QUERIES` with a bank of so many queries. The scale is what similarities are
multiplied by within the exponential, the inverse of a temperature. With s for a similarity:

    dual-softmax      s * softmax(SCALE s) over all queries of the test, those of each direction for themselves
    dual-softmax-t2v  the same over all texts, and videos ask in that one matrix too
    inverted-softmax  exp(SCALE s) / the sum of exp(SCALE s) of that video over all queries of the test, or of a bank
    qb-norm           inverted-softmax with a bank, for the texts whose first video is first for some query of the bank;
                      the other texts as they are

Those that look at all queries of the test are transductive: whoever asks a single question cannot use them. A bank
holds similarities of other texts, such as the training captions, with the videos of the test; it has no use for v2t.

Sources. Dual softmax: Cheng et al., arXiv:2109.04290 (CAMoE), and DSL.py of starmemda/CAMoE, where each direction has
a matrix of its own; scale 100 on cosines, and one matrix for both directions, as in
CLIP-ViP/src/tasks/run_video_retrieval.py of microsoft/XPretrain. Inverted softmax: Smith et al., ICLR 2017,
arXiv:1702.03859. QB-Norm, its dynamic form: Bogolin et al., CVPR 2022, arXiv:2112.12777, and
dynamic_inverted_softmax.py of ioanacroi/qb-norm (k = 1, scale 20).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import InvalidData, UsageError
from bench.metrics.similarities import TILE_BYTES, Similarities, check_finite
from bench.reading.numbers import real_in, whole_in

NONE, ONE_MATRIX = "none", "dual-softmax-t2v"
SCALES = {"dual-softmax": 100.0, ONE_MATRIX: 100.0, "inverted-softmax": 20.0, "qb-norm": 20.0}
"""The scale that the published code of each uses on cosines."""
WITH_BANK = ("inverted-softmax", "qb-norm")
FORMS = "none, dual-softmax:100, dual-softmax-t2v:100, inverted-softmax:20 and qb-norm:20"


@dataclass(frozen=True)
class Transform:
    """What was done to similarities.

    Attributes:
        name: one of `SCALES`.
        scale: what similarities are multiplied by within the exponential.
        bank: queries of the bank; 0 for the queries of the test themselves.
    """

    name: str
    scale: float
    bank: int = 0

    def __str__(self) -> str:
        return f"{self.name}:{self.scale:g}" + (f":{self.bank}" if self.bank else "")


def parse_transform(flag: str, text: str, *, done: bool) -> Transform | None:
    """Returns what `dual-softmax:100` says; None for `none`.

    Args:
        flag: that says it, for errors.
        done: whether somebody else did it, who has to say how.

    Raises: UsageError.
    """
    name, *parts = text.split(":")
    if text == NONE:
        return None
    if name not in SCALES:
        raise UsageError(f"{flag} {text[:60]}: write one of {FORMS}.")
    if done and not parts:
        raise UsageError(f"{flag} {name}: say the factor within the exponential too, such as {name}:{SCALES[name]:g}.")
    scale = real_in(parts[0]) if parts else SCALES[name]
    bank = whole_in(parts[1]) if len(parts) == 2 else 0
    if scale is None or scale <= 0 or bank is None or bank < 0 or len(parts) > 2:
        raise UsageError(f"{flag} {text[:60]}: write NAME:FACTOR, such as {name}:{SCALES[name]:g}, the factor above 0.")
    if len(parts) == 2 and not (done and name in WITH_BANK):
        raise UsageError(
            f"{flag} {text[:60]}: the queries of a bank are counted in --query-bank FILE. Leave :{bank} out."
        )
    if done and name == "qb-norm" and not bank:
        raise UsageError(f"{flag} {text[:60]}: say how many queries the bank had, such as {name}:{scale:g}:9000.")
    return Transform(name, scale, bank)


@dataclass(frozen=True)
class Ranked:
    """The matrices that are ranked.

    Attributes:
        texts: rows ask for columns.
        videos: columns ask for rows; None where v2t is not to be had.
        transform: that made them, here or before.
        remarks: what to know beside the score.
    """

    texts: Similarities
    videos: Similarities | None
    transform: Transform | None = None
    remarks: tuple[str, ...] = ()


def as_declared(similarities: Similarities, transform: Transform) -> Ranked:
    """Returns a matrix that somebody transformed before: videos can ask in it only where one matrix is for both."""
    one = transform.name == ONE_MATRIX
    remarks = [f"{transform} was applied by whoever made the matrix, and is not checked here", *_meaning(transform)]
    remarks += [] if one else [f"v2t is left out: {transform.name} ranks videos in another matrix than texts"]
    return Ranked(similarities, similarities if one else None, transform, tuple(remarks))


@contextmanager
def transformed(similarities: Similarities, transform: Transform, bank: Similarities | None) -> Iterator[Ranked]:
    """Gives the matrices that a transform makes, in temporary files.

    Raises: InvalidData for similarities that are NaN, infinite or too large, and where a file has no room.
    """
    remarks, dual = _meaning(transform), transform.name.startswith("dual-softmax")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        of_texts, of_videos = Path(folder) / "t2v.npy", Path(folder) / "v2t.npy"
        if bank is not None:
            remarks.append("v2t is left out: a bank of texts says nothing about it")
            made = _written(of_texts, similarities, _by_bank(bank, transform))
            yield Ranked(made, None, transform, tuple(remarks))
            return
        down, along = _sums(similarities, transform.scale)
        remarks += _below_zero(similarities) if dual else []

        def weighed(tile: np.ndarray, sums: np.ndarray) -> np.ndarray:
            logarithms = transform.scale * tile - sums
            return np.asarray(tile * np.exp(logarithms) if dual else logarithms)

        texts = _written(of_texts, similarities, lambda tile, _: weighed(tile, down))
        if transform.name == ONE_MATRIX:
            yield Ranked(texts, texts, transform, tuple(remarks))
            return
        videos = _written(
            of_videos, similarities, lambda tile, start: weighed(tile, along[start : start + len(tile), None])
        )
        yield Ranked(texts, videos, transform, tuple(remarks))


def _meaning(transform: Transform) -> list[str]:
    if transform.bank:
        return []
    return [f"{transform} looks at all queries of the test to answer one (transductive): who asks once cannot use it"]


def check_bank(bank: Similarities, source: Path, n_videos: int) -> None:
    """Raises InvalidData unless a bank holds a finite similarity of each query with each video of the test."""
    shape = bank.stored.shape
    if len(shape) != 2 or not shape[0] or shape[1] != n_videos:
        raise InvalidData(
            f"{source} has shape {shape}: a bank of queries has a row for each of its queries and a column for each of "
            f"the {n_videos:,} videos of the test, in the same order."
        )
    try:
        for _ in _tiles(bank):
            pass
    except InvalidData as error:
        raise InvalidData(f"{source}: {error}") from error


def _tiles(similarities: Similarities) -> Iterator[tuple[int, np.ndarray]]:
    """Yields the first row and the values (k, N), float64 and finite, of tile after tile."""
    m, n = similarities.shape
    step = max(1, TILE_BYTES // (8 * n))
    for start in range(0, m, step):
        tile = similarities.rows(start, min(start + step, m))
        check_finite(tile, np.arange(start, start + len(tile)))
        yield start, np.asarray(tile, dtype=np.float64)


def _sums(similarities: Similarities, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns (N,) and (M,): the logarithm of the sum of exp(scale s) down each column and along each row."""
    m, n = similarities.shape
    most, total, along = np.full(n, -np.inf), np.zeros(n), np.empty(m)
    for start, tile in _tiles(similarities):
        with np.errstate(over="ignore"):
            scaled = scale * tile
        if not np.isfinite(scaled).all():
            raise InvalidData(f"similarities of {np.abs(tile).max():g} times {scale:g} are beyond every number.")
        higher = np.maximum(most, scaled.max(axis=0))
        total = total * np.exp(most - higher) + np.exp(scaled - higher).sum(axis=0)
        most = higher
        own = scaled.max(axis=1, keepdims=True)
        along[start : start + len(tile)] = own[:, 0] + np.log(np.exp(scaled - own).sum(axis=1))
    return most + np.log(total), along


def _by_bank(bank: Similarities, transform: Transform) -> Callable[[np.ndarray, int], np.ndarray]:
    """Returns what a bank makes of rows: of all, or of those whose first video is first for some query of the bank."""
    sums, _ = _sums(bank, transform.scale)
    first = np.zeros(bank.shape[1], dtype=bool)
    for _, tile in _tiles(bank):
        first[tile.argmax(axis=1)] = True
    if transform.name != "qb-norm":
        first[:] = True

    def applied(tile: np.ndarray, _: int) -> np.ndarray:
        return np.where(first[tile.argmax(axis=1)][:, None], transform.scale * tile - sums, tile)

    return applied


def _below_zero(similarities: Similarities) -> list[str]:
    count = sum(int(np.count_nonzero(tile < 0)) for _, tile in _tiles(similarities))
    share = 100.0 * count / (similarities.shape[0] * similarities.shape[1])
    words = "of the similarities are below zero, where a dual softmax favours what its prior speaks against"
    return [f"{share:.1f} % {words}"] if count else []


def _written(path: Path, similarities: Similarities, made: Callable[[np.ndarray, int], np.ndarray]) -> Similarities:
    """Returns what is made of every tile as a matrix in a file: it is read several times, and is the same each time."""
    m, n = similarities.shape
    size, free = 8 * m * n, shutil.disk_usage(path.parent).free
    if size > free:
        raise InvalidData(
            f"transformed similarities take {size >> 20:,} MB, and {path.parent.parent} has {free >> 20:,} MB free. "
            "Set TMPDIR to a folder with more."
        )
    stored = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(m, n))
    for start, tile in _tiles(similarities):
        stored[start : start + len(tile)] = made(tile, start)
    return Similarities(stored, np.asarray, "float64")
