"""Every committed record gives the columns of its page, and any further measurement that follows from its evidence."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from bench.results import Evidence

BOARD = Path(__file__).resolve().parents[2] / "leaderboards"
FURTHER = ("t2v/R@100", "t2v/MRR", "t2v/nDCG@10", "v2t/P@5", "top3", "t2v/R@2[keep=0.4]")


@pytest.fixture(scope="module")
def built(bench_in, tmp_path_factory):
    """Returns the tables of the committed records with further columns, by file name."""
    if not (BOARD / "tables").is_dir():
        pytest.skip("no pages are committed in leaderboards/")
    folder = tmp_path_factory.mktemp("further")
    asked = [argument for metric in FURTHER for argument in ("--metric", metric)]
    done = bench_in(folder)(
        "leaderboard", "build", "--results", BOARD / "results", "--published", BOARD / "published", "-o", "out", *asked
    )
    assert not [line for line in done.stderr.splitlines() if line.startswith(("left out", "--metric"))]
    return {path.name: json.loads(path.read_text()) for path in (folder / "out" / "tables").glob("*.json")}


def test_further_columns_take_no_row_and_no_number_away(built):
    committed = {path.name: json.loads(path.read_text()) for path in (BOARD / "tables").glob("*.json")}
    assert built.keys() == committed.keys()
    for name, table in committed.items():
        assert [row["key"] for row in built[name]["rows"]] == [row["key"] for row in table["rows"]]
        for before, after in zip(table["rows"], built[name]["rows"], strict=True):
            assert {key: after["values"][key] for key in before["values"]} == before["values"]
            assert {key: after[key] for key in after if key != "values"} == {
                key: before[key] for key in before if key != "values"
            }


def test_every_row_has_what_its_evidence_gives_and_other_tables_keep_their_columns(built):
    seen = set()
    for name, table in built.items():
        own = {column["name"] for column in table["columns"]} & {*FURTHER}
        for row in table["rows"]:
            assert set(row["values"]) & {*FURTHER} == own
        seen |= own
        if "captioning" in name:
            assert not own
    assert seen == {*FURTHER}


def test_a_further_column_is_that_of_the_ranks(built):
    """Recall at 100 and the reciprocal rank once more, query by query in plain Python."""
    shown = 0
    for table in built.values():
        for row in table["rows"]:
            if "t2v/R@100" not in row["values"] or len(row["runs"]) > 1:
                continue
            [place] = (BOARD / "results").glob(f"*/{row['runs'][0]}.evidence.safetensors")
            hits, reciprocals = [], []
            for above, equal in Evidence.load(place).counts["t2v"][:, :2].tolist():
                ranks = range(above + 1, above + equal + 2)
                hits.append(np.mean([rank <= 100 for rank in ranks]))
                reciprocals.append(np.mean([1 / rank for rank in ranks]))
            assert row["values"]["t2v/R@100"]["mean"] == pytest.approx(100 * np.mean(hits))
            assert row["values"]["t2v/MRR"]["mean"] == pytest.approx(100 * np.mean(reciprocals))
            shown += 1
    assert shown > 3


def test_what_no_record_gives_is_said_and_the_build_succeeds(bench_command, control_runs):
    done = bench_command(
        "leaderboard", "build", "--results", control_runs, "-o", "out", "--metric", "t2v/R100", "--metric", "v2t/MRR"
    )
    assert "--metric t2v/R100: no record here gives it, so it is not shown. Retrieval has R@K" in done.stderr
    assert "1 row in 1 table" in done.stdout
    [table] = (bench_command.folder / "out" / "tables").glob("*.csv")
    [row] = csv.DictReader(table.read_text().splitlines())
    assert float(row["v2t/MRR low"]) < float(row["v2t/MRR"]) < float(row["v2t/MRR high"])


def test_pages_with_further_columns_are_checked_with_them(bench_command, control_runs):
    asked = ("--results", control_runs, "-o", "out", "--metric", "t2v/R@100")
    bench_command("leaderboard", "build", *asked)
    assert "0 pages out of date" in bench_command("leaderboard", "check", *asked).stdout
    assert "pages out of date" in bench_command("leaderboard", "check", *asked[:-2], exit_code=6).stdout


def test_a_run_shows_them_and_its_record_stays_as_it_is(bench_command):
    asked = ("--metric", "t2v/R@2", "--metric", "t2v/R@0")
    done = bench_command("run", "-m", "random", "-t", "anet-retrieval", "--limit", "30", *asked)
    assert "t2v/R@2" in done.stdout
    assert "--metric t2v/R@0: no record here gives it" in done.stderr
    [folder] = bench_command.folder.glob("runs/*")
    before = (folder / "result.json").read_bytes()
    assert "t2v/R@2" not in [one["name"] for one in json.loads(before)["measurements"]]
    again = json.loads(bench_command("rescore", folder, "--metric", "t2v/nDCG@5", "--json").stdout)
    found = {one["name"]: one["value"] for one in again[0]["measurements"]}
    assert found["t2v/R@1"] <= found["t2v/nDCG@5"] <= found["t2v/R@5"]
    [compared] = json.loads(bench_command("compare", folder, folder, "--metric", "t2v/nDCG@5", "--json").stdout)[
        "comparisons"
    ]
    assert compared["a"]["mean"] == pytest.approx(found["t2v/nDCG@5"])
    assert (folder / "result.json").read_bytes() == before


def test_a_recall_that_every_model_has_is_a_dash_with_its_reason(bench_command):
    (bench_command.folder / "bench.yaml").write_text(SMALL)
    videos = {
        f"v{i}": {"duration": 8, "timestamps": [[0, 4], [4, 8]], "sentences": [f"a{i}", f"b{i}"]} for i in range(8)
    }
    for name in ("train", "test"):
        (bench_command.folder / f"{name}.json").write_text(json.dumps(videos))
    bench_command("run", "-m", "random", "-m", "count-only", "-t", "small-retrieval", "-o", "results")
    asked = ("--metric", "t2v/R@8", "--metric", "t2v/R@7")
    bench_command("leaderboard", "build", "--results", "results", "-o", "out", *asked)
    [table] = (bench_command.folder / "out" / "tables").glob("*.json")
    for row in json.loads(table.read_text())["rows"]:
        assert set(row["values"]) == {
            *(f"{way}/{name}" for way in ("t2v", "v2t") for name in ("R@1", "R@5", "MedR", "MeanR")),
            "t2v/R@7",
            "t2v/R@8",
        }
    page = (bench_command.folder / "out" / "small-retrieval.md").read_text()
    assert "t2v/R@50 says nothing here: all of 8 ranked are among the first 50." in page
    assert "R@8 says" not in page  # who asks for it gets it


SMALL = """
version: 1
datasets:
  small:
    reader: activitynet
    root: .
    features: simulated
    splits: {train: {file: train.json}, test: {file: test.json}}
"""
