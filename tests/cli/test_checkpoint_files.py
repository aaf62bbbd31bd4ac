"""A checkpoint that somebody gives is a file of others: whatever is in it, one line and exit code 2, 3 or 4."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from cli.small_runs import SMALL

from bench.files import read_tensors, write_tensors

RUN = ("run", "-m", "fse", "-t", "anet-retrieval", *SMALL)


def without(name: str) -> Any:
    return lambda arrays, values: (arrays, {key: value for key, value in values.items() if key != name})


def ingredients(**changed: Any) -> Any:
    return lambda arrays, values: (arrays, {**values, "ingredients": {**values["ingredients"], **changed}})


DAMAGED = {
    "no ingredients": (without("ingredients"), 4, "is not a whole checkpoint"),
    "no state": (without("state"), 4, "is not a whole checkpoint"),
    "empty ingredients": (lambda a, v: (a, {**v, "ingredients": {}}), 4, "is not a whole checkpoint"),
    "ingredients that are a list": (lambda a, v: (a, {**v, "ingredients": [1]}), 4, "is not a whole checkpoint"),
    "state that is a list": (lambda a, v: (a, {**v, "state": []}), 4, "is not a whole checkpoint"),
    "settings that are a list": (ingredients(settings=[1]), 4, "is not a whole checkpoint"),
    "settings nested": (ingredients(settings={"hidden": {}}), 4, "is not a whole checkpoint"),
    "a setting of another type": (ingredients(settings={"word_dim": "x"}), 2, "setting word_dim=x: expected int"),
    "a setting that is unknown": (ingredients(settings={"odd": 1}), 2, "has no setting 'odd'"),
    "a revision that is text": (ingredients(revision="one"), 4, "is not a whole checkpoint"),
    "another model": (ingredients(model="hse"), 2, "is of model 'hse'"),
    "no arrays": (lambda a, v: ({}, v), 4, "does not fit the model"),
    "short arrays": (lambda a, v: ({name: x[:1] for name, x in a.items()}, v), 4, "does not fit the model"),
    "arrays of NaN": (lambda a, v: ({name: x * np.nan for name, x in a.items()}, v), 3, "NaN or infinity"),
    "another kind": (lambda a, v: (a, {**v, "kind": "evidence"}), 4, "is no checkpoint. Give the model.safetensors"),
}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, bench_in: Any) -> Any:
    """Returns the arrays and values of a fitted model's checkpoint."""
    folder = tmp_path_factory.mktemp("fitted")
    bench_in(folder)(*RUN)
    (named,) = folder.glob("runs/fse*/checkpoint.json")
    return read_tensors(json.loads(named.read_text())["file"])  # where errors say that it is named


@pytest.mark.parametrize("what", DAMAGED)
def test_whatever_is_in_a_checkpoint_is_one_line(bench_command: Any, fitted: Any, what: str) -> None:
    change, code, says = DAMAGED[what]
    write_tensors(bench_command.folder / "given.safetensors", *change(*fitted))
    last = bench_command(*RUN, "--checkpoint", "given.safetensors", exit_code=code).stderr.splitlines()[-1]
    assert says in last
    assert len(last) < 1000
    assert "Traceback" not in last


def test_an_untouched_checkpoint_is_used(bench_command: Any, fitted: Any) -> None:
    write_tensors(bench_command.folder / "given.safetensors", *fitted)
    assert "fitting" not in bench_command(*RUN, "--checkpoint", "given.safetensors").stderr
