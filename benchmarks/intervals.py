"""Times all measurements of a retrieval run with their 95 % intervals, against a loop of resamples for one of them.

python benchmarks/intervals.py
python benchmarks/intervals.py --n 100000
"""

from __future__ import annotations

import numpy as np
from timing import arguments, measure, start, table

from bench.metrics import retrieval
from bench.metrics.rank_statistics import ranks_from_zero
from bench.results import Evidence

MODELS = {"at chance": None, "weak": (4.5, 1.8), "strong": (0.5, 1.5)}
"""Ranks are uniform, or log-normal with this mean and deviation of the logarithm."""


def evidence(n: int, shape: tuple[float, float] | None) -> Evidence:
    """Returns the evidence of n queries in both directions."""
    rng = np.random.default_rng(0)
    counts = {}
    for direction in retrieval.DIRECTIONS:
        above = rng.integers(0, n, size=n) if shape is None else np.minimum(rng.lognormal(*shape, size=n), n - 1)
        counts[direction] = np.stack([above, np.zeros(n), np.ones(n)], axis=1).astype(np.uint32)
    return Evidence(counts, "0" * 64, dict.fromkeys(retrieval.DIRECTIONS, n))


def resample(values: np.ndarray, resamples: int) -> np.ndarray:
    """Returns the interval of the mean as textbooks write it."""
    rng = np.random.default_rng(0)
    means = [values[rng.integers(0, len(values), size=len(values))].mean() for _ in range(resamples)]
    return np.quantile(means, [0.025, 0.975])


def main() -> None:
    """Prints one row for each model and way."""
    parser = arguments(__doc__)
    parser.add_argument("--n", type=int, default=4917, help="queries in each direction")
    parser.add_argument("--resamples", type=int, default=10_000, help="of the loop")
    chosen = parser.parse_args()
    print(start(chosen))
    print(f"N = {chosen.n:,}, both directions; the loop takes {chosen.resamples:,} resamples of one mean")
    rows: list[list[object]] = [["model", "CPU s, all 12 measurements", "CPU s, loop, mean rank alone"]]
    for name, shape in MODELS.items():
        of_model = evidence(chosen.n, shape)
        ranks = ranks_from_zero(of_model.counts["t2v"])
        bench = measure({"bench": lambda e=of_model: retrieval.measure(e)}, chosen.repeats, "cpu")["bench"]
        loop = measure({"loop": lambda r=ranks: resample(r, chosen.resamples)}, 1, "cpu", warm=False)["loop"]
        rows.append([name, bench.cpu, loop.cpu])
    print(table(rows))


if __name__ == "__main__":
    main()
