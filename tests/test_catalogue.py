"""Plugins are found in isolation: a broken one is noted and every other stays usable."""

import sys
import textwrap

import pytest

from bench.catalogue import catalogue
from bench.catalogue.catalogue import EntryPoint, discover
from bench.data.declared import DatasetDeclaration, FeatureDeclaration
from bench.errors import CatalogueError, ConfigError, UnknownName, UsageError

SAMPLE = FeatureDeclaration("sample", "sample", extractor="sample")
DATASETS = {"anet": DatasetDeclaration("anet", "activitynet", None, SAMPLE, test="")}

MODEL = """
from bench.api import ModelSpec, VideoTextEncoder, hookimpl

@hookimpl
def bench_models():
    return [ModelSpec(name="{name}", summary="toy", loader="toy:Toy", provides=(VideoTextEncoder,))]
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Returns a function that writes a plugin module and returns its entry point."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, code: str, distribution: str | None = None) -> EntryPoint:
        module = f"outside_{name.replace('-', '_')}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))
        monkeypatch.delitem(sys.modules, module, raising=False)
        return EntryPoint(name, module, distribution or f"{name}-dist 1.0")

    return write


def errors(found):
    return {plugin.name: plugin.error for plugin in found.plugins}


OURS = EntryPoint("builtin", "bench.catalogue.builtin", "vtbench 0.1.0")


def test_the_bundled_plugins_are_found_and_usable():
    found = discover(DATASETS)

    assert {"hse", "fse", "mean-pool", "count-only", "random"} <= set(found.models)
    assert "anet-retrieval" in found.tasks
    assert all(not plugin.error for plugin in found.plugins)


def test_a_declared_dataset_gets_its_task_by_its_name():
    mine = DatasetDeclaration("mine", "activitynet", None, SAMPLE, segments="none", test="test")

    task = discover({"mine": mine}, [OURS]).task("mine-retrieval")

    assert (task.dataset, task.split, task.view.segments) == ("mine", "test", "none")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("from bench.api import hookimpl\n@hookimpl\ndef bench_models():\n    raise RuntimeError('boom')", "boom"),
        ("from bench.api import hookimpl\n@hookimpl\ndef bench_modles():\n    return []", "bench_modles"),
        ("from bench.api import hookimpl\n@hookimpl\ndef bench_models(what):\n    return []", "what"),
        ("from bench.api import hookimpl\n@hookimpl\ndef bench_models():\n    return ['hse']", "expected ModelSpec"),
        ("from bench.api import hookimpl\n@hookimpl\ndef bench_models():\n    return 3", "TypeError"),
        (MODEL.format(name="../evil"), "../evil"),
        ("def (", "SyntaxError"),
    ],
)
def test_a_broken_plugin_is_noted_and_the_others_stay_usable(plugin, code, says):
    found = discover(DATASETS, [OURS, plugin("bad", code), plugin("good", MODEL.format(name="toy"))])

    assert says in errors(found)["bad"]
    assert "\n" not in errors(found)["bad"]
    assert errors(found)["good"] == ""
    assert found.model("toy").summary == "toy"
    assert "anet-retrieval" in found.tasks


def test_a_plugin_cannot_take_a_bundled_name(plugin):
    bundled = plugin("bundled", MODEL.format(name="hse"), "vtbench 0.1.0")
    thief = plugin("thief", MODEL.format(name="hse"))

    found = discover({}, [bundled, thief])

    assert found.distribution("hse") == "vtbench 0.1.0"
    assert "vtbench 0.1.0" in errors(found)["thief"]
    assert "thief-dist 1.0" in errors(found)["thief"]


def test_a_name_that_two_outside_plugins_claim_is_an_error_that_names_both(plugin):
    found = discover({}, [plugin("one", MODEL.format(name="toy")), plugin("two", MODEL.format(name="toy"))])

    with pytest.raises(CatalogueError, match=r"one-dist 1\.0.*two-dist 1\.0"):
        found.model("toy")


def test_a_third_claim_of_a_name_is_an_error_too(plugin):
    points = [plugin(name, MODEL.format(name="toy")) for name in ("one", "two", "three")]

    found = discover({}, points)

    assert all("name clash" in error for error in errors(found).values())
    assert "toy" not in found.models


def test_an_unknown_name_lists_what_there_is(plugin):
    found = discover(DATASETS, [OURS, plugin("good", MODEL.format(name="toy"))])

    with pytest.raises(UnknownName, match=r"unknown model 'toi'\. Did you mean 'toy'\? Known models: toy\."):
        found.model("toi")
    with pytest.raises(UnknownName, match="anet-retrieval"):
        found.task("anet-retreival")
    with pytest.raises(UnknownName, match="Known datasets: anet"):
        found.dataset("didemo")


def test_task_parameters_are_part_of_the_name():
    found = discover(DATASETS, [OURS])

    task = found.task("anet-retrieval:segments=uniform-5")

    assert task.view.segments == "uniform-5"
    assert task.name == "anet-retrieval:segments=uniform-5"
    assert found.task("anet-retrieval:segments=gt").name == "anet-retrieval"


@pytest.mark.parametrize("text", ["segments", "segments=gt,segments=none", "segment=gt", "segments=half", "segments="])
def test_a_wrong_task_parameter_is_refused(text):
    with pytest.raises(UsageError):
        discover(DATASETS, [OURS]).task(f"anet-retrieval:{text}")


def test_an_unknown_reader_is_a_config_error():
    declared = {"x": DatasetDeclaration("x", "activitinet", None, SAMPLE)}

    with pytest.raises(ConfigError, match=r"datasets\.x\.reader: no reader 'activitinet'"):
        discover(declared, [OURS])


def test_each_entry_point_is_found_once():
    found = catalogue.entry_points()

    assert len({(point.name, point.module) for point in found}) == len(found)
    assert found[0].distribution.startswith("vtbench")
