"""Two solvers of one problem: L-BFGS in torch, on the CPU or a GPU, and scikit-learn's L-BFGS on the CPU.

Both stop when the loss is at most `GAP` above its minimum, as the problem itself can tell, so they agree whatever their
own stopping rules are: scikit-learn's default stops up to 20 % above the minimum for a large C.

The one in torch descends in variables scaled by the square root of an estimate of the second derivatives, the variance
of a direction times the curvature of a class at the start. The better the start, the better the estimate, so that
starting a fit from that of a smaller C gains twice. Every fit says what it reached: a start changes the time, not the
answer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import ModelError
from bench.probing.problem import Point, ProbeWeights, Problem

if TYPE_CHECKING:
    from torch import Tensor

GAP = 1e-6
"""The gap at which a fit is done."""
MOST_ITERATIONS = 5_000
_BETWEEN_CHECKS = 4
"""Iterations after which torch's optimiser is asked where it is."""


@dataclass(frozen=True)
class Fit:
    """A fitted classifier.

    Attributes:
        c: the regularisation.
        loss: what was reached.
        gap: how far at most `loss` is above the minimum, as a share of the loss there or of the gain over guessing.
        iterations: of L-BFGS.
        weights: in the directions of the problem.
    """

    c: float
    loss: float
    gap: float
    iterations: int
    weights: ProbeWeights


Solver = Callable[[Problem, float, ProbeWeights | None], Fit]


def solve(problem: Problem, c: float, start: ProbeWeights | None = None) -> Fit:
    """Returns the minimum under C = `c`, by torch on the problem's device.

    In float32 as far as that goes, and where it goes no further in float64.

    Args:
        start: where to start from; zero without.

    Raises: ModelError when no minimum is found.
    """
    rough = _descend(problem, c, start or zero(problem))
    if rough.gap <= GAP:
        return rough
    exact = _descend(
        problem.precise(), c, ProbeWeights(rough.weights.matrix.double(), rough.weights.intercept.double())
    )
    iterations = rough.iterations + exact.iterations
    if exact.gap > GAP:
        raise _not_found(c, exact.gap, iterations)
    weights = ProbeWeights(exact.weights.matrix.float(), exact.weights.intercept.float())
    return Fit(c, exact.loss, exact.gap, iterations, weights)


def _descend(problem: Problem, c: float, start: ProbeWeights) -> Fit:
    """Returns the minimum, or the point from which the loss falls no further."""
    import torch

    least = 10.0 * torch.finfo(problem.rows.dtype).eps
    descent = _Descent(problem, c, start)
    optimiser = torch.optim.LBFGS(
        [descent.place],
        max_iter=_BETWEEN_CHECKS,
        max_eval=10 * _BETWEEN_CHECKS,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        history_size=20,
        line_search_fn="strong_wolfe",
    )
    done, point = 0, descent.here()
    while point.gap > GAP and done < MOST_ITERATIONS:
        optimiser.step(descent.closure)  # type: ignore[no-untyped-call, unused-ignore]
        done, earlier, point = done + _BETWEEN_CHECKS, point, descent.here()
        if earlier.loss - point.loss <= least * point.loss:
            break
    return Fit(c, point.loss, point.gap, done, descent.weights())


def solve_by_scikit_learn(problem: Problem, c: float, start: ProbeWeights | None = None) -> Fit:
    """Returns the minimum under C = `c`, by scikit-learn's LogisticRegression in float64 on the CPU.

    Its tolerance is lowered until the minimum is as near as `GAP` asks.

    Raises: ModelError when no minimum is found.
    """
    import torch
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    rows, labels = problem.rows.double().cpu().numpy(), problem.labels.cpu().numpy()
    two = (
        problem.n_classes == 2
    )  # it then fits one vector, the difference of two, of which the penalty is half as large
    model = LogisticRegression(C=2.0 * c if two else c, max_iter=MOST_ITERATIONS, tol=1e-4, warm_start=True)
    if start is not None:
        model.coef_ = _one_of_two(start.matrix.t(), two).double().cpu().numpy()
        model.intercept_ = _one_of_two(start.intercept, two).double().cpu().numpy()
    iterations = 0
    for power in range(4, 13):
        model.set_params(tol=10.0**-power)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # what it reached is looked at below
            model.fit(rows, labels)
        iterations += int(model.n_iter_[0])
        matrix, intercept = torch.from_numpy(model.coef_), torch.from_numpy(model.intercept_)
        if two:
            matrix, intercept = torch.cat([-matrix, matrix]) / 2.0, torch.cat([-intercept, intercept]) / 2.0
        weights = ProbeWeights(matrix.t().to(problem.rows).contiguous(), intercept.to(problem.rows))
        point = problem.at(weights, c)
        if point.gap <= GAP:
            return Fit(c, point.loss, point.gap, iterations, weights)
    raise _not_found(c, point.gap, iterations)


def zero(problem: Problem) -> ProbeWeights:
    """Returns weights of zero, under which all classes are alike."""
    rows = problem.rows
    return ProbeWeights(rows.new_zeros(rows.shape[1], problem.n_classes), rows.new_zeros(problem.n_classes))


def _one_of_two(sides: Tensor, two: bool) -> Tensor:
    return sides[1:] - sides[:1] if two else sides


def _not_found(c: float, gap: float, iterations: int) -> ModelError:
    return ModelError(
        f"the linear probe with C = {c:g} is {100 * gap:.2g} % above its minimum after {iterations} iterations: its "
        "embeddings cannot be told apart numerically. Look at their sizes, and at the features they were made of."
    )


class _Descent:
    """The loss as torch's optimiser wants it: one flat vector in scaled variables, and a function that fills its grad.

    The point evaluated last is kept, for the optimiser asks for it again at every start.
    """

    def __init__(self, problem: Problem, c: float, start: ProbeWeights) -> None:
        import torch

        self._problem, self._c = problem, c
        first = problem.at(start, c)
        scale = (problem.variances[:, None] * first.curvature + 1.0 / (c * problem.n)).rsqrt()
        self._matrix_scale, self._intercept_scale = scale, first.curvature.rsqrt()
        flat = torch.cat([(start.matrix / scale).flatten(), start.intercept / self._intercept_scale])
        self.place = flat.requires_grad_()
        self._last: tuple[Tensor, Point] = (flat.detach().clone(), first)

    def weights(self) -> ProbeWeights:
        """Returns the weights at the optimiser's place."""
        flat, size = self.place.detach(), self._matrix_scale.numel()
        matrix = flat[:size].view_as(self._matrix_scale) * self._matrix_scale
        return ProbeWeights(matrix, flat[size:] * self._intercept_scale)

    def here(self) -> Point:
        """Returns the loss at the optimiser's place."""
        import torch

        place, point = self._last
        if not torch.equal(place, self.place.detach()):
            point = self._problem.at(self.weights(), self._c)
            self._last = (self.place.detach().clone(), point)
        return point

    def closure(self) -> Tensor:
        """Returns the loss () float64 and leaves its gradient where the optimiser looks for it."""
        import torch

        point = self.here()
        scaled = (point.matrix * self._matrix_scale).flatten(), point.intercept * self._intercept_scale
        self.place.grad = torch.cat(scaled)
        return torch.tensor(point.loss, dtype=torch.float64)
