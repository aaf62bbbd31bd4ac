"""`bench.load`, `bench.compare`, `bench.leaderboard`: what the commands say, for pandas, notebooks and matplotlib."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib import pyplot

import bench
from bench.api import BenchError, InvalidData, UsageError

BOARD = Path(__file__).resolve().parent.parent / "leaderboards"
TASK = BOARD / "results" / "didemo-retrieval"
HOSTILE = "<b onclick='x()'>hse & $\\frac$</b>"


@pytest.fixture(autouse=True)
def pictures_are_closed() -> Iterator[None]:
    mpl.use("agg")
    yield
    if "matplotlib.pyplot" in sys.modules:
        import_module("matplotlib.pyplot").close("all")


@pytest.fixture(scope="module")
def results() -> bench.Results:
    """Returns the records of one task of the committed board: six models, three seeds each."""
    return bench.load(TASK)


class Tags(HTMLParser):
    """Collects the tags of a page and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def test_a_run_a_folder_of_runs_a_record_and_a_pattern_are_loaded(control_runs: Path) -> None:
    (run,) = control_runs.glob("*--*")
    loaded = [
        bench.load(where) for where in (run, str(run), control_runs, run / "result.json", f"{control_runs}/random--*")
    ]
    assert {len(one) for one in loaded} == {1}
    assert {one[0].run for one in loaded} == {run.name}
    assert len(bench.load(run, control_runs)) == 1  # each once


def test_a_board_and_a_task_of_it_are_loaded_with_what_was_done_to_trust_them(tmp_path: Path) -> None:
    checked = BOARD / "results" / "anet-zero-shot"
    shutil.copytree(checked, tmp_path / "board" / "results" / checked.name)
    frame = bench.load(tmp_path / "board").to_pandas()

    assert len(frame) == len(bench.load(checked)) > 4
    reruns = {path.name: json.loads(path.read_text())["rerun"] for path in checked.glob("*.check.json")}
    stated = {name: "rescored" if rerun is None else "reproduced" for name, rerun in reruns.items()}
    assert dict(zip(frame.run + ".check.json", frame.status, strict=True)) == stated


