"""Parameters of tasks are declared: `bench info` explains them, every choice works, and else one line says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.catalogue import config as configuration
from bench.catalogue.lookup import Session
from bench.errors import UsageError
from bench.tasks.parameters import Parametrised


@pytest.fixture(scope="module")
def tasks() -> dict[str, Parametrised]:
    """Returns the tasks on the sample, by name."""
    return dict(Session(configuration.load(None)).catalogue.tasks)  # type: ignore[arg-type]


def test_every_choice_of_every_task_works_and_is_said_in_its_name(tasks: dict[str, Parametrised]) -> None:
    tried = 0
    for name, task in tasks.items():
        for key, parameter in task.declared.items():
            assert parameter.doc, (name, key)
            assert bool(parameter.choices) != bool(parameter.form), (name, key)
            for choice in parameter.choices:
                chosen = task.with_parameters({key: choice})
                assert chosen.parameters[key] == choice
                assert chosen.with_parameters({key: parameter.value}).name == task.name == name
                assert chosen.name == name if choice == parameter.value else chosen.name.endswith(f"{key}={choice}")
                tried += 1
    assert tried > 20


def test_what_is_no_parameter_or_no_choice_is_told_with_those_there_are(tasks: dict[str, Parametrised]) -> None:
    for task in tasks.values():
        with pytest.raises(UsageError, match=rf"has no parameter 'colour'. Parameters: {', '.join(task.declared)}\."):
            task.with_parameters({"colour": "red"})
        for key, parameter in task.declared.items():
            if parameter.choices:
                with pytest.raises(UsageError, match=rf"{key}=red: use {', '.join(parameter.choices)}\."):
                    task.with_parameters({key: "red"})


def test_info_explains_them(bench_command: Any) -> None:
    facts = json.loads(bench_command("info", "anet-retrieval-incomplete:cut=both", "--json").stdout)
    assert facts["parameters"] == {
        "segments": "gt (gt, none or uniform-K) — the clips a model sees beside the whole video",
        "set": "none (none, or one of `bench list sets`) — the named test set that is asked",
        "cut": "both (video, text, both) — what is incomplete",
        "order": "prefix (prefix, random) — which clips and sentences are kept",
    }
    assert (
        "cut=red: use video, text, both."
        in bench_command("info", "anet-retrieval-incomplete:cut=red", exit_code=2).stderr
    )
