"""Cells: planned, run one by one or beside each other, and studies of them: nothing is lost, numbers are the same."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from cli.conftest import install

TASK = "anet-retrieval"
SMALL = ("-t", TASK, "--limit", "30", "--set", "fse.epochs=1", "--set", "fse.hidden=8,16")
DIGITS = 12


def planned(bench: Any, *arguments: str) -> list[dict[str, Any]]:
    bench("plan", *arguments, "--write", "cells.json")
    return json.loads((bench.folder / "cells.json").read_text())["cells"]


def predictions(folder: Path) -> dict[str, str]:
    """Returns the digest of every run's predictions."""
    records = [json.loads(path.read_text()) for path in folder.glob("*/result.json")]
    return {record["run"]: record["predictions"]["sha256"] for record in records}


@pytest.fixture
def site(bench_command: Any) -> Path:
    """Returns the folder in which the models of dying_models.py are installed, for commands run in this process."""
    dying(bench_command)
    return Path(bench_command.folder) / "site"


def dying(bench: Any) -> dict[str, str]:
    """Installs the models of dying_models.py; returns the environment in which they are found."""
    site = install(bench.folder / "site", Path(__file__).with_name("dying_models.py"), "dying-models")
    return {"PYTHONPATH": f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}


def ran(bench: Any, *arguments: str, exit_code: int = 0, env: dict[str, str] | None = None) -> tuple[str, str]:
    """Runs the command as a process of its own; returns what it said on stdout and stderr."""
    process = bench.start(*arguments, env=env)
    out, err = process.communicate(timeout=300)
    assert process.returncode == exit_code, f"{process.returncode}\n{out}\n{err}"
    return out, err


def wait_until(holds: Callable[[], bool], patience: float = 120) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


def stops_at_the_second_ctrl_c_and_goes_on(bench: Any, *launcher: str) -> str:
    """Tests that asking twice to stop ends the command, and that the same command goes on; returns what it said."""
    begun = bench.folder / "begun-once"
    command = ("run", "-m", "slow", "-t", TASK, "--limit", "30", "--set", f"slow.marker={begun}", *launcher)
    env = dying(bench)
    process = bench.start(*command, env=env)
    wait_until(lambda: begun.exists() and begun.read_text() != "", 300)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode in (130, -signal.SIGINT), f"{out}\n{err}"  # the second may come as it leaves
    assert "the same command goes on" in err
    _, after = ran(bench, *command, env=env)
    assert "[1 of 1] slow" in after
    assert len(predictions(bench.folder / "runs")) == 1
    return err


def has_a_full_disk_said_and_tried_elsewhere(bench: Any, says: str, *launcher: str) -> None:
    """Tests that a cell whose process can write no more says so, and is done by another process."""
    cells = ("run", "-m", "full", "-t", TASK, "--limit", "30", *launcher)
    env = dying(bench)
    marker = ("--set", f"full.marker={bench.folder / 'full'}")
    _, err = ran(bench, *cells, *marker, env=env, exit_code=1)
    assert "failed. BenchError: its process " in err
    assert says in err
    _, err = ran(bench, *cells, *marker, "--seeds", "0,1", "--retries", "1", env=env)
    assert "failed" not in err
    assert len(predictions(bench.folder / "runs")) == 2