def test_what_cannot_be_loaded_is_one_line(tmp_path: Path, control_runs: Path) -> None:
    (run,) = control_runs.glob("*--*")
    shutil.copytree(run, tmp_path / "runs" / "edited")
    record = tmp_path / "runs" / "edited" / "result.json"
    record.write_text(record.read_text().replace('"value": 0.0', '"value": 1.5', 1))

    for where, kind, says in [
        (tmp_path / "nothing", UsageError, "is no run folder, no record and matches none"),
        (tmp_path, InvalidData, "none of 1 record can be used"),
        (record, BenchError, "in the record, 0.0 from its evidence"),
        (3, UsageError, "paths=3: a path is wanted"),
    ]:
        with pytest.raises(kind, match=says) as caught:
            bench.load(where)
        assert "\n" not in str(caught.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no finished run there"):
        bench.load(tmp_path / "empty")
    with pytest.raises(UsageError, match="wants the path"):
        bench.load()

    shutil.copytree(run, tmp_path / "runs" / "whole")
    some = bench.load(tmp_path / "runs")
    assert [result.run for result in some] == [run.name]
    assert [note.file for note in some.left_out] == ["edited/result.json"]
    assert "left out: edited/result.json" in some._repr_html_()


def test_records_are_chosen_by_model_task_and_seed(results: bench.Results) -> None:
    assert {one.model.name for one in results.where(model="hse")} == {"hse"}
    assert len(results.where(model=["hse", "fse"], seed=[0, 1])) == 4
    assert len(results.where(task="didemo-retrieval", seed=2)) == 6
    assert len(results.where(task="anet-retrieval")) == 0
    assert [one.run for one in results[:2]] == [results[0].run, results[1].run]


def test_a_data_frame_has_every_number_of_every_record(results: bench.Results) -> None:
    wide, long = results.to_pandas(), results.to_pandas(long=True)

    assert list(wide.columns[:3]) == list(long.columns[:3]) == ["task", "model", "seed"]
    assert len(wide) == len(results)
    for result, (_, row) in zip(results, wide.iterrows(), strict=True):
        assert all(row[one.name] == one.value for one in result.measurements)
        assert row.settings == result.model.settings
    stated = [
        (result.run, one.name, one.value, *(one.ci95 or (None, None)), one.unit, one.n)
        for result in results
        for one in [*result.measurements, *result.columns]
    ]
    kept = long[["run", "measurement", "value", "low", "high", "unit", "n"]].astype(object)
    assert [tuple(row) for row in kept.where(kept.notna(), None).to_numpy()] == stated
    assert list(results[0].to_pandas().measurement) == [one.name for one in results[0].measurements]


def test_whatever_stands_in_a_record_is_text_on_a_page(tmp_path: Path) -> None:
    for path in [*TASK.glob("hse--*s0*"), *TASK.glob("fse--*s0*")]:
        shutil.copy(path, tmp_path)
    for path in tmp_path.glob("*s0*.json"):
        if path.name.endswith(".check.json"):
            path.unlink()
            continue
        record = json.loads(path.read_text())
        record["model"]["name"] += HOSTILE
        record["data"]["label"] = HOSTILE
        path.write_text(json.dumps(record))
    results = bench.load(tmp_path)
    assert len(results) == 2

    board = bench.leaderboard(tmp_path)
    shown = [results, results[0], board, board[0], bench.compare(results[:1], results[1:])]
    for one in shown:
        page = Tags(one._repr_html_())
        assert page.tags <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
        assert any(HOSTILE in text for text in page.texts)
    for one in (*shown[:2], *shown[3:]):
        drawn = one.plot()
        drawn.figure.savefig(tmp_path / "picture.png")
        assert HOSTILE in drawn.get_title(loc="left")


def test_two_models_are_compared_as_the_command_does(results: bench.Results, bench_command: Any) -> None:
    names = [f"{TASK}/{model}--*.json" for model in ("hse", "fse")]
    printed = json.loads(bench_command("compare", *names, "--json").stdout)["comparisons"]

    compared = bench.compare(results.where(model="hse"), results.where(model="fse"))
    assert bench.compare(*names).to_pandas().equals(compared.to_pandas())
    frame = compared.to_pandas().set_index("measurement")
    assert list(frame.index) == [one["metric"] for one in printed]
    for one in printed:
        row = frame.loc[one["metric"]]
        assert [row.a, row.b, row.difference] == [one["a"]["mean"], one["b"]["mean"], one["difference"]]
        assert [row.low, row.high, row.p_value, row.n] == [*one["ci95"], one["p_value"], one["n"]]
        assert [row.wins, row.losses, row.ties] == [one["wins"], one["losses"], one["ties"]]
    assert len(compared.plot().get_yticks()) == len(printed)
    assert list(bench.compare(*names, ["v2t/R@5"]).to_pandas().measurement) == ["v2t/R@5"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"metrics": "t2v/R@1"}, "metrics='t2v/R@1': a list of texts is wanted"),
        ({"metrics": ["nothing"]}, "metric 'nothing' has no value for each query"),
        ({"a": 3}, "a=3: a path is wanted"),
        ({"across": "no"}, "across='no': True or False is wanted"),
    ],
)
def test_a_wrong_comparison_is_one_of_our_errors(results: bench.Results, wrong: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        bench.compare(**{"a": results.where(model="hse"), "b": results.where(model="fse"), **wrong})
    assert says in str(caught.value)


def test_records_of_no_or_of_several_models_are_no_side(results: bench.Results) -> None:
    with pytest.raises(UsageError, match="a: there is no record in it"):
        bench.compare(results.where(model="coot"), results)
    with pytest.raises(UsageError, match="are not two seeds of one model"):
        bench.compare(results.where(model="fse"), results)


def test_a_leaderboard_has_the_rows_of_its_pages_in_their_order() -> None:
    board = bench.leaderboard(BOARD)
    assert len(board) == len(list(BOARD.glob("tables/*.json")))
    for one in board:
        (page,) = BOARD.glob(f"tables/*-{one.table.key}.json")
        rows = json.loads(page.read_text())["rows"]
        frame = one.to_pandas()
        assert list(frame.model) == [row["model"] for row in rows]
        assert list(frame.place) == list(range(1, len(rows) + 1))
        drawn = one.plot()
        assert len(drawn.get_yticks()) == len(rows)
        pyplot.close(drawn.figure)
    whole = board.to_pandas()
    assert len(whole) == sum(len(one.table.rows) for one in board)
    assert {one.table.parts["data"] for one in board.where(data="real")} == {"real"}
    assert whole.data.iloc[0] == "real"


def test_a_figure_of_a_table_has_its_deviation_and_interval() -> None:
    (table,) = bench.leaderboard(TASK).where(task="didemo-retrieval")
    long = table.to_pandas(long=True).set_index(["model", "measurement"])
    cell = next(row for row in table.table.rows if row.model == "hse").cells[table.table.place]
    row = long.loc[("hse", "t2v/R@1")]
    assert cell is not None
    assert [row["mean"], row["std"], (row.low, row.high)] == [cell.mean, cell.std, cell.ci95]
    with pytest.raises(UsageError, match="no measurement 'x'"):
        table.plot("x")


def test_the_package_stays_a_function_whatever_of_it_is_imported() -> None:
    import_module("bench.leaderboard.board")
    assert bench.leaderboard is import_module("bench.leaderboard")
    assert len(bench.leaderboard(str(TASK))) == 1
    with pytest.raises(UsageError, match="folder=None: a path is wanted"):
        bench.leaderboard(None)


def test_only_records_that_rank_together_are_drawn_together(results: bench.Results) -> None:
    assert [label.get_text() for label in results.where(model="hse").plot().get_yticklabels()] == [
        f"hse, seed {seed}" for seed in (0, 1, 2)
    ]
    assert results.plot("v2t/MedR").get_xlabel() == "v2t/MedR"
    with pytest.raises(UsageError, match="has no measurement 'x'"):
        results.plot("x")
    both = bench.load(TASK, BOARD / "results" / "anet-zero-shot")
    with pytest.raises(UsageError, match="do not rank together"):
        both.plot()
    assert "only rows of one rank together" in both._repr_html_()


class Screen(StringIO):
    """A terminal, as far as progress asks."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("screen", [Screen(), StringIO()])
def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screen: StringIO
) -> None:
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr("bench.runs.progress.EVERY", 0.0)
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))  # loaded by a library, outside notebooks
    for _ in range(2):  # the second run is reused, which is said
        bench.run("count-only", "anet-retrieval", limit=30, output=tmp_path, reporter=bench.Progress())
    said = screen.getvalue()
    assert ("\r" in said) == screen.isatty()
    assert ("predict:   0%" in said or "%|" in said) == screen.isatty()
    assert "already complete, reusing it" in said
