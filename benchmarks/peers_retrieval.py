"""Rows of retrieval for `peers.py`, and what bench, torchmetrics, ranx, ir_measures and mteb make of them."""

from __future__ import annotations

import atexit
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from bench.cli import bench

SEED = 20181008


@cache
def scratch() -> Path:
    """Returns a folder that is gone when the program ends."""
    folder = tempfile.TemporaryDirectory(prefix="bench-peers-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@dataclass(frozen=True)
class Rows:
    """What retrieval scorers are given.

    Attributes:
        name: of the row of the table.
        scores: (M, N); text i asks for video `right[i]`.
        right: (M,) the right video of each text, of the same shape as `scores` has rows.
        lost: texts that the answers lack.
    """

    name: str
    scores: np.ndarray
    right: np.ndarray
    lost: frozenset[int] = field(default_factory=frozenset)

    @property
    def qrels(self) -> dict[str, dict[str, int]]:
        return {f"q{i:03}": {f"v{video:03}": 1} for i, video in enumerate(self.right)}

    @property
    def run(self) -> dict[str, dict[str, float]]:
        return {
            f"q{i:03}": {f"v{j:03}": float(score) for j, score in enumerate(row)}
            for i, row in enumerate(self.scores)
            if i not in self.lost
        }


def retrieval_rows(n: int) -> list[Rows]:
    """Returns the cases: one ranking written in several ways, ties, damaged and lost rows."""
    rng = np.random.default_rng(SEED)
    diagonal, noise = np.arange(n), rng.normal(size=(n, n))
    cosines = np.clip(0.1 * noise + 0.35 * np.eye(n), -1.0, 1.0)
    order = cosines.argsort(axis=1).argsort(axis=1)
    logarithms = 20 * cosines - np.log(np.exp(20 * cosines).sum(axis=1, keepdims=True))
    damaged = np.where(np.eye(n, dtype=bool), np.nan, noise)
    one = cosines.copy()
    one[0, 0] = np.nan
    ranks = (cosines > cosines.diagonal()[:, None]).sum(axis=1)
    hardest = frozenset(np.argsort(-ranks, kind="stable")[: n // 10].tolist())
    close = np.array([[0.5 + 1e-10, 0.5]])
    rows = [
        Rows("cosines", cosines, diagonal),
        Rows("the same, less 0.5", cosines - 0.5, diagonal),
        Rows("the same, times 100", cosines * 100, diagonal),
        Rows("as distances, negated", -(1.0 - cosines), diagonal),
        Rows("as logarithms of a softmax", logarithms, diagonal),
        Rows("as ranks, negated", (order - n).astype(float), diagonal),
    ]
    rows += [
        Rows(f"{k} equal scores, the right video {where}", np.full((1, k), 0.5), np.array([place]))
        for k in (16, 17)
        for where, place in (("first", 0), ("last", k - 1))
    ]
    return [
        *rows,
        Rows(f"all {n} x {n} equal", np.full((n, n), 0.5), diagonal),
        Rows("two scores, the right one 1e-10 better", close, np.array([0])),
        Rows("noise", noise, diagonal),
        Rows("noise, the right video's score NaN", damaged, diagonal),
        Rows("cosines, one right video's score NaN", one, diagonal),
        Rows("cosines, every second query lost", cosines, diagonal, frozenset(range(0, n, 2))),
        Rows("cosines, the hardest tenth of the queries lost", cosines, diagonal, hardest),
    ]


def of_bench(rows: Rows) -> float:
    """R@1 as bench gives it, from a TREC run where queries are lost, else from the matrix."""
    folder = Path(tempfile.mkdtemp(dir=scratch()))
    if rows.lost:
        lines = [f"{q} Q0 {v} 1 {score!r} x" for q, own in rows.run.items() for v, score in own.items()]
        (folder / "run.txt").write_text("\n".join(lines), encoding="utf-8")
        lines = [f"{q} 0 {v} 1" for q, own in rows.qrels.items() for v in own]
        (folder / "qrels.txt").write_text("\n".join(lines), encoding="utf-8")
        files = ["--run", str(folder / "run.txt"), "--qrels", str(folder / "qrels.txt")]
    else:
        np.save(folder / "s.npy", rows.scores)
        (folder / "ids.txt").write_text("\n".join(map(str, rows.right)), encoding="utf-8")
        files = ["--similarity", str(folder / "s.npy"), "--ids", str(folder / "ids.txt")]
    return measured_by_bench("retrieval", *files)["t2v/R@1"]


def measured_by_bench(*words: str) -> dict[str, float]:
    """Returns the measurements that `bench score` prints. Raises: what it raises."""
    done = CliRunner().invoke(bench, ["score", *words, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    record = json.loads(done.stdout)
    return {measurement["name"]: measurement["value"] for measurement in record["measurements"]}


def of_torchmetrics(metric: str) -> Callable[[Rows], float]:
    def scored(rows: Rows) -> float:
        import torch
        import torchmetrics.retrieval

        kept = [i for i in range(len(rows.scores)) if i not in rows.lost]
        scores = torch.from_numpy(rows.scores[kept].astype(np.float32))
        target = torch.zeros(scores.shape, dtype=torch.bool)
        target[torch.arange(len(kept)), torch.from_numpy(rows.right[kept])] = True
        queries = torch.arange(len(kept)).repeat_interleave(scores.shape[1])
        return 100 * float(
            getattr(torchmetrics.retrieval, metric)(top_k=1)(scores.flatten(), target.flatten(), queries)
        )

    return scored


def of_ranx(rows: Rows) -> float:
    from ranx import Qrels, Run, evaluate

    return 100 * float(evaluate(Qrels(rows.qrels), Run(rows.run), "recall@1"))


def of_ranx_made_comparable(rows: Rows) -> float:
    from ranx import Qrels, Run, evaluate

    return 100 * float(evaluate(Qrels(rows.qrels), Run(rows.run), "recall@1", make_comparable=True))


def of_ir_measures(rows: Rows) -> float:
    import ir_measures
    from ir_measures import R

    return 100 * float(ir_measures.calc_aggregate([R @ 1], rows.qrels, rows.run)[R @ 1])


def of_pytrec_eval(rows: Rows) -> float:
    import pytrec_eval

    found = pytrec_eval.RelevanceEvaluator(rows.qrels, {"recall.1"}).evaluate(rows.run)
    return 100 * float(np.mean([own["recall_1"] for own in found.values()]))


def of_mteb(rows: Rows) -> float:
    from mteb._evaluators.retrieval_metrics import calculate_retrieval_scores

    return 100 * float(calculate_retrieval_scores(rows.run, rows.qrels, [1]).recall["Recall@1"])


RETRIEVAL: dict[str, tuple[str, Callable[[Rows], float]]] = {
    "bench": ("vtbench", of_bench),
    "torchmetrics RetrievalRecall": ("torchmetrics", of_torchmetrics("RetrievalRecall")),
    "torchmetrics RetrievalHitRate": ("torchmetrics", of_torchmetrics("RetrievalHitRate")),
    "ranx": ("ranx", of_ranx),
    "ranx, make_comparable": ("ranx", of_ranx_made_comparable),
    "ir_measures": ("ir_measures", of_ir_measures),
    "pytrec_eval, mean": ("pytrec_eval-terrier", of_pytrec_eval),
    "mteb": ("mteb", of_mteb),
}
