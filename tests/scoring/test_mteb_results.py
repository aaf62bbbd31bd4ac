"""`bench import mteb`: what its files are figures of, what is lost in them, and where they may stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

KS = (1, 3, 5, 10, 20, 100, 1000)


def result(folder: Path, task: str, hits: tuple[int, ...], queries: int, model: str = "org__toy", **more: Any) -> Path:
    """Writes what mteb writes of `queries` answered queries, of which so many have their answer among the first k."""
    row = {"hf_subset": "default", "languages": ["eng-Latn"], "main_score": 0.5, "ndcg_at_10": 0.5}
    row |= {f"recall_at_{k}": round(found / queries, 5) for k, found in zip(KS, hits, strict=True)}
    path = folder / model / "abc123" / f"{task}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    value = {"dataset_revision": "r", "task_name": task, "mteb_version": "2.26.24", "scores": {"test": [row]}, **more}
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


HITS = (351, 480, 555, 640, 700, 820, 879)


def imported(command: Any, *words: Any) -> list[dict[str, Any]]:
    return json.loads(command("import", "mteb", *words, "--json").stdout)


def test_a_result_says_its_split_size_and_captions(bench_command: Any) -> None:
    path = result(bench_command.folder, "MSRVTTT2V", HITS, 879)
    (found,) = imported(bench_command, path)
    assert (found["model"], found["split"], found["queries"], found["videos"]) == ("org/toy", "test", 879, 879)
    assert found["values"] == pytest.approx(
        {f"t2v/R@{k}": 100 * h / 879 for k, h in zip(KS, HITS, strict=True) if k in (1, 5, 10)}, abs=1e-3
    )
    told = bench_command("import", "mteb", path).stdout
    assert "not msrvtt:1k-A (1,000 videos): 879 of the 1,000 videos" in told
    assert "no query is lost: the figures fit all 879" in told
    assert "not known: NaN scores" in told
    assert "no interval and no paired test" in told


def test_lost_queries_show_in_the_figures_and_count_as_not_found(bench_command: Any) -> None:
    path = result(bench_command.folder, "MSRVTTT2V", HITS, 871)
    (found,) = imported(bench_command, path)
    assert found["answered"] == 871
    assert found["values"]["t2v/R@1"] == pytest.approx(100 * 351 / 879, abs=1e-3)
    assert "8 queries or more are lost" in " ".join(found["statements"])


def test_figures_of_no_number_of_queries_are_told_and_not_taken(bench_command: Any) -> None:
    path = result(bench_command.folder, "MSRVTTT2V", HITS, 879)
    value = json.loads(path.read_text(encoding="utf-8"))
    value["scores"]["test"][0] |= {f"recall_at_{k}": 0.3 + k / 7919 for k in (1, 3, 5, 10, 20, 100)}
    path.write_text(json.dumps(value), encoding="utf-8")
    (found,) = imported(bench_command, path)
    assert (found["answered"], found["values"]) == (None, {})
    words = (path, "--published", "p.yaml", "--task", "toy")
    assert "figures of 0 splits" in bench_command("import", "mteb", *words, exit_code=4).stderr


def test_published_figures_stand_beside_a_board_apart_from_the_set(bench_command: Any) -> None:
    files = [
        result(bench_command.folder, "ActivityNetCaptionsT2VRetrieval", (*range(900, 1600, 100),), 4884),
        result(bench_command.folder, "ActivityNetCaptionsV2TRetrieval", (*range(800, 1500, 100),), 4884),
        result(
            bench_command.folder, "ActivityNetCaptionsT2VRetrieval", (*range(700, 1400, 100),), 4884, model="org__b"
        ),
    ]
    for name in ("others", "runs"):
        (bench_command.folder / name).mkdir()
    words = ("--published", "others/mteb.yaml", "--task", "anet-retrieval")
    assert "published figures are in" in bench_command("import", "mteb", *files, *words).stderr
    bench_command("leaderboard", "build", "--results", "runs", "--published", "others", "-o", "board")
    page = (bench_command.folder / "board" / "anet-retrieval.md").read_text(encoding="utf-8")
    for told in ("org/toy", "org/b", "without one paragraph; papers report", "4,884"):
        assert told in page
    bench_command("import", "mteb", *files, *words, exit_code=1)  # what is there stays


@pytest.mark.parametrize(
    ("change", "exit_code", "says"),
    [
        ({"task_name": "TRECCOVID"}, 3, "the test set of mteb's 'TRECCOVID' is not known here. Known: MSRVTTT2V"),
        ({"task_name": 3}, 4, "no result of mteb"),
        ({"scores": {}}, 4, "no result of mteb"),
        ({"scores": {"test": []}}, 4, "has 0 rows of scores"),
        ({"scores": {"test": [{"main_score": 0.5}]}}, 4, "has no recall_at_1"),
        ({"scores": {"test": [{"recall_at_1": 40.1}]}}, 4, "recall_at_1 is '40.1', no share from 0 to 1"),
        ({"scores": {"test": [{"recall_at_1": None}]}}, 4, "no share from 0 to 1"),
    ],
)
def test_what_is_no_such_result_is_refused(
    bench_command: Any, change: dict[str, Any], exit_code: int, says: str
) -> None:
    path = result(bench_command.folder, "MSRVTTT2V", HITS, 879, **change)
    assert says in bench_command("import", "mteb", path, exit_code=exit_code).stderr


@pytest.mark.parametrize("flags", [("--task", "toy"), ("--published", "x.yaml")])
def test_a_board_needs_a_file_and_a_task(bench_command: Any, flags: tuple[str, ...]) -> None:
    path = result(bench_command.folder, "MSRVTTT2V", HITS, 879)
    bench_command("import", "mteb", path, *flags, exit_code=2)


def test_a_file_outside_mteb_s_folders_needs_a_model(bench_command: Any) -> None:
    path = result(bench_command.folder, "MSRVTTV2T", HITS, 879)
    (found,) = imported(bench_command, path, "--model", "mine")
    assert (found["model"], [*found["values"]]) == ("mine", ["v2t/R@1", "v2t/R@5", "v2t/R@10"])


def test_every_known_test_set_of_mteb_names_a_set_of_ours() -> None:
    from bench.scoring.mteb_results import KNOWN, _Known, parse_yaml, section

    for family in section(_Known)(parse_yaml(KNOWN.read_text(encoding="utf-8")), "").families.values():
        assert family.queries <= family.named.videos
