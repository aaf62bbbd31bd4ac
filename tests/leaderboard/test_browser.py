"""The pages in a real browser: sorting, filtering, searching, a shared address, axe, and hostile records.

Needs a Chromium of the machine (Debian: `chromium`) and playwright; skipped where one of them is missing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hostile_texts import WORST
from records import record, save, with_values
from test_pages import hostile_record
from test_published import published
from watching import CHROMIUM, LARGE, PHONE, Watched, launched, watched

from bench.leaderboard import Sources, build
from bench.papers.stored import paper_pages

SIGNATURE = record()["signature"]
PAGES = ("index.html", "anet-retrieval.html", "compare.html", "models/alpha.html", "papers/paper-table1.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra `dev`")
    if CHROMIUM is None:
        pytest.skip("needs Chromium; on Debian: apt-get install chromium")
    with api.sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a built board with two segment sources, two kinds of data, seeds, a control, a paper and its figures."""
    folder = tmp_path_factory.mktemp("board")
    windows = SIGNATURE.replace("segments=gt", "segments=uniform-4")
    simulated = SIGNATURE.replace("data=generated", "data=simulated").replace("sample-64", "c3d-500")
    rows: list[dict[str, Any]] = []
    for seed in (0, 1):
        rows.append(with_values(record(model__name="alpha", seed=seed, run=f"alpha--s{seed}"), t2v_R1=60.0 + seed))
        rows.append(with_values(record(model__name="beta", seed=seed, run=f"beta--s{seed}"), t2v_R1=40.0, v2t_R1=70.0))
    took = {"peak_memory": {"host": 812, "cuda:0": 90}, "tokens_in": 1000, "tokens_out": 70, "cost": 0.00125}
    rows.append(with_values(record(model__name="floor", model__control=True, provenance__spent=took), t2v_R1=1.0))
    rows.append(record(model__name="alpha", signature=windows))
    c3d = {"extractor": "c3d", "dim": 500, "stride": "1 row", "digest": "d" * 64}
    told = {"data__kind": "simulated", "data__label": "real text", "data__features": c3d}
    rows.append(record(model__name="gamma", signature=simulated, **told))
    for i, value in enumerate(rows):
        save(folder / "results" / f"r{i}", value)
    (folder / "published").mkdir()
    (folder / "published" / "a.yaml").write_text(yaml.safe_dump(published()))
    (folder / "papers").mkdir()
    table = {
        "title": "A table",
        "columns": ["t2v/R@1"],
        "rows": [{"system": "Alpha", "model": "alpha", "task": "anet-retrieval", "values": [50.0]}],
    }
    stored = {"schema": "bench-compared/1", "paper": "A paper", "table": table, "runs": [["alpha--s0", "alpha--s1"]]}
    (folder / "papers" / "paper-table1.json").write_text(json.dumps(stored))
    build(Sources((folder / "results",), folder / "published", (folder / "papers", paper_pages)), folder)
    return folder


@pytest.fixture
def page(browser: Any, board: Path) -> Iterator[Watched]:
    page = watched(browser, board)
    yield page
    page.page.context.close()
    assert page.said == []


def models(page: Any, table: int = 0) -> list[str]:
    """Returns the models of a table's rows that can be seen, from top to bottom."""
    return [
        row.locator("th a").first.inner_text()
        for row in page.locator("table").nth(table).locator("tbody tr:visible").all()
    ]


def test_a_click_on_a_head_sorts_and_three_clicks_give_our_order_back(page: Watched) -> None:
    at = page.open("anet-retrieval.html")
    shown = at.locator(".board").nth(1)
    head = shown.locator('th[data-name="v2t/R@1"] button')
    assert models(at, 1) == ["alpha", "beta", "floor"]
    head.click()
    assert models(at, 1)[0] == "beta"
    assert shown.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    head.click()
    assert models(at, 1)[-1] == "beta"
    head.click()
    assert models(at, 1) == ["alpha", "beta", "floor"]
    assert shown.locator("th[aria-sort]").count() == 0
    assert "#" not in at.url


