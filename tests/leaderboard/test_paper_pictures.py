"""Pictures on the pages of papers: a curve where the table holds one, and a look of its own for each class."""

from __future__ import annotations

import re
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from bench.leaderboard.pictures.svg import MARKS, PALETTE, SIZE, Drawing

BOARD = Path(__file__).resolve().parents[2] / "leaderboards"
TEXT = re.compile(r'<text x="([\d.-]+)" y="([\d.-]+)"[^>]*font-weight="bold"[^>]*>(\d+)</text>')


@pytest.fixture
def pages(bench_command: Any) -> Path:
    """Returns the folder of the pages of papers, built from the committed board."""
    shutil.copytree(BOARD / "papers", bench_command.folder / "board" / "papers")
    bench_command("leaderboard", "build", "--results", BOARD / "results", "--output", "board")
    return bench_command.folder / "board" / "papers"


def numbers_in(svg: str) -> dict[str, tuple[float, float]]:
    return {text: (float(x), float(y)) for x, y, text in TEXT.findall(svg)}


def assert_none_stands_on_another(numbers: dict[str, tuple[float, float]]) -> None:
    for (a, (x, y)), (b, (to_x, to_y)) in combinations(numbers.items(), 2):
        assert abs(y - to_y) >= SIZE or abs(x - to_x) >= 0.5 * SIZE, f"{a} and {b}"


def test_a_table_of_points_has_its_curves(pages: Path) -> None:
    page = (pages / "hse2018-incomplete.html").read_text(encoding="utf-8")
    drawn = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawn) == 2
    for svg in drawn:
        assert len(re.findall(r'<path d="[^"]*" fill="none" stroke="#[0-9a-f]{6}"', svg)) == 6, "a line for each row"
        assert svg.count("at 20 %") == svg.count("at 100 %") == 6
        assert len(numbers_in(svg)) == 6
        assert_none_stands_on_another(numbers_in(svg))
    assert "FSE, incomplete videos: 11.3 at 20 %" in drawn[0]
    assert "<svg" not in (pages / "hse2018-table1.html").read_text(encoding="utf-8")


def test_more_than_eight_classes_have_more_than_eight_looks(pages: Path) -> None:
    page = (pages / "hse2018-tsne.html").read_text(encoding="utf-8")
    panels = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    for panel in panels:
        looks = re.findall(r'<li><b class="c(\d)">\d+</b> (.) ', panel)
        assert len(looks) == len(set(looks)) == 12
        numbers = numbers_in(panel)
        assert sorted(numbers, key=int) == [str(i) for i in range(1, 13)]
        assert_none_stands_on_another(numbers)


def test_forty_classes_are_told_apart_and_numbers_beyond() -> None:
    drawing = Drawing()
    for look in range(len(MARKS) * len(PALETTE)):
        drawing.group([(float(look % 7), float(look % 5))], look, [f"class {look}"])
    drawing.bare()
    svg = str(drawing.svg("many classes"))
    marks = re.findall(r'<path d="M[\d.-]+ [\d.-]+([^"]*)" fill="(#[0-9a-f]{6})"><title>class', svg)
    assert len(marks) == 40
    shapes = {ink: {re.sub(r"[\d. -]+", "", outline) for outline, of in marks if of == ink} for _, ink in marks}
    assert len(shapes) == len(PALETTE)
    assert all(len(outlines) >= 4 for outlines in shapes.values()), "squares and diamonds have four corners each"
