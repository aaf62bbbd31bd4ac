"""Settings are typed; a spec resolves them from defaults, recipes and the user."""

from dataclasses import replace

import pytest

from bench.api import ModelSpec, Setting, UsageError, VideoTextEncoder

SPEC = ModelSpec(
    name="toy",
    summary="a toy",
    loader="toy.model:Toy",
    provides=(VideoTextEncoder,),
    settings={
        "hidden": Setting(1024, "state size", minimum=1),
        "lr": Setting(1e-3, "learning rate", minimum=0.0),
        "low": Setting("auto", "low-level loss", choices=("auto", "none", "weak", "strong")),
        "cluster": Setting(True, "cluster terms"),
    },
    recipes={"sample": {"hidden": 128}},
)


def test_defaults_apply_when_nothing_is_said():
    assert SPEC.resolve(None, {}) == {"hidden": 1024, "lr": 1e-3, "low": "auto", "cluster": True}


def test_a_recipe_replaces_defaults_and_the_user_replaces_the_recipe():
    assert SPEC.resolve("sample", {})["hidden"] == 128
    assert SPEC.resolve("sample", {"hidden": "64"})["hidden"] == 64
    assert SPEC.resolve("another", {})["hidden"] == 1024


def test_a_recipe_for_a_setting_that_is_not_there_is_an_error_and_not_passed_over():
    slip = replace(SPEC, recipes={"sample": {"hiden": 128}})
    with pytest.raises(UsageError, match="model 'toy' has no setting 'hiden'"):
        slip.resolve("sample", {})
    assert slip.resolve("another", {})["hidden"] == 1024


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("hidden", "64", 64),
        ("hidden", 64, 64),
        ("lr", "1e-4", 1e-4),
        ("lr", 1, 1.0),
        ("low", "weak", "weak"),
        ("cluster", "false", False),
        ("cluster", "True", True),
        ("cluster", False, False),
    ],
)
def test_values_take_the_type_of_the_default(name, text, value):
    found = SPEC.resolve(None, {name: text})[name]

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("hiden", "64", "Did you mean 'hidden'?"),
        ("zzz", "64", "Settings: cluster, hidden, low, lr."),
        ("hidden", "many", "expected int"),
        ("hidden", "1.5", "expected int"),
        ("hidden", 1.5, "expected int"),
        ("hidden", True, "expected int"),
        ("hidden", "0", "at least 1"),
        ("lr", "nan", "expected float"),
        ("lr", float("nan"), "expected float"),
        ("lr", "inf", "expected float"),
        ("lr", "1_0", "expected float"),
        ("hidden", "1_0", "expected int"),
        ("hidden", "\N{FULLWIDTH DIGIT ONE}", "expected int"),
        ("lr", "-0.1", "at least 0"),
        ("low", "high", "Choose from auto, none, weak, strong"),
        ("cluster", "maybe", "expected bool"),
    ],
)
def test_a_wrong_setting_is_refused(name, text, says):
    with pytest.raises(UsageError, match=says.replace("?", r"\?")):
        SPEC.resolve(None, {name: text})