def test_search_and_filters_narrow_what_is_shown_and_say_how_much(page: Watched) -> None:
    at = page.open("anet-retrieval.html")
    status = at.locator(".controls [role=status]")
    assert status.inner_text() == "6 of 6 rows"
    at.locator("[name=q]").fill("ALPHA")
    assert status.inner_text() == "2 of 6 rows"
    at.get_by_role("button", name="Reset").click()
    at.locator("[name=kind]").select_option("Simulated features")
    assert at.locator("tbody tr:visible").count() == 1
    assert at.get_by_role("heading", name="Generated sample").count() == 0
    at.locator("[name=kind]").select_option("")
    at.locator("[name=segments]").select_option("4 equal windows")
    assert at.locator("tbody tr:visible").count() == 1
    at.locator("[name=segments]").select_option("")
    at.locator("[name=status]").select_option("published")
    assert at.locator("tbody tr:visible").all_inner_texts()[0].startswith("theirs")


def test_columns_can_be_hidden_with_their_heads(page: Watched) -> None:
    at = page.open("anet-retrieval.html")
    at.locator("summary", has_text="Columns").click()
    for name in ("R@1", "R@5", "R@10", "R@50", "MedR", "MeanR"):
        at.locator(".columns").get_by_label(f"v2t/{name}", exact=True).uncheck()
    shown = at.locator(".board").nth(1)
    assert shown.get_by_text("Video → paragraph").count() == 1
    assert not shown.get_by_text("Video → paragraph").is_visible()
    assert shown.locator("tbody tr").first.locator("td:visible").count() == 2 + 6
    at.locator(".columns").get_by_label("t2v/R@50", exact=True).uncheck()
    assert shown.locator("th.group").first.get_attribute("colspan") == "5"


def test_what_rows_took_is_shown_on_demand_and_stands_in_the_address(page: Watched) -> None:
    at = page.open("anet-retrieval.html")
    shown = at.locator(".board").nth(1)
    assert not shown.get_by_text("Spent").is_visible()
    at.locator("summary", has_text="Columns").click()
    took = at.locator(".columns").get_by_label("predict s", exact=True)
    assert not took.is_checked()
    took.check()
    assert shown.get_by_text("Spent").is_visible()
    assert shown.locator('th[data-name="predict s"]').is_visible()
    assert not shown.locator('th[data-name="host MiB"]').is_visible()
    assert shown.locator("tbody tr").first.locator("td:visible").last.inner_text() == "1.0"
    assert "show=predict+s" in at.url
    at.get_by_role("button", name="Reset").click()
    assert not shown.locator('th[data-name="predict s"]').is_visible()
    assert "#" not in at.url


def test_an_address_shows_another_reader_the_same(page: Watched, browser: Any, board: Path) -> None:
    at = page.open("anet-retrieval.html")
    at.locator("[name=segments]").select_option("Ground-truth segments")
    at.locator("[name=q]").fill("a")
    at.locator(".board").nth(1).locator('th[data-name="t2v/MedR"] button').click()
    at.locator("summary", has_text="Columns").click()
    at.locator(".columns").get_by_label("t2v/R@5", exact=True).uncheck()
    assert at.url.partition("#")[2]

    other = watched(browser, board)
    there = other.open(f"anet-retrieval.html#{at.url.partition('#')[2]}")
    assert models(there, 1) == models(at, 1)
    assert there.locator("[name=q]").input_value() == "a"
    assert there.locator(".controls [role=status]").inner_text() == at.locator(".controls [role=status]").inner_text()
    assert not there.locator(".board").nth(1).locator('th[data-name="t2v/R@5"]').is_visible()
    other.page.context.close()


def test_a_keyboard_sorts_and_finds_the_content(page: Watched) -> None:
    at = page.open("anet-retrieval.html")
    at.keyboard.press("Tab")
    assert at.evaluate("document.activeElement.textContent") == "Skip to content"
    at.locator(".board").nth(1).locator('th[data-name="v2t/R@1"] button').focus()
    at.keyboard.press("Enter")
    assert models(at, 1)[0] == "beta"


