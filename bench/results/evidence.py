"""Evidence: what was counted, in arrays that lie beside a record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

from bench.errors import InvalidData
from bench.files import PathLike, read_tensors, write_tensors

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Evidence:
    """What was counted for each query, video or caption: enough to recompute every measurement.

    Rows are ordered by opaque id, which is the same for every model on the same test set, so two models' evidence can
    be compared row by row. What the arrays are is said by the module that verifies their kind
    (`bench.evidence.verification`).

    Attributes:
        counts: named arrays, one row for each query, video or caption. For `ranks`: direction (`t2v`, `v2t`) ->
            (n_queries, 3) uint32: n_greater, n_equal (itself not counted), n_positives; where queries have several
            right answers, further arrays beside these (`bench.metrics.right_items`).
        pool: digest of the test set.
        n_items: size of the test set by name; for `ranks`, of the gallery by direction.
        kind: `ranks`, `captions`, `classes` or `values`.
        about: what the arrays of its kind need said beside them, in JSON; empty for most.
    """

    counts: Mapping[str, np.ndarray]
    pool: str
    n_items: Mapping[str, int]
    kind: str = "ranks"
    about: Mapping[str, Any] = field(default_factory=dict)

    def save(self, path: PathLike) -> None:
        values = {"kind": "evidence", "of": self.kind, "pool": self.pool, "n_items": dict(self.n_items)}
        write_tensors(path, self.counts, values | ({"about": dict(self.about)} if self.about else {}))

    @classmethod
    def load(cls, path: PathLike) -> Evidence:
        """Reads what `save` wrote. Raises: InvalidData for any other file."""
        arrays, values = read_tensors(path)
        pool, n_items, about = values.get("pool"), values.get("n_items"), values.get("about", {})
        whole = values.get("kind") == "evidence" and isinstance(about, dict)
        if not whole or not isinstance(pool, str) or not _sizes(n_items):
            raise InvalidData(
                f"{path} holds no evidence of bench. `bench rescore --write RUN` counts it again from the run's "
                "predictions; without them run it with --no-resume, or score its file into another --output."
            )
        return cls(counts=arrays, pool=pool, n_items=n_items, kind=str(values.get("of", "ranks")), about=about)


def _sizes(value: object) -> TypeGuard[dict[str, int]]:
    return isinstance(value, dict) and all(isinstance(size, int) for size in value.values())


def same_value(a: float, b: float) -> bool:
    """True when two measurements are the same number up to the last bits of double arithmetic."""
    return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
