"""`bench run --ranks`: several processes fit one model, the first predicts, and whichever fails is told in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from cli.conftest import install
from safetensors.numpy import load_file

SMALL = ("--task", "anet-retrieval", "--limit", "24", "--device", "cpu", "--set", "epochs=2", "--set", "batch=7")
HSE = ("run", "-m", "hse", *SMALL, "--set", "hidden=8", "--set", "word_dim=4", "--set", "selection=held-out", "--json")


def test_two_ranks_give_the_predictions_of_one_process(bench_command: Any) -> None:
    records = [
        json.loads(bench_command(*HSE, "--output", f"runs-{ranks}", "--ranks", str(ranks)).stdout)[0]
        for ranks in (1, 2)
    ]
    one, two = (
        load_file(bench_command.folder / f"runs-{ranks}" / record["run"] / record["predictions"]["file"])
        for ranks, record in zip((1, 2), records, strict=True)
    )
    for side in ("paragraphs", "videos"):
        np.testing.assert_allclose(two[side], one[side], atol=1e-5)
    made = [record["provenance"]["checkpoint"] for record in records]
    assert (made[0]["ranks"], made[0]["negatives"]) == (None, None)
    assert (made[1]["ranks"], made[1]["negatives"]) == (2, 6)
    assert made[0]["key"] == made[1]["key"]


@pytest.mark.parametrize(
    ("settings", "code", "says"),
    [
        (("fails=raises",), 3, "rank 1 of 2: ValueError: the weights are upside down"),
        (
            ("fails=killed",),
            1,
            "rank 1 of 2 was killed by SIGKILL (out of memory?). The same command goes on from what was saved last",
        ),
        (("fails=asks", "at=0"), 2, "lr must be above 0"),
    ],
)
def test_an_error_on_one_rank_ends_all_with_one_line(
    tmp_path: Path, bench_command: Any, settings: tuple[str, ...], code: int, says: str
) -> None:
    site = install(tmp_path / "site", Path(__file__).with_name("rank_models.py"), "rank-models")
    chosen = [part for setting in settings for part in ("--set", setting)]
    command = ("run", "-m", "stumbling", "-t", "anet-retrieval", "--limit", "4", "--device", "cpu", "--ranks", "2")
    said = bench_command(*command, *chosen, exit_code=code, path=site).stderr
    (line,) = (line for line in said.splitlines() if "Error: " in line)
    assert says in line
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-m", "s2vt", "-t", "anet-retrieval"), "model 's2vt' is fitted by one process alone"),
        (("-m", "random", "-t", "anet-retrieval"), "model 'random' is fitted by one process alone"),
        (
            ("-m", "random", "-t", "anet-retrieval", "--jobs", "2"),
            "2 ranks: model 'random' is fitted by one process alone",
        ),
    ],
)
def test_what_cannot_be_shared_out_is_refused(bench_command: Any, arguments: tuple[str, ...], says: str) -> None:
    assert says in bench_command("run", *arguments, "--ranks", "2", exit_code=2).stderr


def test_a_study_says_how_many_ranks_fit_a_model_and_its_cells_stay_the_same(bench_command: Any) -> None:
    study = bench_command.folder / "study.yaml"
    value = {"version": 1, "models": {"fse": {"epochs": 1, "hidden": 8}, "random": {}}, "tasks": ["anet-retrieval"]}
    value |= {"limit": 24, "output": "runs"}

    def status() -> list[dict[str, Any]]:
        return json.loads(bench_command("study", "status", "study.yaml", "--json").stdout)

    study.write_text(yaml.safe_dump(value))
    ids = [cell["id"] for cell in status()]
    study.write_text(yaml.safe_dump(value | {"ranks": {"fse": 2}}))
    assert [cell["id"] for cell in status()] == ids
    shown = bench_command("study", "run", "study.yaml", "--dry-run", "--wide").stdout
    needs = {line.split()[2]: line for line in shown.splitlines() if " anet-" in line}
    assert "2 cpus, 2 ranks" in needs["fse"]
    assert "1 cpu " in needs["random"]
    bench_command("study", "run", "study.yaml", "--jobs", "2")
    records = [json.loads(path.read_text()) for path in bench_command.folder.glob("runs/*/result.json")]
    made = {record["model"]["name"]: record["provenance"]["checkpoint"] for record in records}
    assert made["fse"]["ranks"] == 2
    assert made["random"] is None


@pytest.mark.parametrize(
    ("ranks", "flags", "says"),
    [
        (2, (), "2 ranks: model 'random' is fitted by one process alone"),
        (1, ("--ranks", "2"), "2 ranks: model 'random' is fitted by one process alone"),
        ({"fse": 4}, ("--launcher", "slurm", "--gpus", "2"), "2 gpus for 4 ranks of model 'fse': each needs one"),
        ({"hse": 2}, (), "ranks.hse: is none of the models"),
        ({"fse": 0}, (), "ranks.fse: "),
    ],
)
def test_ranks_of_a_study_that_cannot_be_are_refused_before_anything_starts(
    bench_command: Any, ranks: Any, flags: tuple[str, ...], says: str
) -> None:
    value = {"version": 1, "models": ["fse", "random"], "tasks": ["anet-retrieval"], "ranks": ranks, "output": "runs"}
    (bench_command.folder / "study.yaml").write_text(yaml.safe_dump(value))
    for dry in ((), ("--dry-run",)):
        assert says in bench_command("study", "run", "study.yaml", *flags, *dry, exit_code=2).stderr
    assert not (bench_command.folder / "runs").exists()