def test_intervals_can_be_shown_as_numbers(page: Watched) -> None:
    at = page.open("anet-retrieval.html")
    hidden = at.locator(".board tbody td small:not(.shown)").first
    assert not hidden.is_visible()
    at.get_by_label("Show every interval as numbers").check()
    assert hidden.is_visible()


def test_what_made_a_row_is_one_click_away_with_a_command_to_copy(page: Watched) -> None:
    at = page.open("anet-retrieval.html")
    at.locator(".board").nth(1).locator("th a").first.click()
    assert at.url.endswith("models/alpha.html" + at.url[at.url.index("#") :])
    made = at.locator(".made:target")
    assert SIGNATURE in made.inner_text()
    assert "bench run -m alpha -t anet-retrieval --seed 0" in made.locator("pre").inner_text()
    made.get_by_role("button").click()
    made.get_by_role("button", name="Copied").or_(made.get_by_role("button", name="Selected")).wait_for()


def test_a_point_of_a_picture_has_a_title(page: Watched) -> None:
    at = page.open("anet-retrieval.html")
    titles = at.locator("figure svg circle title").all_text_contents()
    assert any(title.startswith("alpha: R@1 = ") for title in titles)
    assert any(title.startswith("alpha, seed 0: 60.0") for title in titles)


def test_without_javascript_everything_can_be_read(browser: Any, board: Path) -> None:
    page = watched(browser, board, java_script_enabled=False)
    at = page.open("anet-retrieval.html")
    assert models(at, 1) == ["alpha", "beta", "floor"]
    assert not at.locator(".controls").is_visible()
    at.get_by_label("Show every interval as numbers").check()
    assert at.locator(".board tbody td small:not(.shown)").first.is_visible()
    page.page.context.close()


@pytest.mark.parametrize(("scheme", "size"), [("light", LARGE), ("dark", PHONE)], ids=["light", "dark phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    browser: Any, board: Path, scheme: str, size: dict[str, int]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    page = watched(browser, board, color_scheme=scheme, viewport=size)
    for name in PAGES:
        at = page.open(name)
        found = axe.run(at, options={"preload": False}).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], name
        assert at.evaluate("document.documentElement.scrollWidth") <= size["width"], name
    assert page.said == []
    page.page.context.close()


def test_hostile_records_execute_nothing(browser: Any, tmp_path: Path) -> None:
    for i in range(0, len(WORST), 4):  # what no page cuts stands together: fewer pages to open
        text = "".join(WORST[i : i + 4])
        for seed in (0, 1):
            values = hostile_record(text, seed=seed, run=f"run-{i}-{seed}", provenance__command=["bench", *WORST])
            values["provenance"]["hardware"] = {"cpu": text}
            values["data"]["features"]["stride"] = values["provenance"]["started"] = text
            save(tmp_path / "results" / f"{i}-{seed}", values)
        save(
            tmp_path / "results" / f"{i}-other",
            {**hostile_record(text), "seed": 7, "model": {**values["model"], "settings": {}}},
        )
    report = build(Sources((tmp_path / "results",)), tmp_path)
    assert report.rows == 2 * len(report.boards) == 2 * math.ceil(len(WORST) / 4)
    page = watched(browser, tmp_path)
    for path in report.pages:
        if path.suffix == ".html":
            at = page.open(path.relative_to(tmp_path).as_posix())
            for button in at.locator("button.sort").all()[:2]:
                button.click()
            assert at.evaluate("document.querySelectorAll('script').length") == 1
            assert at.evaluate("document.documentElement.scrollWidth") <= LARGE["width"], path.name
    assert page.said == []
    page.page.context.close()


def test_the_index_shows_who_leads_each_kind_of_data(page: Watched) -> None:
    tables = page.open("index.html").locator("main table.index")

    assert tables.count() == 2
    assert all(tables.nth(i).is_visible() for i in range(2))
    assert "gamma" in tables.nth(0).inner_text()
    assert "alpha" in tables.nth(1).inner_text()
