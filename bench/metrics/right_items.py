"""Every right item of queries with several: what stands above it and beside it, and what finding it is worth.

R@K and the ranks ask for the best right item, `P@K` and `nDCG@K` for all of them. Beside the counts of a direction such
as `t2v`, evidence holds where some query has several right items:

    t2v/right  (P, 2) uint32, for each right pair the other items above and equal to its item, right or wrong; the pairs
               in the order of their queries, those of a query from the best to the last
    t2v/gain   (P,) float64, the grade of each pair; left out where all grades are alike

and, where queries of one video do not stand beside one another or are not told by the counts of `v2t`:

    t2v/video  (n,) uint32, the video that each query belongs to, numbered from 0: intervals and tests resample videos

Evidence from before these were kept lacks them, and says nothing of `P@K` and `nDCG@K` there.

Letters for shapes: `n` queries, `P` right pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.errors import VerificationError
from bench.metrics.missing import MISSING
from bench.results import Evidence

RIGHT, GAIN, VIDEO = "right", "gain", "video"


@dataclass(frozen=True)
class RightItems:
    """The right items of the queries of one direction.

    Attributes:
        sizes: (n,) int64, at least 1: how many right items each query has.
        counts: (P, 2) uint32: other items above and equal to each.
        gains: (P,) float64, above 0: what finding each is worth; None where all are worth the same.
    """

    sizes: np.ndarray
    counts: np.ndarray
    gains: np.ndarray | None = None

    @property
    def starts(self) -> np.ndarray:
        """(n,) where the right items of each query begin."""
        return np.asarray(self.sizes.cumsum() - self.sizes)

    def summed(self, values: np.ndarray) -> np.ndarray:
        """Returns (n,) float64: the sum of `values` (P,) over the right items of each query."""
        # The last bits of a sum differ for equal values; twelve digits tell distinct values apart.
        return np.asarray(np.round(np.add.reduceat(values, self.starts), 12))

    def ideal(self, at_rank: np.ndarray) -> np.ndarray:
        """Returns (n,) float64: what the best order gives, where rank r from 1 counts `at_rank[r - 1]`."""
        queries = np.repeat(np.arange(len(self.sizes)), self.sizes)
        gains = np.ones(len(queries)) if self.gains is None else self.gains
        best = gains[np.lexsort((-gains, queries))]
        ranks = np.arange(len(queries)) - np.repeat(self.starts, self.sizes)
        return np.add.reduceat(best * at_rank[ranks], self.starts)


def right_items_of(evidence: Evidence, direction: str) -> RightItems | None:
    """Returns the right items of the queries of a direction, or None where the evidence does not hold them."""
    if (counts := evidence.counts.get(f"{direction}/{RIGHT}")) is None:
        return None
    sizes = evidence.counts[direction][:, 2].astype(np.int64)
    return RightItems(sizes, counts, evidence.counts.get(f"{direction}/{GAIN}"))


def right_arrays(
    direction: str, queries: np.ndarray, counts: np.ndarray, gains: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Returns the arrays that evidence holds of all right items of a direction; none where each query has one.

    Args:
        queries: (P,) the place of each pair's query in the evidence.
        counts: (P, 2) other items above and equal to the item of each.
        gains: (P,) the grade of each, or None where all are alike.
    """
    if len(queries) == len(np.unique(queries)):
        return {}
    values = np.ones(len(queries)) if gains is None else gains.astype(np.float64)
    order = np.lexsort((-values, counts[:, 1], counts[:, 0], queries))
    arrays = {f"{direction}/{RIGHT}": counts[order].astype(np.uint32)}
    return arrays if (values == values[0]).all() else {**arrays, f"{direction}/{GAIN}": values[order]}


def best_of(pairs: np.ndarray) -> tuple[int, int, int]:
    """Returns the counts of one query from those of all its right items (p, 2): wrong ones above the best, equal to it,
    and how many are right."""
    above, equal = pairs[np.argmin(pairs[:, 0])].tolist()
    return above, equal + 1 - int((pairs[:, 0] == above).sum()), len(pairs)


