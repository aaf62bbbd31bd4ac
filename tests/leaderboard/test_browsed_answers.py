"""Pages of captions and of recognised videos in a real browser: each filter used, hostile ids and texts, axe.

Needs what `test_browser` needs, and is skipped likewise.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli.conftest import install
from cli.test_action_recognition import CLASSES, world, write
from cli.test_captioning import Mine
from test_browsed_queries import EVIL, status
from test_browser import LARGE, PHONE, WORST, Watched, browser, watched

__all__ = ["browser"]
MARKUP = "<img src=x onerror=alert(1)>"


def rows(folder: Path, name: str) -> list[Any]:
    """Returns the rows of a list: name, texts, words, values, page, classes, what each run takes it for, more text."""
    text = (folder / f"{name}.html").read_text("utf-8").split('<script type="application/json">')[1]
    return list(json.loads(text.split("</script>")[0])["rows"])


@pytest.fixture(scope="module")
def captioned(tmp_path_factory: pytest.TempPathFactory, bench_in: Any) -> Path:
    """Returns pages of two captioners on videos whose ids and references are hostile."""
    mine = Mine(bench_in(tmp_path_factory.mktemp("captioned")))
    told = {}
    for i, name in enumerate(EVIL):
        np.save(mine.folder / "frames" / f"{name}.npy", np.ones((20, 4), dtype=np.float32))
        said = [f"it lasts {WORST[i]} {2 + i}.0 seconds", WORST[-1 - i] if i else "a short one", WORST[i + 4]]
        told[name] = {"duration": 20.0, "timestamps": [[0, 2 + i], [3, 4], [5, 19]], "sentences": said}
    mine.write("val_1", told)
    models = ("-m", "Counting", "-m", "Foreign")
    runs = [f"runs/{one['run']}" for one in json.loads(mine("run", *models, "-t", "mine-captioning", "--json").stdout)]
    mine("browse", *runs, "-o", "pages")
    return mine.folder / "pages"


@pytest.fixture(scope="module")
def recognised(tmp_path_factory: pytest.TempPathFactory, bench_in: Any) -> Path:
    """Returns pages of a zero-shot run and a probe, over videos and a class of hostile names."""
    bench = bench_in(tmp_path_factory.mktemp("recognised"))
    videos, features = world()
    named = dict(zip([name for name, *_ in videos[-4:]], EVIL, strict=True))
    told = [(named.get(v, v), split, MARKUP if label == CLASSES[0] else label) for v, split, label in videos]
    write(bench.folder, told, {named.get(v, v): row for v, row in features.items()})
    module = Path(__file__).parent.parent / "cli" / "recognition_models.py"
    site = install(tmp_path_factory.mktemp("site") / "site", module, "recognition-models")
    runs = []
    for model, task in (("Named", "sport-zero-shot"), ("Headed", "sport-linear-probe")):
        (record,) = json.loads(bench("run", "-m", model, "-t", task, "--json", path=site).stdout)
        runs.append(f"runs/{record['run']}")
    bench("browse", *runs, "-o", "pages")
    return Path(bench.folder / "pages")


def closed(page: Watched) -> None:
    page.page.context.close()
    assert page.said == []


def test_captions_are_filtered_by_score_length_run_words_and_who_is_better(browser: Any, captioned: Path) -> None:
    page, told = watched(browser, captioned), rows(captioned, "captions")
    at = page.open("captions.html")
    scores = [row[3] for row in told]
    assert status(at) == "12 of 12 captions"
    low, high = sorted({a for a, _ in scores})[1], sorted({a for a, _ in scores})[-2]
    at.locator("[name=from]").fill(str(low))
    assert status(at) == f"{sum(a >= low for a, _ in scores)} of 12 captions"
    at.locator("[name=to]").fill(str(high))
    assert status(at) == f"{sum(low <= a <= high for a, _ in scores)} of 12 captions"
    at.locator("[name=run]").select_option("1")
    assert status(at) == f"{sum(low <= b <= high for _, b in scores)} of 12 captions"
    at.get_by_role("button", name="Reset").click()

    for side, kept in (("better", lambda a, b: a > b), ("worse", lambda a, b: a < b), ("equal", lambda a, b: a == b)):
        at.locator("[name=ahead]").select_option(side)
        assert status(at) == f"{sum(kept(a, b) for a, b in scores)} of 12 captions"
    at.get_by_role("button", name="Reset").click()

    at.locator("[name=least]").fill("4")
    at.locator("[name=most]").fill("4")
    assert status(at) == f"{sum(row[2][0] == 4 for row in told)} of 12 captions"
    at.locator("[name=run]").select_option("1")
    assert status(at) == f"{sum(row[2][1] == 4 for row in told)} of 12 captions"
    at.get_by_role("button", name="Reset").click()

    at.locator("[name=q]").fill("a short one")
    assert status(at) == "1 of 12 captions"
    at.get_by_role("button", name="Reset").click()
    at.locator("[name=sort]").select_option("ahead")
    best = max(range(12), key=lambda i: scores[i][0] - scores[i][1])
    at.locator(".results a").first.click()
    assert at.url.endswith(f"captions-1.html#q{best + 1}")
    assert at.locator(".caption:target mark").count() > 0
    closed(page)


def test_recognised_videos_are_filtered_and_confusions_lead_to_them(browser: Any, recognised: Path) -> None:
    page, told = watched(browser, recognised), rows(recognised, "videos")
    at = page.open("videos.html")
    assert status(at) == "12 of 12 videos"
    at.locator("[name=from]").fill("2")
    assert status(at) == f"{sum(row[3][0] >= 2 for row in told)} of 12 videos"
    at.get_by_role("button", name="Reset").click()
    at.locator("[name=hit0]").select_option("wrong")
    assert status(at) == f"{sum(row[3][0] > 1 for row in told)} of 12 videos"
    at.locator("[name=hit1]").select_option("right")
    assert status(at) == f"{sum(row[3][0] > 1 >= row[3][1] for row in told)} of 12 videos"
    at.get_by_role("button", name="Reset").click()
    at.locator("[name=class]").select_option(label=MARKUP)
    assert status(at) == "3 of 12 videos"
    at.get_by_role("button", name="Reset").click()
    options = at.locator("[name=taken0] option").all_inner_texts()
    assert options[1:] == sorted(options[1:])
    assert len(options) == 1 + len({row[6][0] for row in told} - {-1})
    at.locator("[name=taken0]").select_option(label=options[1])
    assert status(at) == "1 of 12 videos"

    at = page.open("index.html")
    cell = at.locator(".confused tbody tr").first
    true, taken = cell.locator("a").nth(0).inner_text(), cell.locator("a").nth(1).inner_text()
    cell.get_by_role("link", name="1 video").click()
    at.locator(".results li").first.wait_for()
    assert status(at) == "1 of 12 videos"
    assert at.locator(".results span").all_inner_texts() == [f"{true} → {taken}"]
    closed(page)


def test_hostile_ids_and_texts_execute_nothing(browser: Any, captioned: Path, recognised: Path) -> None:
    for folder in (captioned, recognised):
        page = watched(browser, folder)
        for path in sorted(folder.glob("*.html")):
            at = page.open(path.name)
            listed = path.stem in ("captions", "videos")
            if listed:
                at.locator("[name=q]").fill("<")
            assert at.evaluate("document.querySelectorAll('script:not([type])').length") == listed
            assert at.evaluate("document.querySelectorAll('img, [onclick], [onerror], [onmouseover]').length") == 0
            assert at.evaluate("[...document.querySelectorAll('a')].every((a) => a.protocol === 'file:')")
            assert at.evaluate("document.documentElement.scrollWidth") <= LARGE["width"], path.name
        closed(page)


@pytest.mark.parametrize(("scheme", "size"), [("light", LARGE), ("dark", PHONE)], ids=["light", "dark phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    browser: Any, captioned: Path, recognised: Path, scheme: str, size: dict[str, int]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    for folder in (captioned, recognised):
        page = watched(browser, folder, color_scheme=scheme, viewport=size)
        for path in sorted(folder.glob("*.html")):
            at = page.open(path.name)
            found = axe.run(at, options={"preload": False}).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], path.name
            assert at.evaluate("document.documentElement.scrollWidth") <= size["width"], path.name
        closed(page)
