"""Which records share a table, what is never ranked, and how seeds become a row."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from records import record, save, with_values

from bench.errors import SaveError, UsageError
from bench.leaderboard import BuildReport, Sources, build
from bench.leaderboard.board import Row, Table

SIGNATURE = record()["signature"]


class Runs:
    """A folder of records that grows by one with each call."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "runs"
        self.output = folder / "board"

    def add(self, value: dict[str, Any], **options: Any) -> Path:
        return save(self.folder / f"run{len(list(self.folder.glob('run*')))}", value, **options)

    def build(self) -> BuildReport:
        return build(Sources((self.folder,)), self.output)

    def tables(self) -> list[Table]:
        return [table for board in self.build().boards for section in board.sections for table in section.tables]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    (tmp_path / "runs").mkdir()
    return Runs(tmp_path)


def names(table: Table) -> list[str]:
    return [row.model for row in table.rows]


def cell(row: Row, table: Table, name: str) -> Any:
    return row.cells[[column.name for column in table.columns].index(name)]


def test_rows_are_ranked_by_the_primary_measurement(runs: Runs) -> None:
    for name, r1 in (("low", 5.0), ("high", 50.0), ("middle", 20.0)):
        runs.add(with_values(record(model__name=name), t2v_R1=r1, v2t_R1=60.0 - r1))
    (table,) = runs.tables()
    assert names(table) == ["high", "middle", "low"]
    assert cell(table.rows[0], table, "t2v/R@1").best
    assert cell(table.rows[2], table, "v2t/R@1").best
    assert not cell(table.rows[1], table, "t2v/R@1").best


def test_the_lowest_rank_is_best(runs: Runs) -> None:
    runs.add(with_values(record(model__name="a"), t2v_MedR=9.0))
    runs.add(with_values(record(model__name="b"), t2v_MedR=3.0))
    (table,) = runs.tables()
    assert {row.model: cell(row, table, "t2v/MedR").best for row in table.rows} == {"a": False, "b": True}


def test_different_signatures_never_share_a_table(runs: Runs) -> None:
    runs.add(record(model__name="a"))
    runs.add(record(model__name="b", signature=SIGNATURE.replace("ties=expected", "ties=optimistic")))
    assert [names(table) for table in runs.tables()] == [["a"], ["b"]]


def test_tools_that_give_equal_numbers_share_a_table_which_tells_them_by_one_name(runs: Runs) -> None:
    signed = {name: f"{SIGNATURE}|tokens={tokens}|meteor={meteor}" for name, tokens, meteor in (
        ("java", "ptb-3.4.1", "1.5"), ("python", "regex-2", "1.5-py"), ("old", "regex-1", "none")
    )}  # fmt: skip
    for name, signature in signed.items():
        runs.add(record(model__name=name, signature=signature))
    runs.add(record(model__name="java", run="again", signature=signed["python"]))
    tables = runs.tables()
    assert sorted(sorted(names(table)) for table in tables) == [["java", "python"], ["old"]]
    assert [table.signature for table in tables if len(table.rows) == 2] == [signed["java"]]
    assert ["already shown" in note.reason for note in runs.build().left_out] == [True]


def test_generated_simulated_and_real_data_stand_in_sections_apart(runs: Runs) -> None:
    for kind in ("generated", "simulated", "real"):
        signature = SIGNATURE.replace("data=generated", f"data={kind}")
        runs.add(record(model__name=kind, data__kind=kind, data__label=f"label of {kind}", signature=signature))
    (board,) = runs.build().boards
    assert [section.kind for section in board.sections] == ["real", "simulated", "generated"]
    page = (runs.output / "anet-retrieval.html").read_text(encoding="utf-8")
    assert page.count("say nothing about the paper") == 2
    assert page.index("label of real") < page.index("label of simulated") < page.index("label of generated")


def test_a_record_whose_signature_contradicts_its_data_is_left_out(runs: Runs) -> None:
    runs.add(record(signature=SIGNATURE.replace("data=generated", "data=real")))
    report = runs.build()
    assert report.rows == 0
    assert "data is real, the rest of the record and its evidence give generated" in report.left_out[0].reason


