"""`bench export` for the Hub: files that its own library reads, linked to records that can be scored again."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets import load_dataset
from huggingface_hub import DatasetCard, parse_eval_result_entries

REPOSITORY = "our-lab/video-results"
TASK = "anet-retrieval"


@pytest.fixture
def board(bench_command: Any) -> Any:
    """Returns the command in a folder with two runs of `random` and one of `count-only`, all on a board."""
    bench_command("run", "-m", "random", "-t", TASK, "--seeds", "0,1")
    bench_command("run", "-m", "count-only", "-t", TASK)
    runs = sorted(path.parent for path in bench_command.folder.glob("runs/*/result.json"))
    bench_command("leaderboard", "add", *runs, "--board", "board")
    return bench_command


def export(board: Any, pattern: str, form: str, *more: str, exit_code: int = 0) -> Any:
    return board("export", pattern, "--form", form, "--dataset", REPOSITORY, *more, exit_code=exit_code)


def records(board: Any, model: str) -> list[dict[str, Any]]:
    paths = sorted(board.folder.glob(f"board/results/*/{model}--*.json"))
    return [json.loads(path.read_text()) for path in paths if not path.name.endswith(".check.json")]


def test_results_of_one_run_link_to_its_record_and_say_how_far_it_is_trusted(board: Any) -> None:
    export(board, f"board/results/{TASK}/count-only--*.json", "eval-results", "-o", "model")
    [path] = (board.folder / "model" / ".eval_results").iterdir()
    [entry] = parse_eval_result_entries(yaml.safe_load(path.read_text(encoding="utf-8")))
    [record] = records(board, "count-only")
    primary = next(m for m in record["measurements"] if m["name"] == record["primary"])
    assert path.name == f"{TASK}.yaml"
    assert (entry.dataset_id, entry.task_id, entry.value) == (REPOSITORY, TASK, primary["value"])
    place = f"results/{TASK}/{record['run']}.json"
    assert entry.source_url == f"https://huggingface.co/datasets/{REPOSITORY}/blob/main/{place}"
    low, high = primary["ci95"]
    assert f"t2v/R@1, percent; 95 % interval {low:.1f} to {high:.1f}; sample (generated); rescored;" in entry.notes
    assert entry.notes.endswith(record["signature"])
    assert record["provenance"]["started"].startswith(entry.date)


def test_several_seeds_are_one_value_with_their_deviation(board: Any) -> None:
    [entry] = yaml.safe_load(export(board, "board/results/*/random--*--s*.json", "eval-results").stdout)
    values = [record["measurements"][0]["value"] for record in records(board, "random")]
    assert entry["value"] == pytest.approx(statistics.fmean(values))
    assert f"mean of seeds 0, 1, deviation {statistics.stdev(values):.2f}" in entry["notes"]
    assert entry["source"]["url"].endswith(f"/tree/main/results/{TASK}")


def test_a_run_that_is_on_no_board_is_only_consistent(board: Any) -> None:
    [entry] = yaml.safe_load(export(board, "runs/count-only--*", "eval-results").stdout)
    assert "; consistent; " in entry["notes"]


def test_the_dataset_repository_holds_records_that_can_be_scored_again_and_a_table(board: Any, tmp_path: Path) -> None:
    said = export(board, "board/results/*/random--*--s0--*.json", "dataset", "-o", "hub").stdout
    assert said.endswith(f"Next: hf upload {REPOSITORY} hub --repo-type dataset\n")
    (board.folder / "hub" / "README.md").write_text(
        (board.folder / "hub" / "README.md").read_text() + "\nWritten by hand.\n"
    )
    export(board, "board/results/*/*--s*.json", "dataset", "-o", "hub")
    hub = board.folder / "hub"
    assert (hub / "README.md").read_text().endswith("Written by hand.\n")
    assert DatasetCard.load(hub / "README.md").data.pretty_name == "video-results"
    assert [task["id"] for task in yaml.safe_load((hub / "eval.yaml").read_text())["tasks"]] == [TASK]
    rows = load_dataset(str(hub), split="test", cache_dir=str(tmp_path / "cache"))
    assert [(row["model"], row["seed"], row["status"]) for row in rows] == [
        ("count-only", 0, "rescored"),
        ("random", 0, "rescored"),
        ("random", 1, "rescored"),
    ]
    assert all((hub / row["record"]).is_file() for row in rows)
    said = board("leaderboard", "check", "--records-only", "--strict", "--results", "hub/results").stdout
    assert "3 re-scored, 0 invariants only, 0 failed" in said


def test_a_record_that_does_not_hold_gets_no_row_and_stops_no_other(board: Any) -> None:
    export(board, "board/results/*/random--*--s*.json", "dataset", "-o", "hub")
    path = next(board.folder.glob("hub/results/*/random--*--s1--????????.json"))
    path.write_text(path.read_text().replace('"seed": 1', '"seed": true'))
    said = export(board, "board/results/*/count-only--*--s*.json", "dataset", "-o", "hub").stderr
    assert said.startswith(f"left out: {TASK}/{path.name}: ")
    rows = [json.loads(line) for line in (board.folder / "hub" / "results.jsonl").read_text().splitlines()]
    assert [(row["model"], row["seed"]) for row in rows] == [("count-only", 0), ("random", 0)]
    said = export(board, "board/results/*/random--*--s1--*.json", "dataset", "-o", "hub", exit_code=1).stderr
    assert "exists with other content and is never overwritten" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--form", "eval-results"], "--form eval-results needs --dataset OWNER/NAME"),
        (["--form", "dataset", "--dataset", REPOSITORY], "--form dataset needs --output FOLDER"),
        (["--dataset", REPOSITORY], "--form model-index takes no --dataset"),
        (["--form", "eval-results", "--dataset", "video-results"], "it has no owner. Write OWNER/NAME"),
        (["--form", "eval-results", "--dataset", "our lab/results"], "Write OWNER/NAME"),
        (["--form", "dataset", "--dataset", "../../x", "-o", "hub"], "Write OWNER/NAME"),
    ],
)
def test_what_is_missing_or_cannot_be_is_said(board: Any, arguments: list[str], words: str) -> None:
    assert words in board("export", "runs/count-only--*", *arguments, exit_code=2).stderr
    assert not (board.folder / "hub").exists()


def test_a_partial_run_is_not_stated(board: Any) -> None:
    board("run", "-m", "random", "-t", TASK, "--limit", "20", "--output", "part")
    for form, more in (("eval-results", ()), ("dataset", ("-o", "hub"))):
        assert "part of the test set" in export(board, "part/random--*", form, *more, exit_code=2).stderr
