"""Pages of every query in a real browser: each filter used, read without a script, and hostile ids and texts.

Needs what `test_browser` needs, and is skipped likewise.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.dialled import STEP, described, ran, site_of
from hostile_texts import WORST
from test_browser import browser
from watching import LARGE, PHONE, Watched, watched

__all__ = ["browser"]
N = 103
EVIL = ["v<img src=x onerror=alert(1)>", "v' onclick='alert(1)", 'v"><b onmouseover=alert(1)>', "javascript:alert(1)"]
"""Ids of the first videos; those of the others are plain."""
CLASSES = ("Walking the dog", "<b>Playing</b>", "Zumba")
"""Every video is of the first; two of three of the second, too, and one of three of all."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, bench_in: Any) -> Path:
    """Returns pages of two runs on videos whose ids and texts are hostile; `dial` errs on 11 of 103 texts."""
    bench = bench_in(tmp_path_factory.mktemp("runs"))
    ids = [*EVIL, *(f"v{i}" for i in range(len(EVIL), N))]
    points = [STEP * i for i in range(N)]
    points[90:101] = [0.0] * 11
    told = described(ids, points)
    for i, name in enumerate(ids):
        told[name]["sentences"][1] = WORST[i % len(WORST)] if i % 2 else "A short one."
    runs = ran(bench, site_of(tmp_path_factory.mktemp("dial") / "dial"), told)
    config = bench.folder / "bench.yaml"
    config.write_text(config.read_text().replace("    root: .\n", "    root: .\n    labels: labels.csv\n"))
    with (bench.folder / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("video_id", "subset", "labels"))
        rows.writerows((name, "test", "|".join(CLASSES[: 1 + i % 3])) for i, name in enumerate(ids))
    bench("browse", *runs, "-o", "pages")
    return Path(bench.folder / "pages")


@pytest.fixture
def page(browser: Any, pages: Path) -> Iterator[Watched]:
    page = watched(browser, pages)
    yield page
    page.page.context.close()
    assert page.said == []


def status(at: Any) -> str:
    return str(at.locator(".controls [role=status]").inner_text())


def data(pages: Path) -> list[Any]:
    """Returns the rows of the list: name, texts, words, ranks."""
    text = (pages / "t2v.html").read_text("utf-8").split('<script type="application/json">')[1].split("</script>")[0]
    return list(json.loads(text)["rows"])


def test_each_filter_narrows_the_list_and_reset_takes_all_back(page: Watched, pages: Path) -> None:
    at, rows = page.open("t2v.html"), data(pages)
    ranks = [row[3] for row in rows]
    assert status(at) == "103 of 103 queries"
    at.locator("[name=q]").fill("number 153 NOW")
    assert status(at) == "1 of 103 queries"
    at.get_by_role("button", name="Reset").click()

    at.locator("[name=from]").fill("2")
    assert status(at) == f"{sum(a >= 2 for a, _ in ranks)} of 103 queries"
    at.locator("[name=to]").fill("95")
    assert status(at) == f"{sum(2 <= a <= 95 for a, _ in ranks)} of 103 queries"
    at.locator("[name=run]").select_option("1")
    assert status(at) == f"{sum(2 <= b <= 95 for _, b in ranks)} of 103 queries"
    at.get_by_role("button", name="Reset").click()

    at.locator("[name=hit0]").select_option("right")
    at.locator("[name=hit1]").select_option("wrong")
    assert status(at) == f"{sum(a <= 1 < b for a, b in ranks)} of 103 queries"
    at.locator("[name=k]").select_option("10")
    assert status(at) == f"{sum(a <= 10 < b for a, b in ranks)} of 103 queries"
    at.get_by_role("button", name="Reset").click()

    for side, kept in (("better", lambda a, b: a < b), ("worse", lambda a, b: a > b), ("equal", lambda a, b: a == b)):
        at.locator("[name=ahead]").select_option(side)
        assert status(at) == f"{sum(kept(a, b) for a, b in ranks)} of 103 queries"
    at.get_by_role("button", name="Reset").click()

    at.locator("[name=most]").fill("7")
    at.locator("[name=least]").fill("7")
    assert status(at) == f"{sum(row[2] == [7] for row in rows)} of 103 queries"
    at.get_by_role("button", name="Reset").click()
    assert status(at) == "103 of 103 queries"


