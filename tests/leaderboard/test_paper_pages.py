"""Tables and figures of papers on a board: stored by `bench reproduce`, shown with the records that are there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from records import record, save, with_values

from bench.errors import InvalidData
from bench.leaderboard.records import read
from bench.papers.figure_pages import StoredFigure, figure_in
from bench.papers.stored import StoredTable, paper_pages, read_stored, save_stored

SMALL = ("--limit", "12", "--set", "hidden=8", "--set", "word_dim=8", "--set", "epochs=1")
TABLE = {
    "title": "A table",
    "columns": ["t2v/R@1"],
    "rows": [
        {"system": "Alpha", "model": "alpha", "task": "anet-retrieval", "values": [50.0]},
        {"system": "Beta", "needs": "frames", "values": [7.0]},
    ],
}


def stored(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "bench-compared/1",
        "paper": "A paper",
        "table": TABLE,
        "runs": [["a--s0", "a--s1"], []],
        **changes,
    }


def page(folder: Path, value: dict[str, Any]) -> str:
    (folder / "papers").mkdir(exist_ok=True)
    (folder / "papers" / "p.json").write_text(json.dumps(value))
    (folder / "results").mkdir(exist_ok=True)
    (shown,) = paper_pages(folder / "papers", read([folder / "results"])[0])
    return shown.markdown


def test_figures_come_from_the_records_of_the_board(tmp_path: Path) -> None:
    for seed, r1 in ((0, 40.0), (1, 50.0)):
        value = with_values(record(model__name="alpha", seed=seed, run=f"a--s{seed}"), t2v_R1=r1)
        save(tmp_path / "results" / str(seed), value)
    shown = page(tmp_path, stored())
    assert "50.0<br>**45.0 ±7.1**" in shown
    assert "protocol differs: generated data" in shown
    assert "not run: needs frames" in shown


def test_a_run_that_is_not_on_the_board_shows_no_figure(tmp_path: Path) -> None:
    assert "not run: its runs are not on this board" in page(tmp_path, stored())
    save(tmp_path / "results" / "0", record(model__name="alpha", run="a--s0"))
    assert "1 of 2 " in page(tmp_path, stored())


def test_what_the_user_set_is_named(tmp_path: Path) -> None:
    save(tmp_path / "results" / "0", record(model__name="alpha", run="a--s0"))
    assert "tau=0" in page(tmp_path, stored(runs=[["a--s0"], []], changed={"alpha": {"tau": "0"}}))


@pytest.mark.parametrize("change", [{"schema": "bench-compared/9"}, {"runs": [[]]}, {"more": 1}, {"paper": ""}])
def test_a_foreign_file_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidData, match="is no bench-compared/1 or bench-drawn/1 file"):
        page(tmp_path, stored(**change))


FIGURE: dict[str, Any] = {
    "paper": "A paper",
    "title": "A figure",
    "data": "real",
    "circumstances": "None.",
    "classes": [{"name": "run"}],
    "panels": [
        {
            "run": "a",
            "system": "HSE",
            "seed": 0,
            "same_class": {"neighbours": 5, "in_space": 50.0, "chance": 10.0},
        }
    ],
}


@pytest.mark.parametrize(
    ("made", "rows"),
    [
        ([], ""),
        ({}, ""),
        ({**FIGURE, "classes": 7}, ""),
        ({**FIGURE, "panels": [{}]}, ""),
        ({**FIGURE, "data": "odd"}, ""),
        ({**FIGURE, "panels": [{**FIGURE["panels"][0], "same_class": None}]}, ""),
        (FIGURE, "run,system,video_id,class,x,y\na,HSE,v1,run,one,2\n"),
        (FIGURE, "run,system,video_id,class,x,y\na,HSE,v1,jump,1,2\n"),
        (FIGURE, "run,system,video_id\na,HSE,v1\n"),
    ],
)
def test_a_damaged_figure_is_refused_with_how_to_draw_it_again(tmp_path: Path, made: Any, rows: str) -> None:
    (tmp_path / "f.csv").write_text("run,system,video_id,class,x,y\na,HSE,v1,run,1,2\n")
    (tmp_path / "f.json").write_text(json.dumps(FIGURE))
    assert figure_in(tmp_path, "f").panels[0].x == [1.0]
    (tmp_path / "f.json").write_text(json.dumps(made))
    (tmp_path / "f.csv").write_text(rows)
    with pytest.raises(InvalidData, match=r"is not a figure of `bench reproduce` .*Draw it again by `bench reproduce`"):
        figure_in(tmp_path, "f")


def test_a_stored_table_is_read_as_it_was_saved(tmp_path: Path) -> None:
    value = StoredTable.model_validate(stored())
    save_stored(tmp_path, "p", value)
    assert read_stored(tmp_path / "papers") == {"p": value}


def test_a_figure_shows_every_video_with_its_class(tmp_path: Path) -> None:
    panel = {"title": "HSE", "subtitle": "s", "videos": ["<v1>", "v2"], "classes": [0, 1], "x": [0, 1], "y": [1, 0]}
    figure = {"paper": "P", "title": "T", "kind": "generated", "circumstances": "c", "classes": ["$run", "<jump>"]}
    save_stored(tmp_path, "f", StoredFigure.model_validate({**figure, "panels": [panel]}))
    (shown,) = paper_pages(tmp_path / "papers", [])
    assert "<title>&lt;v1&gt;: $run</title>" in shown.html
    assert "</b> ● &lt;jump&gt;" in shown.html
    assert "say nothing about the paper" in shown.html
    with pytest.raises(ValueError, match="a class without a name"):
        StoredFigure.model_validate({**figure, "panels": [{**panel, "classes": [0, 2]}]})


def test_reproduce_stores_a_table_and_a_figure_and_the_board_shows_them(bench_command: Any) -> None:
    for name in ("table1", "tsne"):
        bench_command("reproduce", "hse2018", name, *SMALL, "--board", "board")
    (bench_command.folder / "board" / "results").mkdir()  # the runs are partial, so none is ever there
    bench_command("leaderboard", "build", "--results", "board/results", "-o", "board")
    table = (bench_command.folder / "board" / "papers" / "hse2018-table1.html").read_text()
    assert table.count("its runs are not on this board") == 5
    figure = (bench_command.folder / "board" / "papers" / "hse2018-tsne.html").read_text()
    assert figure.count("<title>") > 12
    assert "papers/hse2018-tsne.html" in (bench_command.folder / "board" / "index.html").read_text()
