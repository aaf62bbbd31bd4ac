"""Both solvers reach one minimum, from any start, and say when they do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from probing_data import digits, thumos14

from bench.errors import ModelError
from bench.probing import solvers
from bench.probing.choice import STRENGTHS, normalised
from bench.probing.problem import LARGEST_ROTATION, ProbeWeights, Problem, problem_of
from bench.probing.solvers import GAP, Solver, solve, solve_by_scikit_learn, zero

BOTH = pytest.mark.parametrize("solver", [solve, solve_by_scikit_learn])


def small(seed: int = 0, n: int = 60, d: int = 12, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    return normalised(rng.normal(size=(n, d)) + rng.normal(size=(classes, d))[labels]), labels


def plain_loss(rows: np.ndarray, labels: np.ndarray, matrix: np.ndarray, intercept: np.ndarray, c: float) -> float:
    """Returns the loss of a classifier of the embeddings themselves, (d, K) and (K,), in float64."""
    logits = rows.astype(np.float64) @ matrix + intercept
    own = logits[np.arange(len(labels)), labels]
    fit = np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)) + logits.max(axis=1) - own
    return float(fit.mean() + (matrix**2).sum() / (2 * c * len(labels)))


def accuracy(problem: Problem, weights: ProbeWeights, rows: np.ndarray, labels: np.ndarray) -> float:
    return 100 * float((problem.logits(torch.from_numpy(rows), weights).argmax(dim=1).numpy() == labels).mean())


def test_loss_and_gradient_are_those_of_autograd() -> None:
    rows, labels = small()
    problem = problem_of(rows, labels)
    generator = torch.Generator().manual_seed(1)
    matrix = torch.randn(problem.rows.shape[1], 4, generator=generator).requires_grad_()
    intercept = torch.randn(4, generator=generator).requires_grad_()
    fit = torch.nn.functional.cross_entropy(problem.rows @ matrix + intercept, problem.labels)
    loss = fit + matrix.square().sum() / (2 * 3.0 * len(labels))
    loss.backward()
    loss = loss.detach()
    point = problem.at(ProbeWeights(matrix.detach(), intercept.detach()), 3.0)
    assert point.loss == pytest.approx(float(loss), rel=1e-6)
    torch.testing.assert_close(point.matrix, matrix.grad)
    torch.testing.assert_close(point.intercept, intercept.grad)


def test_centring_and_turning_rows_changes_no_loss() -> None:
    rows, labels = small()
    problem = problem_of(rows, labels)
    found = solve(problem, 10.0)
    assert problem.axes is not None
    matrix = (problem.axes @ found.weights.matrix).double().numpy()
    intercept = found.weights.intercept.double().numpy() - problem.centre.double().numpy() @ matrix
    assert found.loss == pytest.approx(plain_loss(rows, labels, matrix, intercept, 10.0), rel=1e-6)


@BOTH
@pytest.mark.parametrize("c", [1e-3, 1.0, 1e4])
def test_the_minimum_is_scikit_learns_of_the_embeddings_themselves(solver: Solver, c: float) -> None:
    from sklearn.linear_model import LogisticRegression

    rows, labels = small()
    reference = LogisticRegression(C=c, tol=1e-10, max_iter=100_000).fit(rows.astype(np.float64), labels)
    expected = plain_loss(rows, labels, reference.coef_.T, reference.intercept_, c)
    assert solver(problem_of(rows, labels), c, None).loss == pytest.approx(expected, rel=3e-5)


@BOTH
def test_two_classes_are_fitted_like_more(solver: Solver) -> None:
    rows, labels = small(classes=2)
    problem = problem_of(rows, labels)
    found = solver(problem, 5.0, None)
    assert found.gap <= GAP
    assert found.weights.matrix.shape == (12, 2)
    assert solver(problem, 5.0, found.weights).loss == pytest.approx(found.loss, rel=GAP)


def test_the_gap_is_no_less_than_the_distance_from_the_minimum() -> None:
    rows, labels = small()
    problem = problem_of(rows, labels)
    lowest = solve_by_scikit_learn(problem, 1.0).loss
    for c in (0.01, 0.1, 10.0):
        point = problem.at(solve(problem, c).weights, 1.0)
        assert point.gap >= (point.loss - lowest) / lowest - 1e-4


@pytest.mark.parametrize("real", [digits, thumos14])
def test_solvers_agree_on_real_data(real, shared) -> None:
    """Loss within 1e-4, accuracy within 0.1 points, at every C; starts from the fit before reach what cold ones do."""
    rows, labels, test_rows, test_labels = real(shared)
    problem = problem_of(rows, labels)
    start = None
    for c in STRENGTHS:
        cold, other = solve(problem, c), solve_by_scikit_learn(problem, c)
        warm = solve(problem, c, start)
        assert cold.loss == pytest.approx(other.loss, rel=1e-4), c
        assert warm.loss == pytest.approx(cold.loss, rel=1e-4), c
        scores = [accuracy(problem, found.weights, test_rows, test_labels) for found in (cold, warm, other)]
        assert max(scores) - min(scores) <= 0.1, c
        start = warm.weights


def test_more_dimensions_than_videos_span_no_more_than_the_videos() -> None:
    rows, labels = small(n=20, d=50)
    problem = problem_of(rows, labels)
    assert problem.rows.shape == (20, 20)
    assert solve(problem, 100.0).loss == pytest.approx(solve_by_scikit_learn(problem, 100.0).loss, rel=1e-4)


def test_rows_too_many_to_be_turned_reach_the_same_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = small()
    turned = solve(problem_of(rows, labels), 100.0)
    monkeypatch.setattr("bench.probing.problem.LARGEST_ROTATION", 5)
    assert min(rows.shape) < LARGEST_ROTATION
    problem = problem_of(rows, labels)
    assert problem.axes is None
    assert solve(problem, 100.0).loss == pytest.approx(turned.loss, rel=1e-4)


@BOTH
def test_constant_and_repeated_columns_do_no_harm(solver: Solver) -> None:
    rows, labels = small()
    constant = np.concatenate([rows, np.full((60, 3), 0.25, dtype=np.float32)], axis=1)
    assert solver(problem_of(constant, labels), 10.0, None).loss == pytest.approx(
        solver(problem_of(rows, labels), 10.0, None).loss, rel=1e-4
    )
    doubled = np.concatenate([rows, rows], axis=1)
    found = solver(problem_of(doubled, labels), 10.0, None)
    # Two columns alike share a weight: half the penalty, as under twice the C.
    twice = problem_of(rows * np.float32(np.sqrt(2)), labels)
    assert found.loss == pytest.approx(solver(twice, 10.0, None).loss, rel=1e-4)


@BOTH
def test_a_fit_that_does_not_arrive_is_an_error(solver: Solver, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = small()
    monkeypatch.setattr(solvers, "GAP", -1.0)
    monkeypatch.setattr(solvers, "MOST_ITERATIONS", 40)
    with pytest.raises(ModelError, match=r"C = 1 is .* above its minimum"):
        solver(problem_of(rows, labels), 1.0, None)


@pytest.mark.usefixtures("cuda")
def test_a_gpu_reaches_the_minimum_of_the_cpu() -> None:
    rows, labels = small(n=400, d=64, classes=10)
    on_cpu = problem_of(rows, labels)
    for c in STRENGTHS:
        found = solve(problem_of(rows, labels, "cuda"), c)
        assert found.weights.matrix.device.type == "cuda"
        assert found.loss == pytest.approx(solve(on_cpu, c).loss, rel=1e-4)


def test_weights_of_zero_hold_all_classes_alike() -> None:
    rows, labels = small()
    problem = problem_of(rows, labels)
    assert problem.at(zero(problem), 1.0).loss == pytest.approx(np.log(4))