def is_running(process: int) -> bool:
    """Returns whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_cells_are_all_combinations_and_their_ids_follow_from_what_they_ask(bench_command: Any) -> None:
    cells = planned(bench_command, "-m", "fse", "-m", "random", *SMALL, "--seeds", "0,1")
    asked = [(cell["model"], cell.get("settings", {}).get("hidden"), cell["seed"]) for cell in cells]
    of_fse = [("fse", "8", 0), ("fse", "8", 1), ("fse", "16", 0), ("fse", "16", 1)]
    assert asked == [*of_fse, ("random", None, 0), ("random", None, 1)]
    ids = [cell["id"] for cell in cells]
    assert len(set(ids)) == 6
    assert all(len(one) == DIGITS for one in ids)
    other = ("-t", TASK, "--limit", "30", "--set", "hidden=8", "--set", "epochs=1")
    again = planned(bench_command, "-m", "fse", *other)
    assert again[0]["id"] == ids[0], "settings in another order, and fewer other cells"


def test_values_that_mean_the_same_are_one_cell(bench_command: Any) -> None:
    cells = planned(bench_command, "-m", "hse", "-t", TASK, "--set", "tau=5e-4,0.0005,0.00050,1")
    assert [cell["settings"]["tau"] for cell in cells] == ["0.0005", "1.0"]


def test_planning_checks_names_and_opens_nothing(bench_command: Any) -> None:
    assert "unknown model 'hsee'" in bench_command("plan", "-m", "hsee", "-t", TASK, exit_code=3).stderr
    said = bench_command("plan", "-m", "hse", "-t", TASK, "--set", "hiden=3", exit_code=2).stderr
    assert "has no setting 'hiden'. Did you mean 'hidden'?" in said
    assert "expected int" in bench_command("plan", "-m", "hse", "-t", TASK, "--set", "hidden=a,3", exit_code=2).stderr
    assert not (bench_command.folder / "runs").exists()


def test_a_cell_by_place_or_id_is_the_run_of_its_command(bench_command: Any) -> None:
    cells = planned(bench_command, "-m", "fse", "-m", "random", *SMALL)
    for cell in ("0", cells[0]["id"]):
        bench_command("run", "--cells", "cells.json", "--cell", cell)
    [record] = [json.loads(path.read_text()) for path in bench_command.folder.glob("runs/*/result.json")]
    assert record["model"]["settings"]["hidden"] == 8
    command = record["provenance"]["command"]
    assert command[:6] == ["bench", "run", "--model", "fse", "--task", TASK]
    bench_command(*command[1:], "--output", "by-command")
    assert predictions(bench_command.folder / "by-command") == predictions(bench_command.folder / "runs")
    outcome = json.loads((bench_command.folder / "runs" / "cells" / f"{cells[0]['id']}.json").read_text())
    assert (outcome["state"], outcome["run"], outcome["reused"]) == ("done", record["run"], True)


def test_beside_each_other_cells_give_what_they_give_in_turn(bench_command: Any) -> None:
    arguments = ("run", "-m", "fse", "-m", "random", *SMALL, "--seeds", "0,1")
    bench_command(*arguments, "--output", "in-turn")
    err = bench_command(*arguments, "--jobs", "2", "--output", "beside").stderr
    assert "6 cells on 2 processes" in err
    assert "[6 of 6]" in err
    assert predictions(bench_command.folder / "beside") == predictions(bench_command.folder / "in-turn")
    assert len(predictions(bench_command.folder / "beside")) == 6
    err = bench_command(*arguments, "--jobs", "2", "--output", "beside").stderr
    assert err.count("complete already") == 6


def test_a_killed_process_costs_its_own_cell_and_is_tried_again_when_asked(bench_command: Any, site: Path) -> None:
    always = ("--set", "dying.always=true", "--set", "dying.marker=m")
    models = ("-m", "dying", "-m", "honest", "-m", "random", "-t", TASK, "--jobs", "2")
    done = bench_command("run", *models, *always, path=site, exit_code=5)
    said = "failed. BenchError: its process was killed by SIGKILL (out of memory?). Its log: "
    assert said in done.stderr
    assert "1 of 3 cells failed" in done.stderr
    assert len(predictions(bench_command.folder / "runs")) == 2
    assert done.stdout.count("honest") == 1

    once = ("--set", "dying.marker=once", "--retries", "1")
    err = bench_command("run", *models, *once, path=site).stderr
    assert "failed" not in err
    assert len(predictions(bench_command.folder / "runs")) == 3


def test_a_process_that_can_write_no_more_says_so_and_is_not_used_again(bench_command: Any) -> None:
    says = "could not leave word: cannot write "
    has_a_full_disk_said_and_tried_elsewhere(bench_command, says, "--jobs", "2")


def test_what_the_user_has_to_mend_is_not_tried_again_and_a_model_that_cannot_is_skipped(
    bench_command: Any, site: Path
) -> None:
    models = ("-m", "unlucky", "-m", "random", "-m", "tsn", "-t", TASK)
    err = bench_command("run", *models, "--jobs", "2", "--retries", "3", path=site, exit_code=5).stderr
    [failed] = [line for line in err.splitlines() if "unlucky" in line and "failed." in line]
    assert "no licence key" in failed
    assert any(" tsn on " in f" {line}" and "skipped." in line for line in err.splitlines())
    [log] = [path for path in bench_command.folder.glob("runs/cells/logs/*.log") if "licence" in path.read_text()]
    assert log.read_text().count("no licence key") == 1


def test_workers_leave_with_the_process_that_started_them(bench_command: Any) -> None:
    env = dying(bench_command)
    command = ("run", "-m", "slow", "-m", "random", "-t", TASK, "--set", "slow.marker=begun", "--jobs", "2")
    process = bench_command.start(*command, env=env)
    begun = bench_command.folder / "begun"
    wait_until(lambda: begun.exists() and begun.read_text() != "")
    worker = int(begun.read_text())
    process.kill()
    process.communicate(timeout=60)
    wait_until(lambda: not is_running(worker))


def test_ctrl_c_ends_all_workers_and_the_same_command_goes_on(bench_command: Any) -> None:
    env = dying(bench_command)
    command = ("run", "-m", "slow", "-m", "random", "-t", TASK, "--set", "slow.marker=begun", "--jobs", "2")
    process = bench_command.start(*command, env=env)
    wait_until(lambda: (bench_command.folder / "begun").exists() and bool(predictions(bench_command.folder / "runs")))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "finished cells are saved" in err
    _, err = ran(bench_command, "run", "-m", "random", "-t", TASK, "--jobs", "2", env=env)
    assert "random on anet-retrieval (seed 0): complete already" in err


@pytest.mark.parametrize(
    ("change", "exit_code", "words"),
    [
        (lambda text: text.replace('"seed": 0', '"seed": 3'), 4, "Leave `id` out of a cell that you edit"),
        (lambda text: text.replace("bench-cells/1", "bench-cells/9"), 4, "is no bench-cells/1 file: schema"),
        (lambda text: text.replace('"model"', '"modle"', 1), 4, "Did you mean 'model'?"),
        (lambda text: text[: len(text) // 2], 4, "is not whole JSON"),
        (lambda text: "[1, 2]", 4, "expected keys and values"),
    ],
)
def test_a_damaged_file_of_cells_is_told(bench_command: Any, change: Any, exit_code: int, words: str) -> None:
    planned(bench_command, "-m", "random", "-t", TASK)
    path = bench_command.folder / "cells.json"
    path.write_text(change(path.read_text()))
    assert words in bench_command("run", "--cells", "cells.json", "--cell", "0", exit_code=exit_code).stderr
    assert not (bench_command.folder / "runs").exists()


def test_cells_are_run_under_the_configuration_they_were_planned_under(bench_command: Any) -> None:
    config = bench_command.folder / "bench.yaml"
    config.write_text("version: 1\ndatasets: {mine: {reader: activitynet, root: sample, features: sample}}\n")
    planned(bench_command, "-m", "random", "-t", "mine-retrieval")
    config.write_text(config.read_text() + "word_vectors: null\n")
    said = bench_command("run", "--cells", "cells.json", exit_code=2).stderr
    assert "was changed since the cells were planned. Plan them again" in said
    config.unlink()
    assert "is not there. Plan them where it is" in bench_command("run", "--cells", "cells.json", exit_code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--cells", "cells.json", "--cell", "7"), "no such cell; places 0 to 0"),
        (("--cells", "cells.json", "-m", "random"), "-m beside --cells"),
        (("--cells", "cells.json", "--limit", "3"), "--limit beside --cells"),
        (("--cells", "cells.json", "--precision", "bf16"), "--precision beside --cells"),
        (("--cells", "cells.json", "--batch-size", "8"), "--batch-size beside --cells"),
        (("--cells", "cells.json", "--checkpoint", "x", "--no-resume"), "--no-resume and --checkpoint beside --cells"),
        (("-m", "random", "-t", TASK, "--retries", "1"), "--retries without --jobs"),
        (("-m", "fse", "-t", TASK, "--jobs", "2", "--checkpoint", "x"), "--checkpoint with --jobs"),
        (("--cell", "0"), "--cell without --cells"),
        (("-m", "random", "-t", TASK, "--cell", "0"), "--cell without --cells"),
        (("-m", "random", "-t", TASK, "--jobs", "2", "--device", "gpu"), "--device gpu: not a device"),
        (("-m", "random", "-t", TASK, "--device", "cuda:²"), "--device cuda:²: not a device"),
        (("-m", "random"), "--model and --task are needed"),
        (("-m", "random", "-t", TASK, "--jobs", "2", "--no-resume"), "--no-resume with --jobs"),
        (("-m", "random", "-t", TASK, "--jobs", "0"), "0 is not in the range"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(
    bench_command: Any, arguments: tuple[str, ...], words: str
) -> None:
    planned(bench_command, "-m", "random", "-t", TASK)
    assert words in bench_command("run", *arguments, exit_code=2).stderr


STUDY = {
    "version": 1,
    "models": {"fse": {"hidden": [8, 16], "epochs": 1}, "random": None},
    "tasks": [TASK],
    "seeds": [0, 1],
    "limit": 60,
    "output": "studied",
}


def study(bench: Any, **changes: Any) -> None:
    (bench.folder / "study.yaml").write_text(yaml.safe_dump(STUDY | changes))


def test_a_study_is_run_watched_and_summed_up(bench_command: Any) -> None:
    study(bench_command)
    assert bench_command("study", "status", "study.yaml").stdout == "6 cells: 0 done, 6 left\n"
    bench_command("plan", "-m", "random", "-t", TASK, "--limit", "60", "-o", "studied", "-w", "cells.json")
    bench_command("run", "--cells", "cells.json")  # a cell is a cell, whoever runs it
    assert bench_command("study", "status", "study.yaml").stdout.startswith("6 cells: 1 done, 5 left, about ")
    err = bench_command("study", "run", "study.yaml", "--jobs", "2").stderr
    assert "6 cells, 1 done" in err
    assert bench_command("study", "status", "study.yaml").stdout == "6 cells: 6 done, 0 left\n"

    lines = bench_command("study", "table", "study.yaml").stdout.splitlines()
    rows = [line.split() for line in lines if line.startswith(("fse", "random"))]
    assert len(rows) == 3
    assert sum("optimistic" in row for row in rows) == 1, "chosen on the test split, and it says so"
    records = [json.loads(path.read_text()) for path in bench_command.folder.glob("studied/random--*/result.json")]
    mean = sum(record["measurements"][0]["value"] for record in records) / 2
    [of_random] = [row for row in rows if row[0] == "random"]
    assert of_random[1:4] == ["–", "2", f"{mean:.1f}"]
    told = json.loads(bench_command("study", "status", "study.yaml", "--json").stdout)
    assert {one["outcome"]["state"] for one in told} == {"done"}

    for one in told:  # what remains takes as long as cells like it took
        path = bench_command.folder / "studied" / "cells" / f"{one['id']}.json"
        seconds = 1200 if one["model"] == "fse" else 60
        path.write_text(json.dumps(one["outcome"] | {"seconds": seconds, "reused": False}))
    (bench_command.folder / "studied" / "cells" / f"{told[0]['id']}.json").unlink()
    said = bench_command("study", "status", "study.yaml").stdout
    assert (told[0]["model"], said) == ("fse", "6 cells: 5 done, 1 left, about 20 min one after the other\n")


def test_a_study_of_one_cell_says_what_there_is_and_chose_nothing(bench_command: Any) -> None:
    study(bench_command, models=["random"], seeds=[0], choose_on=f"{TASK}-val2", limit=20)
    assert "no cell is done" in bench_command("study", "table", "study.yaml").stderr
    refused = bench_command("study", "run", "study.yaml", "--device", "gpu", exit_code=2).stderr
    assert refused.endswith("UsageError: --device gpu: not a device. Use auto, cpu, cuda or cuda:0.\n")
    bench_command("study", "run", "study.yaml")
    said = bench_command("study", "table", "study.yaml").stdout
    assert said.count("random") == 2
    assert "chosen\n" not in said
    assert "optimistic" not in said, "one setting is no choice"
    assert (
        "Name it so, such as s.svg." in bench_command("study", "plot", "study.yaml", "-o", "s.png", exit_code=2).stderr
    )
    study(bench_command, models=["random"], seeds=[0], limit=20)
    assert bench_command("study", "status", "study.yaml").stdout == "1 cell: 1 done, 0 left\n"
    missing = bench_command("study", "status", "none.yaml", exit_code=2).stderr
    assert "ConfigError: none.yaml: no such file." in missing


def test_cells_that_ran_on_the_second_gpu_are_done(bench_command: Any) -> None:
    from bench.catalogue import config
    from bench.catalogue.lookup import Session
    from bench.runs.plan import plan
    from bench.runs.request import Request
    from bench.study.study_file import read_study

    study(bench_command, models=["random"], seeds=[0], limit=20)
    bench_command("study", "run", "study.yaml", "--device", "cpu")
    session = Session(config.load(None))
    cells = read_study(bench_command.folder / "study.yaml", session).cells
    [cell] = cells.cells
    asked = cell.request(replace(Request.under(session.config, cells.output), device="cuda:1"))
    there = plan(session.cell(cell.model, cell.task), asked).folder
    outcome = cells.output / "cells" / f"{cell.id}.json"
    said = json.loads(outcome.read_text())
    (cells.output / said["run"]).rename(there)
    outcome.write_text(json.dumps(said | {"run": there.name}))
    for device, line in (("cpu", "0 done, 1 left (1 of them"), ("cuda:1", "1 done, 0 left")):
        record = json.loads((there / "result.json").read_text())
        record["provenance"]["device"] = device
        (there / "result.json").write_text(json.dumps(record))
        assert f"1 cell: {line}" in bench_command("study", "status", "study.yaml").stdout


def test_settings_are_chosen_where_the_study_says(bench_command: Any) -> None:
    study(bench_command, seeds=[0], choose_on=f"{TASK}-val2")
    bench_command("study", "run", "study.yaml")
    said = bench_command("study", "table", "study.yaml").stdout
    assert f"{TASK}-val2, settings are chosen here" in said
    tables = said.split(f"\n{TASK}\n")
    chosen = [
        [line.split()[1] for line in table.splitlines() if "fse" in line and "chosen" in line] for table in tables
    ]
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 1
    assert "chosen on the test split: optimistic" in tables[1], "val_2 says something else of the same videos"


def test_a_failed_cell_is_listed_with_its_log_and_tried_again(bench_command: Any, site: Path) -> None:
    study(bench_command, models={"dying": {"marker": "once"}, "random": None}, seeds=[0])
    assert "1 of 2 cells failed" in bench_command("study", "run", "study.yaml", path=site, exit_code=5).stderr
    out = bench_command("study", "status", "study.yaml", path=site).stdout
    assert out.startswith("2 cells: 1 done, 1 failed, 0 left\n")
    assert "dying marker=once on anet-retrieval (seed 0): BenchError: its process was killed by SIGKILL" in out
    assert "2 cells, 1 done" in bench_command("study", "run", "study.yaml", path=site).stderr


CONFIG = """version: 1
datasets:
  mine:
    {reader: activitynet, root: data, features: frames, splits: {train: {file: train.json}, test: {file: test.json}}}
  dev:
    {reader: activitynet, root: data, features: frames, splits: {train: {file: train.json}, test: {file: dev.json}}}