@pytest.mark.parametrize("changes", [{"status": "partial"}, {"data__n_expected": 300}])
def test_partial_runs_are_never_ranked(runs: Runs, changes: dict[str, Any], bench_command: Any) -> None:
    runs.add(with_values(record(model__name="cut", **changes), t2v_R1=99.0))
    runs.add(record(model__name="whole"))
    report = runs.build()
    assert [names(table) for table in runs.tables()] == [["whole"]]
    assert len(report.partial) == 1
    assert "cut on anet-retrieval, seed 0: partial" in report.partial[0].reason
    for page in ("anet-retrieval.html", "anet-retrieval.md"):
        assert "Not ranked" in (runs.output / page).read_text(encoding="utf-8")
    said = bench_command("leaderboard", "build", "--results", str(runs.folder), "--output", "board")
    assert said.stderr == "1 partial run (--limit) shown apart, never ranked\n"


def test_seeds_become_one_row_with_mean_and_deviation(runs: Runs) -> None:
    for seed, r1 in ((0, 10.0), (1, 14.0), (2, 12.0)):
        runs.add(with_values(record(seed=seed, run=f"toy-{seed}"), t2v_R1=r1))
    (table,) = runs.tables()
    (row,) = table.rows
    found = cell(row, table, "t2v/R@1")
    assert row.seeds == (0, 1, 2)
    assert (found.mean, found.std) == (12.0, 2.0)
    assert found.ci95 == pytest.approx(((6.0 + 9.5 + 7.5) / 3, (14.5 + 19.0 + 16.5) / 3))  # the mean of each end


def test_a_row_that_differs_significantly_opens_a_tier(runs: Runs) -> None:
    for name, r1 in (("first", 50.0), ("close", 49.0), ("far", 30.0), ("farther", 5.0)):
        runs.add(with_values(record(model__name=name), t2v_R1=r1))
    (table,) = runs.tables()
    assert [(row.model, row.tier) for row in table.rows] == [("first", 1), ("close", 1), ("far", 2), ("farther", 3)]
    html = (runs.output / "anet-retrieval.html").read_text(encoding="utf-8")
    assert html.count('class=" opens"') == 2
    for page in ("anet-retrieval.html", "anet-retrieval.md"):
        assert "opens a new one where its t2v/R@1 differs" in (runs.output / page).read_text(encoding="utf-8")


def test_seeds_are_averaged_before_tiers_are_found(runs: Runs) -> None:
    for seed, r1 in enumerate((20.0, 60.0)):  # 40 in the mean, over different queries
        runs.add(with_values(record(model__name="spread", seed=seed), t2v_R1=r1), turned=100 * seed)
    runs.add(with_values(record(model__name="steady"), t2v_R1=39.0))
    (table,) = runs.tables()
    assert [row.tier for row in table.rows] == [1, 1]
    page = (runs.output / "anet-retrieval.html").read_text(encoding="utf-8")
    assert "standard deviation over seeds, which is the spread of training" in page


def test_a_number_that_does_not_follow_from_the_evidence_leaves_a_record_out(runs: Runs) -> None:
    path = runs.add(record())
    edited = json.loads(path.read_text())
    edited["measurements"][0]["value"] = 99.0
    path.write_text(json.dumps(edited))
    report = runs.build()
    assert report.rows == 0
    assert "t2v/R@1 is 99.0 in the record, 10.0 from its evidence" in report.left_out[0].reason


def test_a_signature_of_another_test_set_leaves_a_record_out(runs: Runs) -> None:
    path = runs.add(record())
    path.write_text(path.read_text().replace("pool=200:bbbbbbbb", "pool=200:cccccccc"))
    assert "pool is 200:cccccccc, the rest of the record and its evidence give 200" in runs.build().left_out[0].reason


def test_a_repeated_run_counts_once_and_is_reported(runs: Runs) -> None:
    runs.add(with_values(record(), t2v_R1=10.0))
    runs.add(with_values(record(provenance__started="2025-06-01T00:00:00Z", run="again"), t2v_R1=30.0))
    report = runs.build()
    (table,) = runs.tables()
    assert cell(table.rows[0], table, "t2v/R@1").mean == 10.0
    assert "seed 0 of toy is already shown" in report.left_out[0].reason


def test_settings_make_rows_and_only_differences_are_remarked(runs: Runs) -> None:
    runs.add(with_values(record(model__settings={"low": "weak", "hidden": 128}), t2v_R1=1.0))
    runs.add(with_values(record(model__settings={"low": "strong", "hidden": 128}), t2v_R1=2.0))
    runs.add(with_values(record(model__name="other", model__settings={"low": "none"}), t2v_R1=0.5))
    (table,) = runs.tables()
    assert [row.remarks for row in table.rows] == [("low=strong",), ("low=weak",), ()]
    assert table.rows[0].settings == ("hidden=128", "low=strong")


