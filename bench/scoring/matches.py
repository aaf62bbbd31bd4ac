"""Which item is right for which query: the diagonal, a list of column numbers, or the video that each caption is of.

The order of queries in the evidence is fixed here: by video where every query has one, so that a video's captions stand
beside one another, else by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.data.readers.json_files import parse_json
from bench.errors import InvalidData
from bench.files import digest
from bench.matching import Matching
from bench.metrics.retrieval import BEST_CAPTION
from bench.metrics.right_items import owner_arrays, right_arrays
from bench.metrics.similarities import Pairs, RankCounts, Similarities, count_best_captions, count_ranks
from bench.reading.numbers import number_of, whole_in
from bench.reading.outside import read_text
from bench.results import Evidence

NO_NAMES = "#{}"
"""What a column is called where nobody names it; also a row, which has no name in any of these files."""


def matching_of(right: Sequence[Sequence[int]], n_items: int, names: Sequence[str] = ()) -> Matching:
    """Returns the matching of rows with their right columns, of which `names` are the ids where a file gives them."""
    videos = tuple(names) or tuple(NO_NAMES.format(column) for column in range(n_items))
    rows = tuple(NO_NAMES.format(row) for row in range(len(right)))
    return Matching(rows, videos, tuple(tuple(sorted(columns)) for columns in right))


def pool_of(matching: Matching, task: str, split: str) -> str:
    """Returns the SHA-256 of the test set: task, split, which item belongs to which query, and the names of items."""
    named = matching.videos != tuple(NO_NAMES.format(column) for column in range(len(matching.videos)))
    return digest_of_pool((task, split), len(matching.videos), matching.right, matching.videos if named else ())


def digest_of_pool(
    test: tuple[str, str], n_items: int, right: Sequence[Sequence[int]], names: Sequence[str], *more: object
) -> str:
    """Returns the SHA-256 of a test set: task and split, places of the right items of each query, names of items."""
    return digest([*test, n_items, [list(columns) for columns in right], list(names), *more])


def check_shape(similarities: Similarities, source: Path) -> None:
    """Raises InvalidData unless the file holds a matrix with at least one query and one item."""
    shape = similarities.stored.shape
    if len(shape) != 2:
        padded = len(shape) == 3 and shape[0] == shape[2]
        hint = (
            " In a matrix of videos x captions x videos, padded to the most captions of a video, drop the padding "
            "rows and put the others below one another, `m.reshape(-1, m.shape[2])[is_caption]`; --video-of names the "
            "video of each."
        )
        raise InvalidData(
            f"{source} has shape {shape}: expected two dimensions, text queries by videos.{hint if padded else ''}"
        )
    if not shape[0] or not shape[1]:
        raise InvalidData(f"{source} has shape {shape}: {'the gallery is empty' if shape[0] else 'there is no query'}.")


def on_the_diagonal(shape: tuple[int, int]) -> Matching:
    """Returns the matching of query i with item i. Raises: InvalidData when the matrix is not square."""
    if shape[0] != shape[1]:
        raise InvalidData(
            f"the matrix is {shape[0]} x {shape[1]}: matches on the diagonal need a square one. Say which item belongs "
            "to which query by --ids or --video-of."
        )
    return matching_of([(i,) for i in range(shape[0])], shape[1])


def from_columns(path: Path, shape: tuple[int, int]) -> Matching:
    """Returns the matching in a file as `columns_in` reads it. Raises: MissingData, InvalidData."""
    return matching_of(columns_in(path, shape), shape[1])


def columns_in(path: Path, shape: tuple[int, int]) -> list[list[int]]:
    """Returns what a file has for each row: the numbers of its right columns, counted from 0.

    The file is a JSON list of numbers or of lists of numbers, or text with one line for each row.

    Raises: MissingData, InvalidData when a row is missing, has no item, or names one that is not there or twice.
    """
    entries = [entry if isinstance(entry, list) else [entry] for entry in _entries(path, split=True)]
    _check_rows(path, len(entries), shape, fits_transposed=len(entries) == shape[1])
    columns = []
    for row, entry in enumerate(entries):
        numbers = [_number(path, row, value) for value in entry]
        if not numbers:
            raise InvalidData(f"{path}: row {row} has no right item: nothing can be found. Leave the query out.")
        for number in numbers:
            if not 0 <= number < shape[1]:
                raise InvalidData(f"{path}: row {row} names item {number}; there are items 0 to {shape[1] - 1}.")
        if len(set(numbers)) < len(numbers):
            raise InvalidData(f"{path}: row {row} names an item twice.")
        columns.append(numbers)
    return columns


def from_video_ids(path: Path, shape: tuple[int, int], videos: Path | None = None) -> Matching:
    """Returns the matching in a file with the video of each row.

    Both files are JSON lists of ids, or text with one id for each line.

    Args:
        videos: file with the video of each column; a video may be without a row. Without it the columns are the videos
            in the order in which they first occur in `path`.

    Raises: MissingData, InvalidData for an empty id, and when there are other than as many rows and videos as the
    matrix has, a video is named twice among the columns or not at all.
    """
    ids = ids_in(path)
    named = ids_in(videos) if videos else list(dict.fromkeys(ids))
    _check_rows(path, len(ids), shape, fits_transposed=(len(named), len(ids)) == shape)
    if len(named) != shape[1]:
        rule = (
            "There must be one for each."
            if videos
            else "There must be one column for each video, in the order in which they first occur; --videos FILE names "
            "the columns otherwise, also of videos without a row."
        )
        raise InvalidData(
            f"{videos or path} names {len(named):,} {'' if videos else 'different '}videos; the matrix has "
            f"{number_of(shape[1], 'column')}. {rule}"
        )
    places = {video: place for place, video in enumerate(named)}
    if len(places) < len(named):
        twice = next(video for place, video in enumerate(named) if places[video] != place)
        raise InvalidData(f"{videos} names video {twice[:60]!r} twice: each column is one video.")
    lacking = next((video for video in ids if video not in places), None)
    if lacking is not None:
        raise InvalidData(
            f"{path} names video {lacking[:60]!r}, which is not among the {len(named):,} of {videos} (such as "
            f"{named[0][:60]!r}). Are the ids the same?"
        )
    return matching_of([(places[video],) for video in ids], shape[1], named)


def evidence_of(similarities: Similarities, matching: Matching, pool: str, backwards: Similarities | None) -> Evidence:
    """Returns the evidence of a matrix in both directions; v2t over the items that have a query.

    Where videos have several captions, v2t is counted by both conventions, see `bench.metrics.retrieval`.

    Args:
        backwards: the matrix that v2t is ranked by, of the same shape; as a rule the same one. None leaves v2t out.

    Raises: InvalidData when a similarity is NaN or infinite.
    """
    pairs = Pairs.of(matching.right)
    ranks = count_ranks(similarities, pairs)
    if backwards is None:
        return arranged(pairs, pool, ranks, None, None)
    back = ranks if backwards is similarities else count_ranks(backwards, pairs)
    best = count_best_captions(backwards, pairs.columns) if has_captions(pairs) else None
    return arranged(pairs, pool, ranks, back, best)


def has_captions(pairs: Pairs) -> bool:
    """Returns whether every query has one right item, and some item several queries: captions of videos."""
    return len(np.unique(pairs.rows)) == len(pairs.rows) and len(np.unique(pairs.columns)) < len(pairs.columns)


def arranged(
    pairs: Pairs,
    pool: str,
    ranks: RankCounts,
    backwards: RankCounts | None,
    best_captions: np.ndarray | None,
    gains: np.ndarray | None = None,
) -> Evidence:
    """Returns evidence of what was counted, queries in the order that is fixed here.

    Args:
        pairs: every query has one at least.
        ranks, backwards: of t2v and of v2t; without the second v2t is left out.
        best_captions: (N, 3) of `bench.metrics.similarities.count_best_captions`, where videos have several captions.
        gains: (P,) the grade of each pair, or None where all are alike.
    """
    first = np.lexsort((np.zeros(len(pairs.rows)) if gains is None else -gains, pairs.rows))
    own = pairs.columns[first][np.flatnonzero(np.diff(pairs.rows[first], prepend=-1))]
    several = len(pairs.rows) > len(own)  # the first of its best videos is the one that a query is resampled with
    order = np.arange(len(own)) if several else np.argsort(own, kind="stable")
    counts = {"t2v": ranks.rows[order], **right_arrays("t2v", pairs.rows, ranks.row_pairs, gains)}
    n_items = {"t2v": len(ranks.columns)}
    if several or backwards is None:
        counts |= owner_arrays("t2v", own[order])
    if backwards is not None:
        asking = backwards.columns[:, 2] > 0
        counts["v2t"], n_items["v2t"] = backwards.columns[asking], len(backwards.rows)
        counts |= right_arrays("v2t", (np.cumsum(asking) - 1)[pairs.columns], backwards.column_pairs, gains)
        if best_captions is not None:
            counts[BEST_CAPTION], n_items[BEST_CAPTION] = best_captions[asking], int(asking.sum())
    return Evidence(counts=counts, pool=pool, n_items=n_items)


def ids_in(path: Path) -> list[str]:
    """Returns the ids in a JSON list or in lines of text. Raises: MissingData, InvalidData."""
    ids = _entries(path, split=False)
    for number, entry in enumerate(ids, 1):
        if isinstance(entry, bool) or not isinstance(entry, str | int) or not str(entry).strip():
            where = f"entry {number}" if path.suffix == ".json" else f"line {number}"
            raise InvalidData(f"{path}: {where} is no video id: {str(entry)[:40]!r}. Name the video, or drop it.")
    return [str(entry) for entry in ids]


def _entries(path: Path, *, split: bool) -> list[object]:
    text = read_text(path)
    if path.suffix != ".json":
        lines = [line.strip() for line in text.rstrip().split("\n")] if text.strip() else []
        return [line.split() for line in lines] if split else list(lines)
    entries = parse_json(path, text)
    if not isinstance(entries, list):
        raise InvalidData(f"{path} holds a JSON {type(entries).__name__}; expected a list with one entry for each row.")
    return entries


def _check_rows(path: Path, count: int, shape: tuple[int, int], *, fits_transposed: bool) -> None:
    if count == shape[0]:
        return
    hint = "There must be one for each."
    if fits_transposed:
        hint = "It fits the other way round: it has one for each item. Write queries as rows and items as columns."
    elif count < shape[0]:
        hint += " Rows that only fill videos up to the most captions of one have to be dropped."
    raise InvalidData(f"{path} has {number_of(count, 'entry')} for {number_of(shape[0], 'query')}. {hint}")


def _number(path: Path, row: int, value: object) -> int:
    number = whole_in(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if number is None or str(value).startswith(("+", "-")):
        raise InvalidData(f"{path}: row {row} holds {str(value)[:40]!r}; expected column numbers, counted from 0.")
    return number