features:
  frames: {reader: npy-folder, path: data/frames, extractor: X, stride: 8 frames}
"""


def own_data(folder: Path) -> None:
    """Writes a dataset of a few videos with features that a test may change, and its bench.yaml."""
    import numpy as np

    draw = np.random.default_rng(0)
    (folder / "data" / "frames").mkdir(parents=True)
    for split, count in (("train", 8), ("test", 5), ("dev", 5)):
        videos = {f"v_{split}{i}": {"duration": 4, "timestamps": [[0, 2]], "sentences": [f"{i}"]} for i in range(count)}
        (folder / "data" / f"{split}.json").write_text(json.dumps(videos))
        for name in videos:
            np.save(folder / "data" / "frames" / f"{name}.npy", draw.normal(size=(3, 4)).astype(np.float32))
    (folder / "bench.yaml").write_text(CONFIG)


def test_cells_whose_features_were_changed_since_are_run_again(bench_command: Any) -> None:
    import numpy as np

    own_data(bench_command.folder)
    models = {"random": None, "count-only": None}
    study(bench_command, models=models, tasks=["mine-retrieval"], seeds=[0], limit=None)
    bench_command("study", "run", "study.yaml")
    assert bench_command("study", "status", "study.yaml").stdout == "2 cells: 2 done, 0 left\n"
    np.save(bench_command.folder / "data" / "frames" / "v_test0.npy", np.ones((3, 4), np.float32))

    said = bench_command("study", "status", "study.yaml").stdout
    told = json.loads(bench_command("study", "status", "study.yaml", "--json").stdout)

    changed = "(2 of them were done on other data, or with other models, than there are now)"
    assert said == f"2 cells: 0 done, 2 left {changed}\n"
    assert [one["changed"] for one in told] == [True, True]
    assert "2 cells, 0 done" in bench_command("study", "run", "study.yaml").stderr
    assert bench_command("study", "status", "study.yaml").stdout == "2 cells: 2 done, 0 left\n"
    (bench_command.folder / "data" / "frames" / "v_test0.npy").unlink()
    assert bench_command("study", "status", "study.yaml").stdout == "2 cells: 2 done, 0 left\n", "it cannot be told"


SVG = "{http://www.w3.org/2000/svg}"


def drawn(bench: Any, *arguments: str) -> tuple[Any, str]:
    """Draws the study; returns the picture, and all that is written in it."""
    bench("study", "plot", "study.yaml", "--output", "study.svg", *arguments)
    root = ElementTree.fromstring((bench.folder / "study.svg").read_text())  # noqa: S314 (ours)
    return root, "\n".join(text.text or "" for text in root.iter(f"{SVG}text"))


def test_a_sweep_is_drawn_with_intervals_tests_and_what_was_chosen_where(bench_command: Any) -> None:
    own_data(bench_command.folder)
    study(bench_command, tasks=["mine-retrieval"], seeds=[0], limit=None, choose_on="dev-retrieval")
    bench_command("study", "run", "study.yaml")
    said = bench_command("study", "table", "study.yaml").stdout
    assert "optimistic" not in said
    rows = said.split("\nmine-retrieval\n")[1].splitlines()
    root, words = drawn(bench_command)

    assert root.tag == f"{SVG}svg"
    assert len(root.findall(f"{SVG}svg")) == 2, "a panel for each task"
    assert "Settings are chosen here." in words
    panel = words.split("Settings were chosen on dev-retrieval.")[1]
    assert "1 fse: hidden=8 " in panel
    assert "2 random: " in panel
    assert panel.count("chosen") == 1
    [of_random] = [line for line in rows if line.startswith("random")]
    mean, low, high = re.search(r"(\S+) \[(\S+), (\S+)\]", of_random).groups()
    assert f"{mean} [{low}, {high}]" in panel
    assert len(re.findall(r"p = 0\.\d{3}|p = 1\.000|best", panel)) == 3
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert len(titles) == 2 * (2 + 2), "two points of fse, and the level of random at both"


def test_a_picture_of_a_sweep_that_chose_on_its_test_split_says_so(bench_command: Any) -> None:
    study(bench_command, models={"fse": {"hidden": [8, 16], "epochs": [1, 2]}}, seeds=[0], limit=30)
    assert (
        "no cell of the study is done"
        in bench_command("study", "plot", "study.yaml", "-o", "study.svg", exit_code=2).stderr
    )
    bench_command("study", "run", "study.yaml")
    said = bench_command("study", "plot", "study.yaml", "-o", "study.svg", exit_code=2).stderr
    assert "The study sweeps epochs, hidden. Choose the one along the axis: --over epochs." in said
    said = bench_command("study", "plot", "study.yaml", "-o", "study.svg", "--over", "tau", exit_code=2).stderr
    assert "--over tau: not one of them." in said
    _, words = drawn(bench_command, "--over", "epochs")
    assert "Settings were chosen on the test split: the best is optimistic." in words
    assert "1 fse hidden=16: " in words
    assert "2 fse hidden=8: " in words


@pytest.mark.parametrize(
    ("changes", "exit_code", "words"),
    [
        ({"models": {"fse": {"hiden": 3}}}, 2, "has no setting 'hiden'"),
        ({"models": {"fsee": None}}, 3, "unknown model 'fsee'"),
        ({"models": []}, 2, "study.yaml: models: name models"),
        ({"models": {"fse": {"hidden": []}}}, 2, "models.fse.hidden: an empty list leaves nothing to run"),
        ({"models": {"fse": {"hidden": {"a": 1}}}}, 2, "models.fse.hidden: expected text, found"),
        ({"seeds": []}, 2, "seeds: an empty list"),
        ({"seeds": [-1]}, 2, "seeds.0: expected a whole number"),
        ({"task": [TASK]}, 2, "task: unknown key. Did you mean 'tasks'?"),
        ({"choose_on": TASK}, 2, "choose_on: anet-retrieval is one of the tasks"),
    ],
)
def test_a_study_file_that_is_wrong_is_told(
    bench_command: Any, changes: dict[str, Any], exit_code: int, words: str
) -> None:
    study(bench_command, **changes)
    assert words in bench_command("study", "status", "study.yaml", exit_code=exit_code).stderr