def test_a_model_that_ignores_segments_stands_in_every_table_that_differs_in_segments_only(runs: Runs) -> None:
    windows = SIGNATURE.replace("segments=gt", "segments=uniform-4")
    runs.add(with_values(record(model__name="flat", model__uses_segments=False), t2v_R1=1.0))
    runs.add(with_values(record(model__name="cutting"), t2v_R1=2.0))
    runs.add(with_values(record(model__name="cutting", signature=windows), t2v_R1=3.0))
    other = windows.replace("pool=200:bbbbbbbb", "pool=200:eeeeeeee")
    runs.add(with_values(record(model__name="cutting", signature=other), t2v_R1=4.0))
    shown = [[(row.model, row.from_segments) for row in table.rows] for table in runs.tables()]
    assert shown == [[("cutting", ""), ("flat", "")], [("cutting", ""), ("flat", "gt")], [("cutting", "")]]


def test_tasks_get_pages_of_their_own_even_under_names_that_look_alike(runs: Runs) -> None:
    for task in ("a/b", "a b", "index", "A-B"):
        runs.add(record(task__name=task, signature=SIGNATURE.replace("anet-retrieval/2", f"{task}/2")))
    report = runs.build()
    tasks = [page for page in report.pages if page.parent == runs.output and page.suffix in {".html", ".md"}]
    assert len({page.name.lower() for page in tasks}) == 2 * 4 + len({"index.html", "index.md", "compare.html"})
    assert len({str(page).lower() for page in report.pages}) == len(report.pages)
    assert all(page.is_file() for page in report.pages)


def test_parameters_of_a_task_share_its_page(runs: Runs) -> None:
    windows = SIGNATURE.replace("segments=gt", "segments=uniform-4")
    runs.add(record(task__name="anet-retrieval:segments=uniform-4", signature=windows))
    runs.add(record())
    assert [board.task for board in runs.build().boards] == ["anet-retrieval"]


def test_changed_or_missing_evidence_leaves_a_record_out(runs: Runs) -> None:
    changed, missing = runs.add(record()), runs.add(record())
    changed.with_name("evidence.safetensors").write_bytes(b"other")
    missing.with_name("evidence.safetensors").unlink()
    report = runs.build()
    assert report.rows == 0
    assert re.match(r"evidence.safetensors has sha256 \w{12}…, the record says", report.left_out[0].reason)
    assert "is missing" in report.left_out[1].reason


@pytest.mark.parametrize("content", ["", "{}", "[1]", "null", '{"schema": "bench-result/9"}', "\ufeff{", "{" * 2000])
def test_foreign_files_are_reported_and_do_no_harm(runs: Runs, content: str) -> None:
    (runs.add(record())).with_name("other").mkdir()
    foreign = runs.folder / "foreign" / "result.json"
    foreign.parent.mkdir()
    foreign.write_text(content, encoding="utf-8")
    report = runs.build()
    assert report.rows == 1
    assert [note.file for note in report.left_out] == ["foreign/result.json"]
    assert str(runs.folder) not in (runs.output / "index.html").read_text(encoding="utf-8")


def test_stored_records_and_run_folders_are_both_found(runs: Runs, tmp_path: Path) -> None:
    stored = runs.folder / "anet-retrieval" / "toy--anet-retrieval--s0.json"
    path = save(stored.parent, record())
    path.rename(stored)
    (stored.parent / "config.json").write_text("{}")
    runs.add(record(seed=1))
    report = runs.build()
    assert report.left_out == ()
    assert runs.tables()[0].rows[0].seeds == (0, 1)


def test_a_measurement_that_one_row_lacks_is_left_blank(runs: Runs) -> None:
    runs.add(record(model__name="short"), directions=("t2v",))
    runs.add(record(model__name="full"))
    (table,) = runs.tables()
    assert {row.model: cell(row, table, "v2t/MeanR") is None for row in table.rows} == {"short": True, "full": False}


def test_no_records_make_an_empty_index(runs: Runs) -> None:
    report = runs.build()
    assert (report.rows, report.tables) == (0, 0)
    assert "No records yet" in report.index.read_text(encoding="utf-8")


def test_a_missing_results_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        build(Sources((tmp_path / "nowhere",)), tmp_path / "board")


def test_an_output_that_cannot_be_written_is_a_save_error(runs: Runs) -> None:
    runs.add(record())
    runs.output.write_text("a file where the folder should be")
    with pytest.raises(SaveError, match="cannot write"):
        runs.build()
