"""A hostile set of plugins, installed all at once: each is reported, and every other model stays usable."""

import json
from pathlib import Path

import pytest
from cli.conftest import install

HOOK = "from bench.api import ModelSpec, VideoTextEncoder, hookimpl\n"
TOY = HOOK + (
    "{before}\n@hookimpl\ndef bench_models():\n    {inside}\n"
    "    return [ModelSpec(name='{name}', summary='', loader='toy:Toy', provides=(VideoTextEncoder,))]\n"
)

FAILING = {
    "import-error": ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
    "raises": (HOOK + "@hookimpl\ndef bench_models():\n    raise RuntimeError('boom')", "RuntimeError: boom"),
    "wrong-hook": (HOOK + "@hookimpl\ndef bench_modles():\n    return []", "bench_modles"),
    "clash": (TOY.format(before="", inside="pass", name="hse"), "name clash: model 'hse' is claimed by vtbench"),
    "too-new": ("BENCH_API = 99\n" + TOY.format(before="", inside="pass", name="new"), "written for bench API 99"),
    "too-old": ("BENCH_API = 0\n" + TOY.format(before="", inside="pass", name="old"), "Install a newer release"),
    "absent-name": ("from bench.api import NothingOfThisName", "API 1"),
    "leaves": ("import sys\nsys.exit(3)", "SystemExit: 3"),
}

MISBEHAVING = {
    "slow": (TOY.format(before="import time; time.sleep(0.6)", inside="pass", name="slow"), "slow to import (0."),
    "prints": (TOY.format(before="print('hello')", inside="print('again')", name="prints"), "prints to stdout"),
    "seeds": (
        TOY.format(before="import random; random.seed(1)", inside="random.random()", name="seeds"),
        "changes the random state of python",
    ),
    "moves": (TOY.format(before="import os; os.chdir('/')", inside="os.chdir('/')", name="moves"), "working directory"),
}


@pytest.fixture
def hostile(tmp_path, outside):
    """Returns the folder with the whole set, beside the models of outside_models.py."""
    for name, (code, _) in {**FAILING, **MISBEHAVING}.items():
        module = tmp_path / f"hostile_{name.replace('-', '_')}.py"
        module.write_text(code)
        install(outside, module, name)
    return outside


def listed(bench_command, site, *flags):
    done = bench_command(*flags, "plugin", "list", "--json", path=site)
    return {row["plugin"]: row for row in json.loads(done.stdout)}


def test_each_is_reported_for_what_it_did(bench_command, hostile):
    rows = listed(bench_command, hostile)

    for name, (_, says) in FAILING.items():
        assert rows[name]["status"] == "failed", name
        assert says in rows[name]["error"], name
    for name, (_, says) in MISBEHAVING.items():
        assert rows[name]["status"] == "ok", name
        assert any(says in remark for remark in rows[name]["remarks"]), name
    assert all(row["status"] == "ok" for name, row in rows.items() if name not in FAILING)


def test_every_other_model_stays_usable_and_stdout_holds_results_only(bench_command, hostile):
    here = Path.cwd()

    done = bench_command(
        "run", "-m", "Honest", "-m", "random", "-t", "anet-retrieval", "--limit", "20", "--json", path=hostile
    )

    assert {record["model"]["name"] for record in json.loads(done.stdout)} == {"Honest", "random"}
    assert {path.parent.parent for path in bench_command.folder.glob("runs/*/result.json")} == {
        bench_command.folder / "runs"
    }
    assert Path.cwd() == here


def test_a_refused_plugin_names_both_versions(bench_command, hostile):
    error = listed(bench_command, hostile)["too-new"]["error"]

    assert "plugin too-new was written for bench API 99; this is vtbench" in error
    assert "with API 1. Install a vtbench with API 99." in error


def test_a_strict_command_refuses_the_set_and_names_every_one(bench_command, hostile):
    done = bench_command("--strict-plugins", "list", "models", exit_code=3, path=hostile)

    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("CatalogueError: BENCH_STRICT_PLUGINS is set")
    assert all(f"{name} ({name} 1.0): " in last for name in {**FAILING, "prints": 0, "seeds": 0, "moves": 0})


def test_blocked_plugins_are_not_imported_and_satisfy_strictness(bench_command, hostile, monkeypatch):
    monkeypatch.setenv("BENCH_DISABLE_PLUGINS", ", ".join([*FAILING, *MISBEHAVING]))

    rows = listed(bench_command, hostile, "--strict-plugins")

    assert {name for name, row in rows.items() if row["status"] == "blocked"} == {*FAILING, *MISBEHAVING}
    assert not any(
        row["error"] or row["remarks"] or row["provides"] for row in rows.values() if "blocked" in row.values()
    )


def test_a_blocked_plugin_takes_its_models_with_it(bench_command):
    rows = listed(bench_command, None, "--no-plugin", "hse")
    done = bench_command("--no-plugin", "hse", "run", "-m", "hse", "-t", "anet-retrieval", exit_code=3)

    assert rows["hse"]["status"] == "blocked"
    assert "unknown model 'hse'" in done.stderr
    assert "hse" in bench_command("list", "models").stdout  # only that command was told


def test_blocking_what_is_not_installed_is_a_usage_error(bench_command):
    done = bench_command("--no-plugin", "hsee", "list", "models", exit_code=2)

    assert "no such plugin. Installed: builtin, controls" in done.stderr


def test_a_dataset_whose_reader_failed_is_closed_and_the_others_are_open(bench_command, hostile):
    (bench_command.folder / "bench.yaml").write_text(
        "version: 1\ndatasets:\n  anet: {reader: activitynet, root: sample, features: sample}\n"
        "  theirs: {reader: outside, root: data, features: simulated}\n"
    )

    bench_command("run", "-m", "random", "-t", "anet-retrieval", "--limit", "20", path=hostile)
    done = bench_command("data", "verify", "theirs", exit_code=3, path=hostile)

    assert "no reader 'outside'" in done.stderr
    assert "import-error (ModuleNotFoundError" in done.stderr


def test_the_kit_refuses_a_plugin_that_cannot_be_used_and_reports_one_that_misbehaves(bench_command, hostile):
    refused = bench_command("plugin", "check", "wrong-hook", exit_code=3, path=hostile)
    reported = bench_command("plugin", "check", "prints", exit_code=6, path=hostile)

    assert "plugin 'wrong-hook' (wrong-hook 1.0) is failed: " in refused.stderr
    assert "| plugin prints | well-behaved when listed | failed | prints to stdout" in reported.stdout
