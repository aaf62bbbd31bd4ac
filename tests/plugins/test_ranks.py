"""Processes that train one network together take the steps that one process takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ranked

from bench_torch.ranks import any_of, is_first, of_first, part_of, ranks


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what two and four ranks made of the same batches and fits."""
    folder = tmp_path_factory.mktemp("ranks")
    ranked.start_all(folder)
    return folder


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    return {case: ranked.gradients(case) for case in ranked.CASES}


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("case", ranked.CASES)
def test_loss_and_gradient_are_those_of_one_process(together: Path, alone: Any, case: str, size: int) -> None:
    found = json.loads((together / f"{size}.json").read_text())[case]
    assert found["loss"] == pytest.approx(alone[case]["loss"], rel=1e-9)
    expected = np.array(alone[case]["gradient"])
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(found["gradient"], expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("size", [2, 4])
def test_to_put_the_own_part_back_divides_the_gradient_by_the_ranks(together: Path, alone: Any, size: int) -> None:
    wrong = json.loads((together / f"{size}.json").read_text())["put back"]
    assert wrong["loss"] == pytest.approx(alone["fse"]["loss"], rel=1e-9)  # nothing to be seen there
    np.testing.assert_allclose(np.array(wrong["gradient"]) * size, alone["fse"]["gradient"], rtol=1e-5, atol=1e-9)


def test_a_fit_stopped_on_two_ranks_goes_on_on_four(together: Path) -> None:
    whole = ranked.fitted(ranked.make_data(), None)
    again = np.load(together / "fitted.npz")
    assert set(again) == set(whole.arrays)
    for name, array in whole.arrays.items():
        np.testing.assert_allclose(again[name], array, rtol=1e-4, atol=1e-5)


def test_a_process_alone_shares_nothing() -> None:
    assert (ranks(), is_first(), part_of([3, 1, 2]), any_of(True, False), of_first(0.5)) == (
        1,
        True,
        [3, 1, 2],
        [True, False],
        0.5,
    )