def owner_arrays(direction: str, owners: Sequence[str] | Sequence[int] | np.ndarray) -> dict[str, np.ndarray]:
    """Returns the array that says which video each query of a direction belongs to; none where no two share one."""
    names, numbers = np.unique(np.asarray(owners), return_inverse=True)
    return {f"{direction}/{VIDEO}": numbers.astype(np.uint32)} if len(names) < len(owners) else {}


def is_companion(name: str, directions: Iterable[str]) -> bool:
    """Returns whether evidence may hold an array of this name beside the counts of `directions`, or lack it."""
    return name in MISSING or name in {
        f"{direction}/{part}" for direction in directions for part in (RIGHT, GAIN, VIDEO)
    }


def check_companions(evidence: Evidence, directions: Iterable[str]) -> None:
    """Raises VerificationError unless what the evidence says of all right items and of videos fits its counts."""
    for direction in directions:
        _check_right(direction, evidence.counts, evidence.n_items[direction])
        if (videos := evidence.counts.get(f"{direction}/{VIDEO}")) is not None:
            n = len(evidence.counts[direction])
            if videos.shape != (n,) or videos.dtype != np.uint32 or not _numbered(videos):
                raise VerificationError(
                    f"evidence {direction}/{VIDEO} is {videos.dtype} {videos.shape}; expected uint32 ({n},), videos "
                    "numbered from 0."
                )


def _numbered(videos: np.ndarray) -> bool:
    distinct = np.unique(videos)
    return bool(distinct[0] == 0 and distinct[-1] == len(distinct) - 1)


def _check_right(direction: str, arrays: Mapping[str, np.ndarray], n_items: int) -> None:
    right, gains = arrays.get(f"{direction}/{RIGHT}"), arrays.get(f"{direction}/{GAIN}")
    if right is None:
        if gains is not None:
            raise VerificationError(f"evidence {direction}/{GAIN} stands without {direction}/{RIGHT}.")
        return
    counts = arrays[direction].astype(np.int64)
    total = int(counts[:, 2].sum())
    if right.shape != (total, 2) or right.dtype != np.uint32:
        raise VerificationError(
            f"evidence {direction}/{RIGHT} is {right.dtype} {right.shape}; expected uint32 ({total}, 2)."
        )
    if gains is not None and (
        gains.shape != (total,) or gains.dtype != np.float64 or not (np.isfinite(gains) & (gains > 0)).all()
    ):
        raise VerificationError(f"evidence {direction}/{GAIN} is no grade above 0 for each of {total} right pairs.")
    pairs, queries = right.astype(np.int64), np.repeat(np.arange(len(counts)), counts[:, 2])
    first = counts[:, 2].cumsum() - counts[:, 2]
    before = np.append(False, queries[1:] == queries[:-1])
    tied = before & np.append(False, (pairs[1:] == pairs[:-1]).all(axis=1))
    lower = before & np.append(False, pairs[1:, 0] > pairs[:-1].sum(axis=1))
    beside_best = (pairs[:, 0] == pairs[first, 0][queries]).astype(np.int64)
    own = np.stack([pairs[first, 0], pairs[first, 1] + 1 - np.add.reduceat(beside_best, first)], axis=1)
    nth = np.arange(total) - first[queries]  # right items that stand before it
    odd = (pairs.sum(axis=1) >= n_items) | (pairs.sum(axis=1) < nth) | (before & ~tied & ~lower)
    odd |= (own != counts[:, :2]).any(axis=1)[queries]
    if odd.any():
        query = int(queries[int(np.argmax(odd))])
        raise VerificationError(
            f"evidence {direction}/{RIGHT}: query {query} has right items that its counts "
            f"{counts[query].tolist()} among {n_items} items do not allow."
        )
