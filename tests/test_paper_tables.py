"""A paper's tables are facts: every figure as in its source, every row with a run or with what it needs."""

import pytest
import yaml

from bench.catalogue import catalogue
from bench.catalogue.config import load
from bench.errors import CatalogueError
from bench.papers.tables import PaperFigure, PaperTable, read_paper
from bench.plugins.papers import Paper

BARE = "schema: bench-paper/1\ntables: {t: {title: A, columns: [t2v/R@1], rows: [ROW]}}\n"


@pytest.fixture(scope="module")
def offered():
    return catalogue.discover(load(None).datasets)


@pytest.fixture(scope="module")
def tables(offered):
    return read_paper(offered.paper("hse2018"))


LEVELS = ("flat embedding", "clips against class names")
"""Further rows of a system of which the poster has one."""


def test_every_published_figure_is_that_of_the_poster(tables, shared):
    poster = yaml.safe_load(shared("data/published/poster_tables.yaml").read_text())
    for name in ("table1", "table2", "table3", "table4", "table5"):
        ours, theirs = tables[name], poster[name]
        assert (ours.title, ours.columns) == (theirs["title"], theirs["columns"])
        printed = [row for row in ours.rows if row.variant not in LEVELS]
        assert [(row.system, row.values) for row in printed] == [
            (row["model"], [value if value is None else float(value) for value in row["values"]])
            for row in theirs["rows"]
        ]
        for row, published in zip(printed, theirs["rows"], strict=True):
            assert row.features == published.get("features", row.features)
            assert "segments" not in published or row.variant == f"segments {published['segments']}"


def test_every_row_names_a_model_a_task_and_settings_that_exist(tables, offered):
    runs = [row for table in tables.values() for row in table.rows if row.model]
    assert len(runs) == 40
    for row in runs:
        offered.model(row.model).resolve(None, row.settings)
        for task in row.all_tasks:
            assert offered.task(task).dataset == task.partition("-")[0]


def test_the_ablation_changes_one_thing_at_a_time(tables):
    settings = [row.settings for row in tables["ablation"].rows]
    assert settings == [{}, {"tau": 0}, {"low": "none"}, {"low": "weak"}, {"pooling": "last"}, {"pooling": "attention"}]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{system: A, values: [1.0]}", "either model and task, or needs"),
        ("{system: A, needs: x, model: m, task: t}", "either model and task, or needs"),
        ("{system: A, needs: x, values: [1.0, 2.0]}", "2 values for 1 column"),
        ("{system: A, needs: x, valeus: [1.0]}", "Extra inputs"),
        ("{system: A", "expected"),
        ("{system: A, model: m, tasks: {x: t, y: 't:k=1'}}", "differ in more than their parameters"),
        (
            "{system: A, needs: x}]}}\nfigures: {t: {title: A, classes: 3, rows: [{system: A, needs: x}",
            "both a table and",
        ),
        ("{system: A, needs: x}]}}\nfigures: {f: {title: A, classes: 99, rows: [{system: A, needs: x}", "equal to 20"),
    ],
)
def test_a_file_that_is_no_paper_is_one_line(tmp_path, monkeypatch, row, says):
    (tmp_path / "some_paper").mkdir()
    (tmp_path / "some_paper" / "__init__.py").write_text("")
    (tmp_path / "some_paper" / "tables.yaml").write_text(BARE.replace("ROW", row))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "some_paper", raising=False)
    with pytest.raises(CatalogueError, match=says) as caught:
        read_paper(Paper("some", "Some paper", "some_paper:tables.yaml"))
    assert "\n" not in str(caught.value)


def test_a_paper_without_its_file_is_an_error_of_its_plugin():
    with pytest.raises(CatalogueError, match="Fix its plugin"):
        read_paper(Paper("some", "Some paper", "bench:nothing.yaml"))


def test_a_row_without_values_has_no_published_figure():
    table = PaperTable.model_validate({"title": "A", "columns": ["x"], "rows": [{"system": "A", "needs": "x"}]})
    assert table.rows[0].values == []


def test_a_figure_of_embeddings_has_nothing_to_compare():
    row = {"system": "A", "needs": "x", "values": [1.0]}
    with pytest.raises(ValueError, match="no values to compare"):
        PaperFigure.model_validate({"title": "A", "classes": 3, "rows": [row]})
