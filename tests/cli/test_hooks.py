"""Every hook is documented by an example that runs; a hook without one fails here."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest
from cli.conftest import install

from bench.plugins import hookspecs

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENT = (PROJECT / "docs" / "hooks.md").read_text(encoding="utf-8")
HOOKS = sorted(name for name, _ in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("bench_"))


def section(hook: str) -> str:
    """Returns what docs/hooks.md says of a hook."""
    found = re.search(rf"^## `{hook}`\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/hooks.md has no section on {hook}"
    return found.group(1)


def blocks(text: str, head: str) -> list[str]:
    return re.findall(rf"^```{re.escape(head)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def examples(hook: str) -> list[tuple[str, str, str | None]]:
    """Returns the examples of a hook: a module, commands that use it, and the configuration they need."""
    text = section(hook)
    code, config, commands = (
        blocks(text, head) for head in (f"python mine.py {hook}", f"yaml bench.yaml {hook}", "sh")
    )
    assert code, f"{hook} has no example"
    assert len(code) == len(commands), f"{hook} has an example without a command that uses it"
    assert len(config) in (0, len(code))
    return list(zip(code, commands, config or [None] * len(code), strict=True))


def features_by_hand(folder: Path) -> None:
    """Writes the files that the example of bench_feature_readers reads."""
    (folder / "features").mkdir()
    for split, count in (("train", 4), ("test", 3)):
        videos = {f"{split}{i}": {"duration": 4, "timestamps": [[0, 2]], "sentences": [f"{i}"]} for i in range(count)}
        (folder / f"{split}.json").write_text(json.dumps(videos))
        for i, name in enumerate(videos):
            (folder / "features" / f"{name}.txt").write_text(f"{i} 1 2\n0 1 {i}\n" * 3)


EXAMPLES = [(hook, number) for hook in HOOKS for number in range(len(examples(hook)))]


@pytest.mark.parametrize(("hook", "number"), EXAMPLES)
def test_each_hook_is_documented_by_an_example_that_runs(bench_command, tmp_path, hook, number):
    code, commands, config = examples(hook)[number]
    module = tmp_path / "mine.py"
    module.write_text(code)
    site = install(tmp_path / "site", module, "mine")
    if config:
        (tmp_path / "bench.yaml").write_text(config)
    if hook == "bench_feature_readers":
        features_by_hand(tmp_path)

    printed = [bench_command(*line.split()[1:], path=site).stdout for line in commands.splitlines()]
    listed = json.loads(bench_command("plugin", "list", "--json", path=site).stdout)

    (mine,) = [row for row in listed if row["plugin"] == "mine"]
    assert (mine["status"], mine["remarks"]) == ("ok", [])
    assert EFFECTS[hook](tmp_path, printed[-1])


def journal(folder: Path) -> bool:
    (file,) = folder.glob("runs/*/journal.txt")
    lines = file.read_text().splitlines()
    return lines[0] == "random on anet-retrieval, seed 0" and "predict" in lines[1] and "t2v/R@1 = " in lines[-1]


def column(folder: Path) -> bool:
    (record,) = folder.glob("results/*/result.json")
    (page,) = folder.glob("board/anet-retrieval.md")
    stored = json.loads(record.read_text())["columns"]
    return [c["name"] for c in stored] == ["dimension"] and "dimension" in page.read_text()


EFFECTS = {
    "bench_models": lambda folder, printed: "lengths" in printed,
    "bench_encoders": lambda folder, printed: "encoder: colours:3" in printed and "  grid: 3 — fields" in printed,
    "bench_tasks": lambda folder, printed: "segments=uniform-4" in printed or "2 rows in 1 table" in printed,
    "bench_datasets": lambda folder, printed: "pool=6:" in printed,
    "bench_feature_readers": lambda folder, printed: "features=by-hand-3:" in printed,
    "bench_papers": lambda folder, printed: "mine2026" in printed,
    "bench_watchers": lambda folder, printed: journal(folder),
    "bench_launchers": lambda folder, printed: "random" in printed and any(folder.glob("runs/cells/logs/*.log")),
    "bench_columns": lambda folder, printed: column(folder),
    "bench_exporters": lambda folder, printed: printed.startswith("anet-retrieval\trandom\t"),
}


def test_a_watcher_and_a_column_that_fail_cost_nothing_but_a_line(bench_command, tmp_path):
    module = tmp_path / "faulty.py"
    module.write_text(
        "from bench.api import ColumnSpec, WatcherSpec, hookimpl\n"
        "class Watcher:\n    def __init__(self, start): pass\n"
        "    def step(self, *_): raise OSError('the server is gone')\n"
        "def nan(run): return float('nan')\n"
        "@hookimpl\ndef bench_watchers(): return [WatcherSpec('log', '', 'faulty:Watcher')]\n"
        "@hookimpl\ndef bench_columns(): return [ColumnSpec('nan', '', 'score', True, 'faulty:nan'),\n"
        "    ColumnSpec('absent', '', 'score', True, 'faulty:absent')]\n"
    )
    site = install(tmp_path / "site", module, "faulty")

    done = bench_command("run", "-m", "random", "-t", "anet-retrieval", "--limit", "20", path=site)

    assert "watcher 'log' failed and is told no more: OSError: the server is gone" in done.stderr
    assert done.stderr.count("is told no more") == 1
    assert "column 'nan' is left out: ValueError: nan is no finite number" in done.stderr
    assert "column 'absent' is left out: AttributeError" in done.stderr
    (record,) = tmp_path.glob("runs/*/result.json")
    assert json.loads(record.read_text())["columns"] == []


def test_a_watcher_hears_of_a_failed_run(bench_command, tmp_path, outside):
    module = tmp_path / "hearing.py"
    module.write_text(
        "from bench.api import WatcherSpec, hookimpl\n"
        "class Watcher:\n    def __init__(self, start): self.start = start\n"
        "    def failed(self, reason): (self.start.folder / 'failed.txt').write_text(reason)\n"
        "@hookimpl\ndef bench_watchers(): return [WatcherSpec('log', '', 'hearing:Watcher')]\n"
    )
    site = install(outside, module, "hearing")

    bench_command("run", "-m", "Raises", "-t", "anet-retrieval", "--limit", "20", exit_code=3, path=site)

    (told,) = tmp_path.glob("runs/*/failed.txt")
    assert told.read_text().startswith("ModelError: model 'Raises' failed to predict")


def test_an_exporter_that_fails_is_one_line(bench_command, tmp_path, control_runs):
    module = tmp_path / "faulty.py"
    module.write_text(
        "from bench.api import ExporterSpec, hookimpl\ndef export(boards): return 3\n"
        "@hookimpl\ndef bench_exporters(): return [ExporterSpec('three', '', 'faulty:export')]\n"
    )
    site = install(tmp_path / "site", module, "faulty")

    done = bench_command("leaderboard", "export", "three", "--results", control_runs, exit_code=3, path=site)
    unknown = bench_command("leaderboard", "export", "tree", "--results", control_runs, exit_code=3, path=site)

    assert "exporter 'three' failed: TypeError: it returned int, expected text" in done.stderr
    assert "Did you mean 'three'?" in unknown.stderr


def test_a_tracker_is_told_only_of_runs_whose_configuration_asks_for_it(bench_command, tmp_path):
    module = tmp_path / "diary.py"
    module.write_text(
        "from bench.api import WatcherSpec, hookimpl\n"
        "class Watcher:\n    def __init__(self, start): (start.folder / 'diary.txt').touch()\n"
        "    def step(self, *_): pass\n"
        "    def finished(self, result): raise OSError('the disk is full')\n"
        "@hookimpl\ndef bench_watchers(): return [WatcherSpec('diary', '', 'diary:Watcher', tracker=True)]\n"
    )
    site = install(tmp_path / "site", module, "diary")
    config = "version: 1\ndatasets: {mine: {reader: activitynet, root: sample, features: sample}}\n"
    run = ("run", "-m", "random", "-t", "mine-retrieval", "--limit", "20", "--json", "--output")

    (tmp_path / "bench.yaml").write_text(config)
    alone = json.loads(bench_command(*run, "alone", path=site).stdout)[0]
    (tmp_path / "bench.yaml").write_text(config + "trackers: [diary]\n")
    done = bench_command(*run, "told", path=site)
    (tmp_path / "bench.yaml").write_text(config + "trackers: [dairy]\n")
    unknown = bench_command(*run, "unknown", path=site, exit_code=3)

    told = json.loads(done.stdout)[0]
    assert [path.parent.parent.name for path in tmp_path.glob("*/*/diary.txt")] == ["told"]
    assert "watcher 'diary' failed and is told no more: OSError: the disk is full" in done.stderr
    assert (told["measurements"], told["signature"]) == (alone["measurements"], alone["signature"])
    assert "unknown tracker 'dairy'. Did you mean 'diary'?" in unknown.stderr
