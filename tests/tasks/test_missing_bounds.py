"""Bounds on a test set of which videos are missing: they hold whatever the missing ones score, and some scores reach
them.

The whole test is a matrix of scores of our own; what is missing is filled in by random numbers, by very low and by very
high ones, and ranked by a loop written down here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.annotations import ClassAnnotations, RetrievalAnnotations
from bench.matching import Matching
from bench.metrics.class_measurements import measure as measure_classes
from bench.metrics.retrieval import measure
from bench.predictions import ClassScores, PairScores
from bench.tasks.asking.class_scores import class_evidence
from bench.tasks.counting import evidence_of

NAMED = ("t2v/R@3", "v2t/R@3", "v2t/any-hit R@3", "t2v/MRR", "v2t/MRR", "t2v/nDCG@4", "t2v/P@2", "v2t/best-caption R@2")


def ranked(scores: np.ndarray, owners: list[int]) -> dict[str, float]:
    """Returns what is measured of scores (texts, videos), by loops; nothing ties."""
    texts, videos = scores.shape
    ranks = {"t2v": [1 + sum(scores[i] > scores[i, owners[i]]) for i in range(texts)], "v2t": [], "best": []}
    for j in range(videos):
        own = [i for i in range(texts) if owners[i] == j]
        best = max(scores[i, j] for i in own)
        ranks["v2t"].append(1 + sum(scores[i, j] > best for i in range(texts) if owners[i] != j))
        of_videos = [max(scores[i, j] for i in range(texts) if owners[i] == k) for k in range(videos)]
        ranks["best"].append(1 + sum(score > best for score in of_videos))
    heads = {"t2v": "t2v/", "v2t": "v2t/", "best": "v2t/best-caption "}
    values = {}
    for way, head in heads.items():
        own = np.array(ranks[way])
        values |= {f"{head}R@{k}": 100 * float(np.mean(own <= k)) for k in (1, 2, 3, 5, 10, 50)}
        values |= {f"{head}MeanR": float(own.mean()), f"{head}MedR": float(np.floor(np.median(own - 1)) + 1)}
        values |= {f"{head}MRR": 100 * float(np.mean(1 / own))}
    own = np.array(ranks["t2v"])
    gains = np.where(own <= 4, 1 / np.log2(1 + own), 0.0)
    return {**values, "t2v/nDCG@4": 100 * float(gains.mean()), "t2v/P@2": 50 * float(np.mean(own <= 2))}


def fillings(scores: np.ndarray, owners: list[int], gone: list[int], texts_known: bool) -> Iterator[np.ndarray]:
    """Yields the whole test with other scores for what is missing: random, and the extremes for each direction.

    Args:
        texts_known: whether the scores of missing videos' texts with the videos that are there are as they are.
    """
    lost = np.array([owner in gone for owner in owners])
    columns = np.zeros(scores.shape[1], dtype=bool)
    columns[gone] = True
    free = np.broadcast_to(columns, scores.shape).copy()
    if not texts_known:
        free |= lost[:, None]
    rng, far = np.random.default_rng(int(abs(scores[0, 0]) * 1e6)), 1e3
    for _ in range(20):
        yield np.where(free, rng.normal(size=scores.shape) * rng.choice([0.1, 1, 10]), scores)
    right = np.array(owners)[:, None] == np.arange(scores.shape[1])
    for own, others_of_lost, others in product((-1, 1), repeat=3):  # right pairs, other pairs of lost texts, the rest
        value = np.where(right, own, np.where(lost[:, None], others_of_lost, others)) * far
        yield np.where(free, value + rng.normal(size=scores.shape), scores)


@st.composite
def sets_with_missing(draw: st.DrawFn) -> tuple[list[int], list[int], int]:
    """Returns the video of each text, which videos are missing, and a seed."""
    sizes = draw(
        st.one_of(st.lists(st.just(1), min_size=2, max_size=7), st.lists(st.integers(1, 3), min_size=2, max_size=5))
    )
    gone = draw(st.lists(st.integers(0, len(sizes) - 1), unique=True, min_size=1, max_size=len(sizes) - 1))
    return [j for j, n in enumerate(sizes) for _ in range(n)], sorted(gone), draw(st.integers(0, 10**6))


@pytest.mark.parametrize("policy", ["exclude", "penalise"])
@settings(max_examples=30, deadline=None)
@given(drawn=sets_with_missing())
def test_the_whole_test_lies_within_the_bounds_and_reaches_them(
    policy: str, drawn: tuple[list[int], list[int], int]
) -> None:
    owners, gone, seed = drawn
    sizes = np.bincount(owners)
    scores = np.random.default_rng(seed).normal(size=(len(owners), len(sizes))).astype(np.float32)
    there = [j for j in range(len(sizes)) if j not in gone]
    kept = [i for i, owner in enumerate(owners) if owner in there or policy == "penalise"]
    names = [f"v{j}" for j in range(len(sizes))]
    matching = Matching.of(
        {f"t{i:02}": [names[owners[i]]] for i in kept},
        [names[j] for j in (there if policy == "exclude" else range(len(sizes)))],
    )
    annotations = RetrievalAnnotations(
        matching,
        "a" * 64,
        missing=frozenset(names[j] for j in gone) if policy == "penalise" else frozenset(),
        absent=tuple(int(sizes[j]) for j in gone) if policy == "exclude" else (),
    )
    said = PairScores(tuple(names[j] for j in there), tuple(f"t{i:02}" for i in kept), scores[np.ix_(kept, there)])
    measured = measure(evidence_of(said, annotations, "cpu"), NAMED)
    found = {one.name.replace("any-hit ", ""): one for one in measured}  # of some videos, one caption each may be left
    wholes = [ranked(whole, owners) for whole in fillings(scores, owners, gone, policy == "penalise")]
    compared = [name for name in found if name in wholes[0]]
    assert {"t2v/R@1", "t2v/MedR", "t2v/MeanR", "t2v/MRR"} <= set(compared)
    assert any(name.startswith("v2t") for name in compared)
    for name in compared:
        bounds = found[name].bounds
        assert bounds is not None, name
        low, high = sorted((bounds.worst, bounds.best))
        values = [whole[name] for whole in wholes]
        assert all(low - 1e-9 <= value <= high + 1e-9 for value in values), name
        assert min(values) == pytest.approx(low), name
        assert max(values) == pytest.approx(high), name
        if policy == "exclude":
            assert bounds.present == pytest.approx(found[name].value)
    for name in ("t2v/R@1", "t2v/MeanR"):
        own = scores[np.ix_([i for i in kept if owners[i] in there], there)]
        places = [there.index(owner) for owner in owners if owner in there]
        assert found[name].bounds.present == pytest.approx(ranked(own, places)[name]) if len(there) > 1 else True


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=3, max_size=7), st.integers(1, 2), st.integers(0, 10**6), st.booleans())
def test_shares_of_classes_lie_within_theirs(sizes: list[int], lost: int, seed: int, left_out: bool) -> None:
    rng = np.random.default_rng(seed)
    names = tuple(f"class {c}" for c in range(9))
    labels = [tuple(int(c) for c in rng.choice(9, size=n, replace=False)) for n in sizes]
    scores = rng.normal(size=(len(sizes), 9)).astype(np.float32)
    gone = sorted(rng.choice(len(sizes), size=lost, replace=False).tolist())
    there = [i for i in range(len(sizes)) if i not in gone]

    def measured(rows: list[int], values: np.ndarray, **missing: object) -> dict[str, object]:
        truth = ClassAnnotations({f"v{i}": labels[i] for i in rows}, names, "a" * 64, **missing)  # type: ignore[arg-type]
        shown = [i for i in rows if f"v{i}" not in truth.missing]
        said = ClassScores(tuple(f"v{i}" for i in shown), values[shown], names)
        return {one.name: one for one in measure_classes(class_evidence(said, truth, "toy"), ["top2", "AvgHit@2"])}

    if left_out:
        found = measured(there, scores, absent=tuple(sizes[i] for i in gone))
    else:
        found = measured(list(range(len(sizes))), scores, missing=frozenset(f"v{i}" for i in gone))
    wholes = []
    for case in ("random", "wrong", "right"):
        filled = scores.copy()
        for i in gone:
            own = np.isin(np.arange(9), labels[i])
            filled[i] = rng.normal(size=9) + {"random": 0.0, "wrong": -99.0, "right": 99.0}[case] * own
        wholes.append(measured(list(range(len(sizes))), filled))
    alone = measured(there, scores)
    for name in ("top1", "top2", "top5", "Hit@3", "AvgHit@2", "AvgHit@3"):
        bounds, values = found[name].bounds, [whole[name].value for whole in wholes]
        assert bounds.worst - 1e-9 <= min(values) <= max(values) <= bounds.best + 1e-9
        assert values[1:] == pytest.approx([bounds.worst, bounds.best])
        assert bounds.present == pytest.approx(alone[name].value)
    assert found["mAP"].bounds is None
    assert found["mean_class/top1"].bounds is None


def test_without_missing_videos_there_are_no_bounds() -> None:
    matching = Matching.of({"t0": ["v0"], "t1": ["v1"]})
    said = PairScores(("v0", "v1"), ("t0", "t1"), np.eye(2, dtype=np.float32))
    assert all(
        one.bounds is None for one in measure(evidence_of(said, RetrievalAnnotations(matching, "a" * 64), "cpu"))
    )