def test_queries_are_filtered_by_the_classes_of_their_videos(page: Watched) -> None:
    at = page.open("t2v.html")
    assert at.locator("[name=class] option").all_inner_texts() == ["any", *sorted(CLASSES)]
    for name, count in zip(CLASSES, (103, 68, 34), strict=True):
        at.get_by_label("Class").select_option(label=name)
        assert status(at) == f"{count} of 103 queries"
    at.locator("[name=hit0]").select_option("wrong")
    narrowed, asked = status(at), at.url.partition("#")[2]
    other = page.open(f"t2v.html#{asked}")
    assert status(other) == narrowed != "34 of 103 queries"
    assert other.get_by_label("Class").input_value()
    other.get_by_role("button", name="Reset").click()
    assert status(other) == "103 of 103 queries"


def test_orders_and_more_lines_lead_to_the_query_itself(page: Watched, pages: Path) -> None:
    at, rows = page.open("t2v.html"), data(pages)
    lines = at.locator(".results li")
    assert lines.count() == 50
    at.get_by_role("button", name="Show more").click()
    at.get_by_role("button", name="Show more").click()
    assert lines.count() == 103
    assert not at.get_by_role("button", name="Show more").is_visible()
    at.locator("[name=sort]").select_option("apart")
    apart = max(a - b for a, b in (row[3] for row in rows))
    first = next(i for i, row in enumerate(rows) if row[3][0] - row[3][1] == apart)
    assert f"A {rows[first][3][0]} · B {rows[first][3][1]}" == lines.first.locator("b").inner_text()
    for order, best in (("best", lambda row: row[3][0]), ("ahead", lambda row: row[3][0] - row[3][1]),
                        ("long", lambda row: -row[2][0]), ("short", lambda row: row[2][0])):  # fmt: skip
        at.locator("[name=sort]").select_option(order)
        expected = min(range(103), key=lambda i: best(rows[i]))
        assert lines.first.locator("a").get_attribute("href").endswith(f"#q{expected + 1}"), order
    at.locator("[name=sort]").select_option("apart")
    lines.first.click()
    assert at.url.endswith(f"t2v-{first // 100 + 1}.html#q{first + 1}")
    at.locator("article:target").wait_for()


def test_an_address_keeps_what_was_asked(page: Watched) -> None:
    at = page.open("t2v.html")
    at.locator("[name=q]").fill("short")
    at.locator("[name=hit0]").select_option("wrong")
    asked, found = at.url.partition("#")[2], status(at)

    there = page.open(f"t2v.html#{asked}")

    assert status(there) == found != "103 of 103 queries"
    assert there.locator("[name=hit0]").input_value() == "wrong"


def test_hostile_ids_and_texts_execute_nothing(page: Watched, pages: Path) -> None:
    for path in sorted(pages.glob("*.html")):
        at = page.open(path.name)
        for button in at.get_by_role("button").all()[:2]:
            button.click()
        at.locator("[name=q]").fill("<") if path.stem in ("t2v", "v2t") else None
        scripts = at.evaluate("document.querySelectorAll('script:not([type])').length")
        assert scripts == (path.stem in ("t2v", "v2t"))
        assert at.evaluate("document.querySelectorAll('img, [onclick], [onerror], [onmouseover]').length") == 0
        assert at.evaluate("[...document.querySelectorAll('a')].every((a) => a.protocol === 'file:')")
        assert at.evaluate("document.documentElement.scrollWidth") <= LARGE["width"], path.name


def test_without_a_script_every_query_can_be_read(browser: Any, pages: Path) -> None:
    page = watched(browser, pages, java_script_enabled=False)
    at = page.open("t2v.html")
    assert not at.locator(".controls").is_visible()
    at.get_by_role("link", name="ranks 1 to 1", exact=True).click()
    at.locator("article").nth(2).wait_for()
    assert at.locator("article").count() == 3
    at.get_by_role("link", name="‹ worse").first.click()
    at.locator("article").nth(99).wait_for()
    page.page.context.close()


@pytest.mark.parametrize(("scheme", "size"), [("light", LARGE), ("dark", PHONE)], ids=["light", "dark phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    browser: Any, pages: Path, scheme: str, size: dict[str, int]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    page = watched(browser, pages, color_scheme=scheme, viewport=size)
    for name in ("index.html", "t2v.html", "t2v-2.html", "v2t-2.html"):
        at = page.open(name)
        found = axe.run(at, options={"preload": False}).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], name
        assert at.evaluate("document.documentElement.scrollWidth") <= size["width"], name
    assert page.said == []
    page.page.context.close()
