"""What a model found for a query: the best five videos or texts with their scores, for the best and worst queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.analysis.examples.lists import WAYS, Query, open_run
from bench.errors import UsageError
from bench.evidence.verified import Stored
from bench.results import Result
from bench.tasks.retrieval import ParagraphVideoRetrieval

if TYPE_CHECKING:
    from bench.data.dataset import Dataset


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
    run = open_run(record, task, dataset)
    groups = {}
    for way in WAYS:
        chosen = _chosen(run.evidence.counts[way], run.asking[way], count)
        groups[way] = {title: tuple(run.query(way, place) for place in places) for title, places in chosen.items()}
    counts = {way: len(run.asking[way]) for way in groups}
    return Retrieved(run.result, {way: run.evidence.n_items[way] for way in groups}, counts, groups)


def _chosen(counts: np.ndarray, ids: Sequence[str], count: int) -> dict[str, list[int]]:
    """Returns title -> rows of (n, 3) evidence; rows of equal rank stand in the order of their opaque ids."""
    ranks = (counts[:, 0] + counts[:, 1] / 2.0).tolist()
    order = sorted(range(len(ranks)), key=lambda row: (ranks[row], ids[row]))
    middle = max(0, (len(order) - count) // 2)
    return {"Best": order[:count], "In the middle": order[middle : middle + count], "Worst": order[-count:][::-1]}
