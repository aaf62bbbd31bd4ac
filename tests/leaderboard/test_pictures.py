"""Pictures: the same bytes wherever they are drawn, no inline style, and nothing of a record but in escaped titles."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from records import record, save, with_values

from bench.leaderboard.pictures.charts import pictures
from bench.leaderboard.pictures.svg import PALETTE, Drawing
from bench.leaderboard.records import read
from bench.leaderboard.tables import boards

DRAW = """
import numpy as np
from bench.leaderboard.pictures.svg import Drawing
with Drawing("t") as drawing:
    drawing.axes("across", "upwards")
    drawing.line(np.array([1, 2, 50]), np.array([1.0, 20.0, 90.0]), 0, 1, {0: "<a> & $b$", 2: "c"})
    drawing.limits((0.8, 55), (0, 102), logarithmic=True)
    print(drawing.svg("a label"))
"""


def drawn(tmp_path: Path, *values: dict[str, Any]) -> dict[str, Any]:
    """Returns the pictures of a table with these records, by title."""
    for i, value in enumerate(values):
        save(tmp_path / "runs" / str(i), value)
    (table,) = boards(read([tmp_path / "runs"])[0])[0][0].tables
    return {picture.title: picture for picture in pictures(table)}


def titles(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("title")]  # noqa: S314 (made here)


def test_a_drawing_has_the_same_bytes_under_other_settings_of_matplotlib() -> None:
    first = subprocess.run([sys.executable, "-c", DRAW], capture_output=True, text=True, check=True).stdout
    changed = (
        "import matplotlib; matplotlib.rcParams.update({'font.size': 30, 'axes.grid': False, 'svg.hashsalt': 'x'})"
    )
    second = subprocess.run([sys.executable, "-c", changed + DRAW], capture_output=True, text=True, check=True).stdout
    assert first == second


def test_a_drawing_has_no_style_no_script_no_date_and_no_link_outside() -> None:
    with Drawing("t") as drawing:
        drawing.axes("a", "b")
        drawing.points([1.0], [2.0], 0, 1, ["</title><script>alert(1)</script>"])
        svg = str(drawing.svg('"><script>'))
        root = ElementTree.fromstring(svg)  # noqa: S314 (made here)
        assert {element.tag for element in root.iter()} <= {
            "svg",
            "g",
            "path",
            "defs",
            "use",
            "text",
            "title",
            "clipPath",
            "rect",
        }
        assert "style" not in {name for element in root.iter() for name in element.attrib}
        links = [value for element in root.iter() for name, value in element.attrib.items() if name.endswith("href")]
        assert all(link.startswith("#t-") for link in links)
        assert "</title><script>" in titles(svg)[0]
        assert root.get("aria-label") == '"><script>'
        assert not re.search(r"\d{4}-\d\d-\d\d|http", svg)


def test_ink_is_the_colour_of_the_page() -> None:
    with Drawing("t") as drawing:
        drawing.axes("a", "b")
        svg = str(drawing.svg("x"))
        assert "currentColor" in svg
        assert not set(re.findall(r"#[0-9a-f]{6}", svg)) - set(PALETTE)


def test_a_dollar_in_a_name_is_a_dollar() -> None:
    with Drawing("t") as drawing:
        drawing.axes(r"$\input{x}$", "")
        assert r">$\input{x}$<" in str(drawing.svg("x"))


def test_drawing_changes_no_setting_of_the_process() -> None:
    before = dict(mpl.rcParams)
    with Drawing("t") as drawing:
        drawing.strip(1, [1.0, 2.0], 0, ["a", "b"])
        drawing.svg("x")
    assert dict(mpl.rcParams) == before


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


@pytest.mark.parametrize("values", [[3.0, 1.0]])
def test_bars_have_a_title_each(values: list[float]) -> None:
    with Drawing("t") as drawing:
        drawing.bars(values, ["three", "one"])
        assert titles(str(drawing.svg("x"))) == ["three", "one"]


def test_a_group_is_numbered_and_every_dot_has_its_title() -> None:
    with Drawing("t") as drawing:
        drawing.group(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]), 11, ["a", "b", "c"])
        drawing.bare()
        svg = str(drawing.svg("x"))
        assert titles(svg) == ["a", "b", "c"]
        assert re.findall(r"<text[^>]*>(\d+)</text>", svg) == ["12"]


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
