"""A verdict compares only where the protocol agrees."""

import pytest

from bench.papers.figures import ComparedTable, compared, not_run
from bench.papers.pages import html, markdown
from bench.papers.tables import PaperTable
from bench.results import Missing, Result

ROW = {"system": "A", "features": "Inception-V3", "extractor": "ICEP", "model": "m", "task": "t"}


@pytest.fixture
def result(control_runs):
    return Result.load(next(control_runs.glob("*/result.json")))


def real(result, value, ci95=(10.0, 20.0), **data):
    """Returns the record as if it were of real data, with t2v/R@1 = value."""
    features = result.data.features.model_copy(update={"extractor": "ICEP"})
    measurements = [
        m.model_copy(update={"value": value, "ci95": ci95}) if m.name == "t2v/R@1" else m for m in result.measurements
    ]
    changed = result.data.model_copy(update={"kind": "real", "features": features, **data})
    return result.model_copy(update={"data": changed, "measurements": measurements})


def table_of(published=15.0, **row):
    return PaperTable.model_validate(
        {"title": "T", "columns": ["t2v/R@1"], "rows": [{**ROW, "values": [published], **row}]}
    )


def verdict(table, *results, changed=None, seeds=None):
    return compared(table, table.rows[0], results, changed or {}, seeds or len(results)).verdict


def test_a_published_value_in_our_interval_is_within(result):
    assert verdict(table_of(10.0), real(result, 14.0)) == "within"


def test_a_published_value_beyond_our_interval_is_outside_and_named(result):
    assert verdict(table_of(20.1), real(result, 14.0)) == "outside: t2v/R@1"


def test_a_value_without_an_interval_is_never_within(result):
    assert verdict(table_of(14.0), real(result, 14.0, ci95=None)) == "outside: t2v/R@1"


def test_generated_data_outweigh_every_figure(result):
    assert result.data.kind == "generated"
    assert verdict(table_of(), result) == "protocol differs: generated data"


def test_what_differs_in_the_model_is_said_on_generated_data_too(result):
    row = {"differs": ["last layer alone"]}
    assert verdict(table_of(**row), result) == "protocol differs: generated data; last layer alone"


@pytest.mark.parametrize(
    ("data", "row", "changed", "says"),
    [
        ({"kind": "simulated"}, {}, {}, "simulated features"),
        ({}, {"extractor": "C3D"}, {}, "features ICEP instead of C3D"),
        ({}, {}, {"epochs": "1"}, "epochs=1"),
        ({}, {"differs": ["another loss"]}, {}, "another loss"),
        ({"n_evaluated": 30}, {}, {}, "30 of 500 videos"),
        ({"missing": Missing(policy="penalise", videos={"val_1": 2})}, {}, {}, "videos without features (penalise)"),
    ],
)
def test_what_differs_is_said(result, data, row, changed, says):
    assert verdict(table_of(**row), real(result, 15.0, **data), changed=changed) == f"protocol differs: {says}"


def test_a_failed_seed_is_said(result):
    assert verdict(table_of(), real(result, 15.0), seeds=3) == "protocol differs: 1 of 3 runs"


def test_a_row_without_published_figures_has_no_verdict_on_them(result):
    assert verdict(table_of(values=[]), real(result, 15.0)) == "no published figure"


def test_seeds_become_a_mean_a_deviation_and_a_difference(result):
    table = table_of(15.0)
    row = compared(table, table.rows[0], [real(result, 12.0, (8, 16)), real(result, 14.0, (12, 18))], {}, 2)
    (figure,) = row.figures
    assert (figure.ours.mean, figure.ours.ci95, figure.difference) == (13.0, (10.0, 17.0), -2.0)
    assert figure.ours.std == pytest.approx(2**0.5)


def test_pages_escape_what_a_paper_says_and_show_rows_that_were_not_run():
    table = table_of(system="<script>x</script>|`")
    shown = ComparedTable("P & Q", "<b>", ("t2v/R@1",), (not_run(table, table.rows[0], "needs <x>"),), "", "", ("<i>",))
    assert "<script>" not in html(shown)
    assert "not run: needs &lt;x&gt;" in html(shown)
    page = markdown(shown)
    assert "<script>" not in page
    assert (
        "| &lt;script&gt;x&lt;/script&gt;\\|\\`<br><sub>Inception-V3</sub> | 15.0 | not run: needs &lt;x&gt; |" in page
    )


def test_a_table_without_published_figures_shows_ours_alone(result):
    def shown(**row):
        table = table_of(**row)
        compared_row = compared(table, table.rows[0], [real(result, 15.0)], {}, 1)
        return ComparedTable("P", "T", ("t2v/R@1",), (compared_row,), "real", "", ())

    alone, beside = shown(values=[]), shown()
    assert "| **15.0**<br><sub>10.0–20.0</sub> | no published figure |" in markdown(alone)
    assert "No figure of this table was published" in markdown(alone)
    assert "<em>" not in html(alone)
    assert "| 15.0<br>**15.0**<br><sub>10.0–20.0<br>+0.0</sub> | within |" in markdown(beside)
    assert "<em>15.0</em><br><b>15.0</b>" in html(beside)


def test_a_verdict_stands_below_its_row_as_wide_as_the_table():
    table = table_of()
    page = html(ComparedTable("P", "T", ("t2v/R@1",), (not_run(table, table.rows[0], "x"),), "", "", ()))
    assert '<td class="text" colspan="2"><span>not run: x</span></td>' in page


def test_columns_of_several_tasks_come_from_the_runs_of_each(result):
    table = PaperTable.model_validate(
        {
            "title": "T",
            "columns": ["one/t2v/R@1", "two/t2v/R@1", "two/top5"],
            "rows": [{"system": "A", "model": "m", "tasks": {"one": "x-one", "two": "x-two:k=1"}, "values": [1, 2, 3]}],
        }
    )

    def of_task(name, value):
        task = result.task.model_copy(update={"name": name})
        return real(result, value).model_copy(update={"task": task})

    results = [of_task("x-one", 11.0), of_task("x-two:k=1", 12.0), of_task("x-one", 13.0), of_task("x-two:k=1", 16.0)]
    row = compared(table, table.rows[0], results, {}, 4)
    assert [figure.ours and figure.ours.mean for figure in row.figures] == [12.0, 14.0, None]
    assert row.verdict == "outside: one/t2v/R@1, two/t2v/R@1"
    assert compared(table, table.rows[0], results[:3], {}, 4).verdict == "protocol differs: 3 of 4 runs"
