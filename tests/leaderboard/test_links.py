"""Rows link to the papers and the code that whoever keeps a board names, and to nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def built(bench_command: Any, control_runs: Path) -> Any:
    """Returns a function that builds a board of one run of `random` beside a links.yaml; gives its pages and stderr."""

    def build(links: str) -> tuple[str, str, str]:
        board = bench_command.folder / "board"
        board.mkdir()
        (board / "links.yaml").write_text(links, encoding="utf-8")
        said = bench_command("leaderboard", "build", "--results", control_runs, "--output", "board").stderr
        pages = [board / "anet-retrieval.html", board / "models" / "random.html"]
        return pages[0].read_text(encoding="utf-8"), pages[1].read_text(encoding="utf-8"), said

    return build


def test_a_row_and_its_model_link_to_paper_and_code(built: Any) -> None:
    for page in built("random: {paper: https://arxiv.org/abs/1810.07212, code: https://github.com/a/b}\n")[:2]:
        assert '<a class="elsewhere" href="https://arxiv.org/abs/1810.07212" rel="noopener">paper</a>' in page
        assert '<a class="elsewhere" href="https://github.com/a/b" rel="noopener">code</a>' in page


def test_one_of_them_is_enough_and_models_without_any_have_none(built: Any) -> None:
    table, model, said = built("random: {code: https://github.com/a/b}\nother: {paper: https://example.org/x}\n")
    assert table.count('class="elsewhere"') == model.count('class="elsewhere"') == 1
    assert "example.org" not in table + model
    assert "links.yaml" not in said


@pytest.mark.parametrize(
    ("links", "reason"),
    [
        ("random: {paper: 'javascript:alert(1)'}\n", "random.paper: String should match pattern"),
        ("random: {paper: http://example.org/}\n", "random.paper"),
        ("random: {paper: 'https://a/\"onclick=x'}\n", "random.paper"),
        ("random: {papers: https://example.org/}\n", "random.papers: Extra inputs"),
        ("- random\n", "the file: Input should be a valid dictionary"),
        ("random: {paper\n", "Fix the YAML"),
    ],
)
def test_a_file_that_is_wrong_is_left_out_and_named(built: Any, links: str, reason: str) -> None:
    table, model, said = built(links)
    assert 'class="elsewhere"' not in table + model
    assert said.startswith("left out: links.yaml: ")
    assert reason in said
