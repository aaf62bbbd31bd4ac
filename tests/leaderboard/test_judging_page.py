"""The judging page in a real browser: judged, saved, gone on with, counted; hostile ids and texts; axe.

Needs what `test_browser` needs, and is skipped likewise.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cli.dialled import STEP, described, ran, site_of
from test_browsed_queries import EVIL
from test_browser import LARGE, PHONE, WORST, browser, watched

__all__ = ["browser"]
N = 24


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, bench_in: Any) -> tuple[Any, str]:
    """Returns the command in a folder with pages of a run on hostile ids and texts, and the run."""
    bench = bench_in(tmp_path_factory.mktemp("runs"))
    ids = [*EVIL, *(f"v{i}" for i in range(len(EVIL), N))]
    told = described(ids, [0.0 if i < 8 else STEP * i for i in range(N)])
    for i, name in enumerate(ids):
        told[name]["sentences"][1] = WORST[i % len(WORST)]
    dial, _ = ran(bench, site_of(tmp_path_factory.mktemp("dial") / "dial"), told)
    bench("browse", dial, "-o", "pages", "--judge", "5")
    return bench, dial


def test_judgements_are_saved_counted_and_gone_on_with(browser: Any, judged: tuple[Any, str]) -> None:
    bench, dial = judged
    page = watched(browser, bench.folder / "pages", accept_downloads=True)
    at = page.open("index.html")
    at.get_by_role("link", name="Judge 5 wrong answers").first.click()
    status, alert = at.locator("[role=status]"), at.locator("[role=alert]")
    total = at.locator("fieldset").count()
    assert status.inner_text() == f"0 of {total} pairs judged"
    at.get_by_role("button", name="Save judgements").click()
    assert "Say who judges" in alert.inner_text()

    at.get_by_label("Judge (your name)").fill("Ada <b>")
    articles = at.locator("article").all()
    assert len(articles) == 5
    content = at.locator("#content").inner_text()
    assert not re.search(r"annotated answer:|\brank \d", content)  # a judge is not told what the run thought of it
    assert not re.search(r"(?m)^\d+\. v\d", content)
    said = sum(article.locator("fieldset").count() for article in articles[:3])
    for article in articles[:3]:
        for i, group in enumerate(article.locator("fieldset").all()):
            group.get_by_label(["right", "wrong", "unclear"][min(i, 2)]).check()
    assert status.inner_text() == f"{said} of {total} pairs judged"
    with at.expect_download() as saving:
        at.get_by_role("button", name="Save judgements").click()
    assert saving.value.suggested_filename == "judged-t2v-Ada-b-.jsonl"
    file = bench.folder / "saved.jsonl"
    saving.value.save_as(file)
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert len(lines) == 1 + said
    assert {line["judge"] for line in lines[1:]} == {"Ada <b>"}
    found = json.loads(bench("judge", dial, "saved.jsonl", "--json").stdout)
    assert found["pairs"] == {"right": 3, "unclear": said - 6, "wrong": 3}
    assert found["recalls"][0]["judged"]["judged"] == 3

    at.reload()  # a draft stays
    assert status.inner_text() == f"{said} of {total} pairs judged"
    page.page.context.close()
    assert page.said == []

    page = watched(browser, bench.folder / "pages")
    at = page.open("t2v-judge.html")
    assert at.locator("[role=status]").inner_text() == f"0 of {total} pairs judged"
    (bench.folder / "other.jsonl").write_text('{"schema": "other"}\n')
    at.get_by_label("Go on with a saved file").set_input_files(str(bench.folder / "other.jsonl"))
    at.get_by_text("it is of another sample").wait_for()
    at.get_by_label("Go on with a saved file").set_input_files(str(file))
    at.get_by_text(f"{said} of {total} pairs judged").wait_for()
    assert at.locator("input:checked").count() == said
    assert at.get_by_label("Judge (your name)").input_value() == "Ada <b>"
    page.page.context.close()
    assert page.said == []


def test_hostile_ids_and_texts_execute_nothing(browser: Any, judged: tuple[Any, str]) -> None:
    page = watched(browser, judged[0].folder / "pages")
    for way in ("t2v", "v2t"):
        at = page.open(f"{way}-judge.html")
        assert at.evaluate("document.querySelectorAll('script:not([type])').length") == 1
        assert at.evaluate("document.querySelectorAll('img, [onclick], [onerror], [onmouseover]').length") == 0
        assert at.evaluate("[...document.querySelectorAll('a')].every((a) => a.protocol === 'file:')")
    page.page.context.close()
    assert page.said == []


@pytest.mark.parametrize(("scheme", "size"), [("light", LARGE), ("dark", PHONE)], ids=["light", "dark phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    browser: Any, judged: tuple[Any, str], scheme: str, size: dict[str, int]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    page = watched(browser, Path(judged[0].folder / "pages"), color_scheme=scheme, viewport=size)
    at = page.open("t2v-judge.html")
    found = axe.run(at, options={"preload": False}).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert at.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.page.context.close()
    assert page.said == []
