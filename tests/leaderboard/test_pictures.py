"""Pictures: values where they belong, no inline style, and nothing of a record but in escaped titles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from records import record, save, with_values

from bench.leaderboard.pictures.axes import around, linear, logarithmic
from bench.leaderboard.pictures.charts import pictures
from bench.leaderboard.pictures.svg import PALETTE, Drawing
from bench.leaderboard.records import read
from bench.leaderboard.tables import boards


def drawn(tmp_path: Path, *values: dict[str, Any]) -> dict[str, Any]:
    """Returns the pictures of a table with these records, by title."""
    for i, value in enumerate(values):
        save(tmp_path / "runs" / str(i), value)
    (table,) = boards(read([tmp_path / "runs"])[0])[0][0].tables
    return {picture.title: picture for picture in pictures(table)}


def titles(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("title")]  # noqa: S314 (made here)


def test_a_drawing_has_no_style_no_script_no_date_and_no_link() -> None:
    drawing = Drawing()
    drawing.axes("a", "b")
    drawing.points([(1.0, 2.0)], 0, 1, ["</title><script>alert(1)</script>"])
    svg = str(drawing.svg('"><script>'))

    root = ElementTree.fromstring(svg)  # noqa: S314 (made here)
    assert {element.tag for element in root.iter()} <= {"svg", "path", "circle", "rect", "text", "title"}
    assert not {"style", "href", "id"} & {name for element in root.iter() for name in element.attrib}
    assert "</title><script>" in titles(svg)[0]
    assert root.get("aria-label") == '"><script>'
    assert not re.search(r"\d{4}-\d\d-\d\d|http", svg)


def test_ink_is_the_colour_of_the_page() -> None:
    drawing = Drawing()
    drawing.axes("a", "b")
    drawing.points([(1.0, 2.0)], 3, 1, ["a title"])
    svg = str(drawing.svg("x"))

    assert "currentColor" in svg
    assert set(re.findall(r"#[0-9a-f]{6}", svg)) == {PALETTE[3]}


def test_a_curve_goes_through_its_points() -> None:
    drawing = Drawing()
    drawing.line([(1, 0.0), (10, 51.0), (100, 102.0)], 0, 7, {0: "first", 2: "last"})
    drawing.percents()
    drawing.depths((1, 10, 100))
    root = ElementTree.fromstring(str(drawing.svg("x")))  # noqa: S314 (made here)

    (curve,) = [path.get("d") or "" for path in root.iter("path") if path.get("stroke") == PALETTE[0]]
    (x0, y0), (x1, y1), (x2, y2) = [tuple(map(float, point.split())) for point in curve[1:].split("L")]
    bottom, top = 180 - 32.4, 8.64
    assert (y0, y1, y2) == pytest.approx((bottom, (bottom + top) / 2, top), abs=0.01)
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.02)
    ends = [(float(dot.get("cx") or 0), float(dot.get("cy") or 0)) for dot in root.iter("circle")]
    assert ends == [(x0, y0), (x2, y2)]
    assert [text.text for text in root.iter("text") if text.get("font-weight")] == ["7"]


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [
        (0, 102, ["0", "20", "40", "60", "80", "100"]),
        (-3, 64, ["0", "10", "20", "30", "40", "50", "60"]),
        (0.11, 0.17, ["0.11", "0.12", "0.13", "0.14", "0.15", "0.16", "0.17"]),
        (900, 2600, ["1k", "1.5k", "2k", "2.5k"]),
    ],
)
def test_round_numbers_are_marked(low: float, high: float, written: list[str]) -> None:
    assert [text for _, text in linear(low, high).ticks] == written


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [-2.0, 1e-9], [1e12]])
def test_an_axis_around_any_values_holds_them(values: list[float]) -> None:
    axis = around(values)
    assert all(0 < axis.share(value) < 1 for value in values)
    assert axis.ticks


@pytest.mark.parametrize("values", [[3.0], [1e-7, 1e9], [0.02, 0.021]])
def test_a_logarithmic_axis_holds_its_values_and_has_a_few_marks(values: list[float]) -> None:
    axis = logarithmic(values, 0.2)
    assert all(0 < axis.share(value) < 1 for value in values)
    assert 2 <= len(axis.ticks) <= 25


def test_one_row_gets_no_picture(tmp_path: Path) -> None:
    assert drawn(tmp_path, record()) == {}


def test_recall_at_k_is_that_of_the_evidence(tmp_path: Path) -> None:
    a = with_values(record(model__name="a"), t2v_R1=40.0, t2v_MedR=7.0)
    found = drawn(tmp_path, a, with_values(record(model__name="b"), t2v_R1=20.0))
    assert titles(found["Recall at K, paragraph → video"].svg)[:4] == [
        "a: R@1 = 40.0",
        "a: R@5 = 40.0",
        "a: R@10 = 100.0",
        "a: R@50 = 100.0",
    ]
    assert [entry[:2] for entry in found["Recall at K, paragraph → video"].legend] == [(1, "a"), (2, "b")]


def test_seeds_are_drawn_where_a_row_has_several(tmp_path: Path) -> None:
    values = [with_values(record(model__name="a", seed=i, run=f"a{i}"), t2v_R1=10.0 * (i + 1)) for i in range(3)]
    found = drawn(tmp_path, *values, with_values(record(model__name="b"), t2v_R1=1.0))
    assert [title for title in titles(found["Spread over seeds"].svg) if title.startswith("a,")] == [
        "a, seed 0: 10.0", "a, seed 1: 20.0", "a, seed 2: 30.0",
    ]  # fmt: skip
    assert "Spread over seeds" not in drawn(tmp_path / "x", record(model__name="a"), record(model__name="b"))


def test_times_of_other_hardware_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [record(model__name=name) for name in "abc"]
    rows[2]["provenance"]["hardware"] = {"cpu": "another processor"}
    picture = drawn(tmp_path, *rows)["Accuracy against time"]
    assert "a processor (cpu)" in picture.caption
    assert "1 row timed elsewhere" in picture.caption
    assert [name for _, name, _ in picture.legend] == ["a", "b"]


def test_rows_without_hardware_are_not_drawn_against_time(tmp_path: Path) -> None:
    rows = [record(model__name=name, provenance__hardware={}) for name in "ab"]
    assert "Accuracy against time" not in drawn(tmp_path, *rows)


def test_controls_give_way_to_models_when_there_are_many(tmp_path: Path) -> None:
    values = [with_values(record(model__name=f"m{i}"), t2v_R1=10.0 + i) for i in range(8)]
    control = with_values(record(model__name="control", model__control=True), t2v_R1=90.0)
    found = drawn(tmp_path, *values, control)
    assert [number for number, _, _ in found["Recall at K, paragraph → video"].legend] == list(range(2, 10))


def test_bars_are_as_long_as_their_values_and_have_a_title_each() -> None:
    drawing = Drawing()
    drawing.bars([3.0, 1.0], ["three", "one"])
    svg = str(drawing.svg("x"))

    assert titles(svg) == ["three", "one"]
    bars = [float(bar.get("width") or 0) for bar in ElementTree.fromstring(svg).iter("rect")]  # noqa: S314 (made here)
    assert bars[0] / bars[1] == pytest.approx(3, rel=1e-3)


def test_a_group_is_numbered_and_every_dot_has_its_title_and_distances_are_equal_in_both_directions() -> None:
    drawing = Drawing()
    drawing.group([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)], 11, ["a", "b", "c"])
    drawing.bare()
    svg = str(drawing.svg("x"))

    assert titles(svg) == ["a", "b", "c"]
    assert re.findall(r"<text[^>]*>(\d+)</text>", svg) == ["12"]
    outlines = re.findall(r'<path d="M([\d.-]+) ([\d.-]+)L', svg)
    dots = [(float(x), float(y)) for x, y in outlines]  # the first corners of squares of one size
    assert dots[1][0] - dots[0][0] == pytest.approx(dots[0][1] - dots[2][1], abs=0.02)


def test_models_are_drawn_against_their_size_where_it_is_known(tmp_path: Path) -> None:
    key = {"key": "e" * 64, "sha256": "e" * 64, "selection": "fixed", "word_vectors": "random"}
    rows = [
        record(model__name=name, provenance__checkpoint={**key, **size})
        for name, size in (("a", {"parameters": 1000}), ("b", {"parameters": 2_500_000}), ("old", {}))
    ]
    picture = drawn(tmp_path, *rows, record(model__name="untrained"))["Accuracy against parameters"]
    assert titles(picture.svg) == ["a: 10.0 with 1,000 parameters", "b: 10.0 with 2,500,000 parameters"]
    assert "2 rows without, or with an unknown number, left out" in picture.caption
    assert [f">{tick}<" in picture.svg for tick in ("1k", "10k", "100k", "1M")] == [True] * 4
