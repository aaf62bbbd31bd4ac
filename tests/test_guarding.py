"""A model's code runs between guards: seeded, and what it changes that is not its own is put back and said."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.errors import InvalidData, ModelError
from bench.plugins.code import Guard
from bench.plugins.global_state import undisturbed


class Lines:
    """A reporter that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def step(self, stage, done, total, values) -> None:
        raise AssertionError("no steps here")

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def log() -> Lines:
    return Lines()


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.random()), float(torch.rand(1))


def test_a_model_that_draws_without_a_seed_of_its_own_gets_the_runs(tmp_path, log):
    found = []
    for seed in (1, 1, 2):
        with Guard("m", seed, tmp_path, log).during("fit"):
            found.append(draws())

    assert found[0] == found[1] != found[2]
    assert log.lines == []  # drawing is its right


def test_the_generators_of_others_do_not_move(tmp_path, log):
    states = random.getstate(), torch.get_rng_state()

    with Guard("m", 3, tmp_path, log).during("fit"):
        draws()

    assert random.getstate() == states[0]
    assert torch.equal(torch.get_rng_state(), states[1])


def test_the_working_directory_and_torchs_defaults_are_put_back_and_said(tmp_path, log):
    here = Path.cwd()

    with Guard("m", 0, tmp_path, log).during("predict"):
        os.chdir(tmp_path)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)

    assert Path.cwd() == here
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert log.lines == ["model 'm' changed the working directory, torch's defaults in order to predict; put back"]


def test_what_it_prints_leaves_stdout_to_the_results(tmp_path, log, capsys):
    with Guard("m", 0, tmp_path, log).during("load"):
        print("loading…")  # noqa: T201

    assert capsys.readouterr() == ("", "loading…\n")


def test_a_failing_model_is_one_line_with_its_traceback_in_the_run(tmp_path, log):
    def fail() -> None:
        os.chdir("/")
        raise KeyError("w")

    says = r"model 'm' failed to fit: KeyError: 'w'\. The traceback is in"
    with pytest.raises(ModelError, match=says), Guard("m", 0, tmp_path, log).during("fit"):
        fail()

    assert "KeyError" in (tmp_path / "traceback.txt").read_text()
    assert Path.cwd() != Path("/")


def test_our_own_errors_pass(tmp_path, log):
    with pytest.raises(InvalidData, match="no rows"), Guard("m", 0, tmp_path, log).during("fit"):
        raise InvalidData("no rows")


def test_what_was_captured_is_kept_and_named():
    with undisturbed(capture=True) as left:
        print("hello")  # noqa: T201
        random.seed(5)

    assert left.printed == "hello\n"
    assert left.changed == ["the random state of python"]
