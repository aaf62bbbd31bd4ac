"""Tables as CSV, JSON and LaTeX: every figure in full, and no cell that a program would run."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import record, save, with_values

from bench.leaderboard import Sources, build
from bench.leaderboard.pages.downloads import csv_cell, latex

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    '=HYPERLINK("https://example.org")',
    "=cmd|' /C calc'!A0",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
    "\N{FULLWIDTH PLUS SIGN}1",
    "\N{FULLWIDTH HYPHEN-MINUS}1",
    "\N{FULLWIDTH COMMERCIAL AT}SUM(A1)",
    "\N{SMALL PLUS SIGN}1",
    "\N{IDEOGRAPHIC SPACE}=1",
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("downloads")
    for seed, r1 in ((0, 40.0), (1, 44.0)):
        value = record(model__name="a_b & c", seed=seed, run=f"a{seed}", model__settings={"low": "weak_1", "tau": 0.1})
        save(folder / "results" / f"a{seed}", with_values(value, t2v_R1=r1))
    save(folder / "results" / "b", with_values(record(model__name="=1+1", model__control=True), t2v_R1=1.0))
    build(Sources((folder / "results",)), folder)
    return folder / "tables"


def test_csv_holds_every_figure_in_full(tables: Path) -> None:
    (path,) = tables.glob("*.csv")
    first, second = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    assert first["model"] == "a_b & c"
    assert (first["status"], first["control"], first["tier"], first["seeds"]) == ("consistent", "no", "1", "0 1")
    assert float(first["t2v/R@1"]) == 42.0
    assert float(first["t2v/R@1 std"]) == pytest.approx(8**0.5)
    assert (float(first["t2v/R@1 low"]), float(first["t2v/R@1 high"])) == (35.25, 49.0)
    assert first["settings"] == "low=weak_1 tau=0.1"
    assert first["signature"] == record()["signature"]
    assert second["model"] == "'=1+1"
    assert second["t2v/R@1 std"] == ""


def test_json_holds_what_a_program_needs(tables: Path) -> None:
    (path,) = tables.glob("*.json")
    table = json.loads(path.read_text())
    assert table["schema"] == "bench-table/1"
    assert (table["primary"], table["n"], table["data"]) == ("t2v/R@1", 200, "generated")
    assert table["columns"][0] == {"name": "t2v/R@1", "unit": "percent", "higher_is_better": True}
    assert [row["model"] for row in table["rows"]] == ["a_b & c", "=1+1"]
    assert table["rows"][0]["values"]["t2v/R@1"] == {"mean": 42.0, "std": 8**0.5, "ci95": [35.25, 49.0]}
    assert table["rows"][0]["runs"] == ["a0", "a1"]


def test_latex_is_a_whole_table_of_escaped_cells(tables: Path) -> None:
    (path,) = tables.glob("*.tex")
    text = path.read_text()
    assert text.startswith("% anet-retrieval/2\\textbar{}split=val\\_1")
    assert "a\\_b \\& c & \\textbf{42.0} {\\footnotesize $\\pm$2.8}" in text
    assert "\\textit{=1+1}" in text
    body = text[text.index("\\midrule") : text.index("\\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith("\\\\")]
    assert [len(re.findall(r"(?<!\\)&", row)) for row in rows] == [12, 12]
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    assert csv_cell(text).startswith("'")


@given(st.text())
def test_escaped_latex_has_no_command_but_those_of_the_escapes(text: str) -> None:
    escaped = latex(text)
    rest = re.sub(r"\\(?:[{}$&#_%]|(?:text\w+|ldots|dag)\{\})|\$\\?[\w-]+\$", "", escaped)
    assert not re.search(r"[\\{}$&#_%^~]", rest)
    assert "\n" not in escaped
