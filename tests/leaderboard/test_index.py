"""The index: real data before generated, and whoever leads is named, a control as well."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from records import record, save, with_values

from bench.leaderboard import Sources, build


def of(task: str, kind: str, model: str, r1: float, *, control: bool = False, **changes: Any) -> dict[str, Any]:
    """Returns a record of a task on data of a kind."""
    signature = record()["signature"].replace("anet-retrieval/", f"{task}/").replace("data=generated", f"data={kind}")
    value = record(
        task__name=task, data__kind=kind, data__label=kind, signature=signature, model__name=model,
        model__control=control, **changes,
    )  # fmt: skip
    return with_values(value, t2v_R1=r1)


@pytest.fixture
def built(tmp_path: Path) -> Any:
    """Returns a function that builds pages of records and returns the content of one, by its name."""

    def build_pages(*values: dict[str, Any]) -> Any:
        for number, value in enumerate(values):
            save(tmp_path / "runs" / str(number), value)
        build(Sources((tmp_path / "runs",)), tmp_path / "board")
        return lambda page: (tmp_path / "board" / page).read_text(encoding="utf-8")

    return build_pages


def words(html: str) -> str:
    """Returns what a reader of a page sees."""
    return " ".join(re.sub(r"<[^>]+>", " ", html[html.index("<h1>") :]).split())


def test_real_data_stand_first_whatever_their_tasks_are_called(built: Any) -> None:
    page = built(
        of("a-retrieval", "generated", "toy", 30.0),
        of("m-retrieval", "simulated", "toy", 30.0),
        of("z-retrieval", "real", "toy", 30.0),
        of("b-retrieval", "real", "toy", 30.0),
    )

    order = ["Real data", "b-retrieval", "z-retrieval", "Simulated features", "m-retrieval", "Generated sample",
             "a-retrieval"]  # fmt: skip
    for shown in (words(page("index.html")), page("index.md")):
        places = [shown.index(word) for word in order]
        assert places == sorted(places)
    assert page("index.html").count("say nothing about the paper") == page("index.md").count("nothing about the paper")
    of_models = page("models/toy.html")
    assert of_models.index("z-retrieval") < of_models.index("a-retrieval")


def test_a_task_on_two_kinds_of_data_stands_below_each_with_who_leads_there(built: Any) -> None:
    page = built(of("x-retrieval", "real", "better", 40.0), of("x-retrieval", "generated", "other", 50.0))

    real, _, generated = words(page("index.html")).partition("Generated sample")
    assert "x-retrieval real Ground-truth segments better 40.0 t2v/R@1" in real
    assert "x-retrieval generated Ground-truth segments other 50.0 t2v/R@1" in generated


def test_a_control_that_leads_is_named_as_leading_with_the_best_model_beside_it(built: Any) -> None:
    page = built(
        of("x-retrieval", "real", "floor", 40.0, control=True),
        of("x-retrieval", "real", "learned", 30.0),
        of("x-retrieval", "real", "lesser", 20.0),
        of("y-retrieval", "real", "learned", 30.0),
        of("y-retrieval", "real", "floor", 10.0, control=True),
        of("z-retrieval", "real", "a-model", 30.0),
        of("z-retrieval", "real", "floor", 30.0, control=True),
    )

    shown = words(page("index.html"))
    assert "x-retrieval real Ground-truth segments floor a control; best model: learned, 30.0 40.0" in shown
    assert "y-retrieval real Ground-truth segments learned 30.0" in shown
    assert "z-retrieval real Ground-truth segments a-model level with a control: floor 30.0" in shown
    lines = page("index.md").splitlines()
    assert "| [x-retrieval](x-retrieval.md) | *floor*<br><sub>a control; best model: learned, 30.0</sub> | 40.0 | "\
        "t2v/R@1 |" in lines  # fmt: skip
    assert "| [y-retrieval](y-retrieval.md) | learned | 30.0 | t2v/R@1 |" in lines


def test_who_leads_a_task_is_told_of_the_task_as_it_is_and_not_of_one_with_parameters(built: Any) -> None:
    plain, asked = of("x-retrieval", "real", "plain", 40.0), of("x-retrieval", "real", "asked", 50.0)
    asked["signature"] = asked["signature"].replace("text=paragraph", "text=caption")  # stands before "paragraph"
    asked["task"]["name"] = "x-retrieval:captions=each"
    page = built(asked, plain)

    assert "x-retrieval real Ground-truth segments plain 40.0" in words(page("index.html"))
    shown = page("x-retrieval.md")
    assert shown.index("plain") < shown.index("asked")


def test_what_all_rows_say_of_their_data_stands_on_the_page_as_text(built: Any) -> None:
    note = "none of <b>1k-A</b> [x](https://example.org)"
    page = built(
        of("x-retrieval", "real", "a", 40.0, data__remarks=[note, "of one alone"]),
        of("x-retrieval", "real", "b", 30.0, data__remarks=[note]),
    )

    assert "none of &lt;b&gt;1k-A&lt;/b&gt;" in page("x-retrieval.html")
    assert "none of &lt;b&gt;1k-A&lt;/b&gt; \\[x\\](https\\://" in page("x-retrieval.md")
    assert "of one alone" not in page("x-retrieval.html") + page("x-retrieval.md")


def test_weights_are_told_by_the_first_digits_of_their_digest(built: Any) -> None:
    said = [f"bag@sha256:{digit * 64}" for digit in "ab"]
    page = built(*(of("x-retrieval", "real", "a", 40.0, model__settings={"text": text}) for text in said))

    for shown in (page("x-retrieval.html"), page("x-retrieval.md"), page("models/a.html")):
        assert all(text[:19] in shown for text in said)
    assert not any(text in words(page("x-retrieval.html")) + page("x-retrieval.md") for text in said)
