"""Two files of embeddings, queries and items: which items are right for which queries, and what that is worth.

The gallery may have millions of items: nothing here grows with queries times items. Who is right is said by places, by
ids that both files share, or by relevance judgements; a query without a right item has no rank and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.data.readers.qrels import read_qrels
from bench.errors import InvalidData, UsageError
from bench.metrics.galleries import gallery_of
from bench.metrics.gallery_ranks import GalleryCounts, Run, count_gallery
from bench.metrics.similarities import Pairs, RankCounts
from bench.reading.numbers import number_of
from bench.results import Evidence
from bench.scoring.embedding_files import EmbeddingFile
from bench.scoring.matches import arranged, columns_in, digest_of_pool, has_captions, ids_in
from bench.scoring.processes import ranking

NEXT = "Name the right items by --ids, --video-of or --qrels."


@dataclass(frozen=True)
class RightPlaces:
    """Which items are right for which queries, by their places in the files.

    Attributes:
        asking: (M,) int64, rising: queries with a right item.
        right: (M,) places of the right items of each, rising.
        grades: (M,) what each of them is worth, beside it; None where all are worth the same.
        named: whether the items were told by their ids.
        left_out: queries that have no right item.
    """

    asking: np.ndarray
    right: tuple[tuple[int, ...], ...]
    grades: tuple[tuple[int, ...], ...] | None = None
    named: bool = False
    left_out: int = 0

    @property
    def gains(self) -> np.ndarray | None:
        """(P,) the grade of each right pair, ordered by query; None where all are alike."""
        return None if self.grades is None else np.array([grade for own in self.grades for grade in own], dtype=float)


def places_of(
    queries: EmbeddingFile, items: EmbeddingFile, *, columns: Path | None, item_of: Path | None, qrels: Path | None
) -> RightPlaces:
    """Returns which items are right, as one of the files says; without one by equal ids, or place by place.

    Raises: MissingData, InvalidData for files that do not fit; UsageError for embeddings of two dimensions.
    """
    if queries.shape[1] != items.shape[1]:
        raise UsageError(
            f"{queries.path} holds embeddings of {queries.shape[1]} numbers, {items.path} of {items.shape[1]}: give "
            "two files of one model."
        )
    count = queries.shape[0]
    if columns is not None:
        right = columns_in(columns, (count, items.shape[0]))
        return RightPlaces(np.arange(count), tuple(tuple(sorted(own)) for own in right))
    if qrels is not None:
        return _judged(qrels, queries, items)
    if item_of is not None:
        wanted: Sequence[str] = ids_in(item_of)
        if len(wanted) != count:
            raise InvalidData(
                f"{item_of} names {number_of(len(wanted), 'item')} for {number_of(count, 'query')}. Write one for each."
            )
    elif queries.ids is not None and items.ids is not None:
        wanted = queries.ids
    elif count == items.shape[0]:
        return RightPlaces(np.arange(count), tuple((place,) for place in range(count)))
    else:
        raise InvalidData(
            f"{queries.path} and {items.path} do not both name their rows, and {number_of(count, 'query')} and "
            f"{number_of(items.shape[0], 'item')} do not belong together place by place. {NEXT}"
        )
    places = _numbered(items)
    lacking = [one for one in wanted if one not in places]
    if lacking:
        raise InvalidData(
            f"{number_of(len(lacking), 'query')} of {count:,}, such as {lacking[0][:60]!r}, name no item of "
            f"{items.path} (such as {next(iter(places))[:60]!r}). {NEXT}"
        )
    return RightPlaces(np.arange(count), tuple((places[one],) for one in wanted), named=True)


def _judged(qrels: Path, queries: EmbeddingFile, items: EmbeddingFile) -> RightPlaces:
    places, rows = _numbered(items), _numbered(queries)
    asking: dict[int, list[tuple[int, int]]] = {}
    for query, judged in read_qrels(qrels).items():
        right = {item: grade for item, grade in judged.items() if grade > 0}
        if right and query not in rows:
            raise InvalidData(
                f"{qrels} judges query {query[:60]!r}, which is not in {queries.path}. Embed it, or take it out."
            )
        if (lacking := next((item for item in right if item not in places), None)) is not None:
            raise InvalidData(
                f"{qrels}: item {lacking[:60]!r} is right for query {query[:60]!r} and not in {items.path}. Embed it, "
                "or take it out."
            )
        if right:
            asking[rows[query]] = sorted((places[item], grade) for item, grade in right.items())
    if not asking:
        raise InvalidData(f"{qrels} names no right item: nothing can be found.")
    order = sorted(asking)
    graded = len({grade for own in asking.values() for _, grade in own}) > 1
    return RightPlaces(
        np.array(order),
        tuple(tuple(place for place, _ in asking[row]) for row in order),
        tuple(tuple(grade for _, grade in asking[row]) for row in order) if graded else None,
        named=True,
        left_out=queries.shape[0] - len(order),
    )


def _numbered(file: EmbeddingFile) -> dict[str, int]:
    if file.ids is None:
        raise InvalidData(
            f"{file.path} does not name its rows. Put their ids beside it, one a line in "
            f"{file.path.with_suffix('.txt').name} (npz, HDF5: an array `ids` in the file), or use --ids with places."
        )
    return {id_: place for place, id_ in enumerate(file.ids)}


def evidence_of(
    queries: EmbeddingFile,
    items: EmbeddingFile,
    right: RightPlaces,
    test: tuple[str, str],
    jobs: int,
    step: Callable[[int, int], None],
) -> Evidence:
    """Returns the counts of both directions: of each query, and of each item that is right for one.

    Args:
        test: task and split.
        jobs: processes that count.
        step: told how many parts of all are done.

    Raises: InvalidData for an embedding that cannot be ranked.
    """
    names = items.ids if right.named and items.ids else ()
    graded = () if right.grades is None else (right.grades,)
    pool = digest_of_pool(test, items.shape[0], right.right, names, *graded)
    pairs = Pairs.of(right.right)
    gallery, sort = gallery_of(replace(queries, ids=None), replace(items, ids=None), right.asking, pairs)
    both = has_captions(pairs)

    def counted(run: Run) -> GalleryCounts:
        return count_gallery(gallery, run, best_captions=both, step=step)

    counts = ranking(gallery, jobs, counted)
    of_rows, of_columns = (np.empty_like(counts.row_pairs) for _ in range(2))
    of_rows[sort], of_columns[sort] = counts.row_pairs, counts.column_pairs
    ranks = RankCounts(
        rows=_of_the_best(pairs.rows, of_rows, len(right.right)),
        columns=_of_the_best(pairs.columns, of_columns, items.shape[0]),
        row_pairs=of_rows,
        column_pairs=of_columns,
    )
    best = None
    if counts.best_captions is not None:
        best = np.empty_like(counts.best_captions)
        best[gallery.item_places] = counts.best_captions
    return arranged(pairs, pool, ranks, ranks, best, right.gains)


def _of_the_best(places: np.ndarray, counted: np.ndarray, size: int) -> np.ndarray:
    """Returns (size, 3) uint32: wrong ones above the best right one, equal to it, and how many are right.

    Args:
        places: (P,) whose each right pair is.
        counted: (P, 2) others above and equal to each.
    """
    above = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(above, places, counted[:, 0])
    best = counted[:, 0] == above[places]
    counts = np.zeros((size, 3), dtype=np.int64)
    counts[places, 0] = above[places]
    counts[places[best], 1] = counted[best, 1] + 1
    np.subtract.at(counts[:, 1], places[best], 1)  # right ones that tie for best are counted apart
    np.add.at(counts[:, 2], places, 1)
    return counts.astype(np.uint32)
