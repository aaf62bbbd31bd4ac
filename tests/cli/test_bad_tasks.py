"""What breaks in a task of a plugin is said to be the task's, with who offers it; what breaks in a model, its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.conftest import install

PLUGIN = Path(__file__).with_name("outside_tasks.py")
LITTLE = ("--limit", "10")


@pytest.fixture
def both(outside: Path) -> Path:
    """Returns a folder in which outside models, and tasks of another distribution, are installed."""
    return install(outside, PLUGIN, "outside-tasks")


@pytest.mark.parametrize("model", ["Honest", "Lengths"])  # of another distribution, and of the task's own module
@pytest.mark.parametrize(
    ("task", "action", "says"),
    [
        ("BreaksBefore", "predict", "KeyError: 'before the model' (outside_tasks.py, line "),
        ("BreaksAfter", "predict", "NotImplementedError: after the model"),
        ("BreaksInside", "predict", "RuntimeError: called by what the task called"),
        ("AnswersNothing", "predict", "AttributeError: 'NoneType' object has no attribute 'check'"),
        ("CannotScore", "score", "ZeroDivisionError: no queries"),
        ("HasNoRules", "name its rules", "KeyError: 'weights'"),
        ("HasNoAnnotations", "name its annotations", "AttributeError: no such split"),
    ],
)
def test_an_error_of_a_task_names_the_task_and_who_offers_it(bench_command, both, model, task, action, says):
    done = bench_command("run", "-m", model, "-t", task, *LITTLE, exit_code=3, path=both)

    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"TaskError: task {task!r} of outside-tasks 1.0 failed to {action}: {says}")
    assert model not in last
    assert not list(bench_command.folder.glob("runs/*/result.json"))


def test_a_task_that_takes_no_parameters_is_named(bench_command, both):
    done = bench_command("run", "-m", "Honest", "-t", "TakesNoParameters:segments=none", exit_code=3, path=both)
    told = bench_command("info", "HasNoRules", exit_code=3, path=both)

    assert "task 'TakesNoParameters' of outside-tasks 1.0 failed to take parameters: KeyError" in done.stderr
    assert "task 'HasNoRules' of outside-tasks 1.0 failed to state its rules: KeyError" in told.stderr


@pytest.mark.parametrize("task", ["Sound", "anet-retrieval"])
@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("Raises", "failed to predict: ValueError: the weights are upside down"),
        ("Careless", "failed to predict: KeyError: 'a word of the model'"),
        ("NothingToSay", "NoneType"),
    ],
)
def test_an_error_of_a_model_names_the_model_under_any_task(bench_command, both, task, model, says):
    done = bench_command("run", "-m", model, "-t", task, *LITTLE, exit_code=3, path=both)

    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ModelError: model {model!r}")
    assert says in last


def test_a_task_that_breaks_costs_its_own_cell_only(bench_command, both):
    done = bench_command("run", "-m", "Honest", "-t", "CannotScore", "-t", "Sound", *LITTLE, exit_code=5, path=both)

    assert "Honest on CannotScore (seed 0) failed. TaskError: task 'CannotScore'" in done.stderr
    assert len(list(bench_command.folder.glob("runs/Honest--Sound--*/result.json"))) == 1
