"""Which item is right for which query: the diagonal, a list of column numbers, or the video that each caption is of.

The order of queries in the evidence is fixed here: by video where every query has one, so that a video's captions stand
beside one another, else by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.data.readers.json_files import parse_json
from bench.errors import InvalidData
from bench.files import digest
from bench.metrics.similarities import Pairs, Similarities, count_ranks
from bench.reading.outside import read_text
from bench.results import Evidence


@dataclass(frozen=True)
class Matches:
    """The right items of each row of a similarity matrix.

    Attributes:
        columns: for each row the numbers of its right columns, rising and never empty.
        n_items: number of columns.
        names: what the matching was made of, for the digest of the test set.
    """

    columns: tuple[tuple[int, ...], ...]
    n_items: int
    names: tuple[str, ...]

    def pairs(self) -> Pairs:
        """Returns the right pairs, ordered by row."""
        counts = [len(columns) for columns in self.columns]
        rows = np.repeat(np.arange(len(self.columns), dtype=np.int64), counts)
        return Pairs(rows, np.array([c for columns in self.columns for c in columns], dtype=np.int64))

    def pool(self, task: str, split: str) -> str:
        """Returns the SHA-256 of the test set: task, split, and which item belongs to which query."""
        return digest([task, split, self.n_items, [list(columns) for columns in self.columns], list(self.names)])


def check_shape(similarities: Similarities, source: Path) -> None:
    """Raises InvalidData unless the file holds a matrix with at least one query and one item."""
    shape = similarities.stored.shape
    if len(shape) != 2:
        raise InvalidData(f"{source} has shape {shape}: expected two dimensions, text queries by videos.")
    if not shape[0] or not shape[1]:
        raise InvalidData(f"{source} has shape {shape}: {'the gallery is empty' if shape[0] else 'there is no query'}.")


def on_the_diagonal(shape: tuple[int, int]) -> Matches:
    """Returns the matching of query i with item i. Raises: InvalidData when the matrix is not square."""
    if shape[0] != shape[1]:
        raise InvalidData(
            f"the matrix is {shape[0]} x {shape[1]}: matches on the diagonal need a square one. Say which item belongs "
            "to which query by --ids or --video-of."
        )
    return Matches(tuple((i,) for i in range(shape[0])), shape[1], ())


def from_columns(path: Path, shape: tuple[int, int]) -> Matches:
    """Returns the matching in a file with one entry for each row: the numbers of its right columns, counted from 0.

    The file is a JSON list of numbers or of lists of numbers, or text with one line for each row.

    Raises: MissingData, InvalidData when a row is missing, has no item, or names one that is not there or twice.
    """
    entries = [entry if isinstance(entry, list) else [entry] for entry in _entries(path, split=True)]
    _check_rows(path, len(entries), shape[0])
    columns = []
    for row, entry in enumerate(entries):
        numbers = [_number(path, row, value) for value in entry]
        if not numbers:
            raise InvalidData(f"{path}: row {row} has no right item: nothing can be found. Leave it out of the matrix.")
        for number in numbers:
            if not 0 <= number < shape[1]:
                raise InvalidData(
                    f"{path}: row {row} names column {number}; the matrix has columns 0 to {shape[1] - 1}."
                )
        if len(set(numbers)) < len(numbers):
            raise InvalidData(f"{path}: row {row} names a column twice.")
        columns.append(tuple(sorted(numbers)))
    return Matches(tuple(columns), shape[1], ())


def from_video_ids(path: Path, shape: tuple[int, int]) -> Matches:
    """Returns the matching in a file with the video of each row; columns are videos in the order they first occur.

    The file is a JSON list of ids, or text with one id for each line.

    Raises: MissingData, InvalidData when there are other than as many rows and videos as the matrix has.
    """
    ids = [str(entry) for entry in _entries(path, split=False)]
    _check_rows(path, len(ids), shape[0])
    places: dict[str, int] = {}
    columns = tuple((places.setdefault(video, len(places)),) for video in ids)
    if len(places) != shape[1]:
        raise InvalidData(
            f"{path} names {len(places):,} different videos; the matrix has {shape[1]:,} columns. There must be one "
            "column for each video, in the order in which they first occur."
        )
    return Matches(columns, shape[1], tuple(places))


def evidence_of(similarities: Similarities, matches: Matches, pool: str) -> Evidence:
    """Returns the evidence of a matrix in both directions; v2t over the items that have a query.

    Raises: InvalidData when a similarity is NaN or infinite.
    """
    by_row, by_column = count_ranks(similarities, matches.pairs())
    if all(len(columns) == 1 for columns in matches.columns):
        own = np.array([columns[0] for columns in matches.columns])
        by_row = by_row[np.argsort(own, kind="stable")]
    return Evidence(
        counts={"t2v": by_row, "v2t": by_column[by_column[:, 2] > 0]},
        pool=pool,
        n_items={"t2v": len(by_column), "v2t": len(by_row)},
    )


def _entries(path: Path, *, split: bool) -> list[object]:
    text = read_text(path)
    if path.suffix != ".json":
        lines = text.splitlines()
        return [line.split() for line in lines] if split else [line.strip() for line in lines]
    entries = parse_json(path, text)
    if not isinstance(entries, list):
        raise InvalidData(f"{path} holds a JSON {type(entries).__name__}; expected a list with one entry for each row.")
    if not split and not all(isinstance(entry, str | int) for entry in entries):
        raise InvalidData(f"{path}: a video id must be a string.")
    return entries


def _check_rows(path: Path, found: int, expected: int) -> None:
    if found != expected:
        raise InvalidData(
            f"{path} has {found:,} entries; the matrix has {expected:,} rows. There must be one for each."
        )


def _number(path: Path, row: int, value: object) -> int:
    text = str(value)
    if isinstance(value, bool | float) or not text.isdecimal() or len(text) > 12:
        raise InvalidData(f"{path}: row {row} holds {text[:40]!r}; expected column numbers, counted from 0.")
    return int(text)
