"""The pages themselves: nothing in a record becomes markup, and equal records give equal bytes."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hostile_texts import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st
from records import record, save

from bench.leaderboard import Sources, build
from bench.leaderboard.pages import html
from bench.leaderboard.pages.markdown import escape
from bench.leaderboard.pages.wording import plain

_TAGS = """html head meta title link body br header main footer nav a h1 h2 h3 section p div table caption thead
tbody tr th td span small i b ul li code pre form label input select option details summary button dl dt dd script
figure figcaption svg g path defs use text clippath rect"""
ALLOWED = set(re.findall(r"\w+", _TAGS))
LINK = re.compile(
    r"(\.\./)?((models|tables|papers)/)?[A-Za-z0-9._-]+\.(html|css|csv|json|tex)(#[A-Za-z0-9_-]+)?|#[A-Za-z0-9_.-]+"
)


class Tags(HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]


def hostile_record(text: str, **changes: Any) -> dict[str, Any]:
    """Returns a record with `text` wherever a record holds free text."""
    extractor = re.sub(r"[|=]", "", text)  # else no signature can name it
    value = record(
        model__name=text,
        model__summary=text,
        model__paper=text,
        model__distribution=text,
        model__settings={text: text},
        data__label=text,
        data__features__extractor=extractor,
        task__name=re.sub(r"[|=]", "", text.partition(":")[0]) or "x",  # else no signature can name it
        **changes,
    )
    signature = record()["signature"].replace("anet-retrieval/2", f"{value['task']['name']}/2")
    value["signature"] = signature.replace("sample-64", f"{extractor}-64")
    return value


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_becomes_no_markup(tmp_path: Path, text: str) -> None:
    for i, changes in enumerate(({}, {"seed": 1, "status": "partial"}, {"model__control": True, "seed": 2})):
        save(tmp_path / "runs" / str(i), hostile_record(text, **changes))
    (tmp_path / "runs" / "<b>name").mkdir()
    (tmp_path / "runs" / "<b>name" / "result.json").write_text('{"run": "<b>"}')
    report = build(Sources((tmp_path / "runs",)), tmp_path / "board")
    assert all(page.resolve().is_relative_to((tmp_path / "board").resolve()) for page in report.pages)
    for page in report.pages:
        content = page.read_text(encoding="utf-8")
        if page.suffix == ".html":
            tags = Tags()
            tags.feed(content)
            assert tags.tags <= ALLOWED
            assert not any(name.startswith("on") for name in tags.attributes)
            assert "style" not in tags.attributes
            assert all(LINK.fullmatch(link) for link in tags.links), tags.links
            assert content.count("<script") == 1
            assert html.environment().globals["script"] in content
        elif page.suffix == ".md":
            assert set(re.findall(r"<(\w+)", content)) <= {"code", "br", "sub"}
            assert not re.search(r"(?<!\\)\]\((?!\S+\.md\))", content)
            assert "https://" not in content


@given(st.text())
@settings(deadline=None)
def test_escaped_markdown_stays_in_its_table_cell(text: str) -> None:
    escaped = escape(text)
    assert "\n" not in escaped
    assert not re.search(r"[<>]|(?<!\\)(?:\\\\)*[|`*_\[\]]", escaped)


@given(st.text())
@settings(deadline=None)
def test_plain_text_is_one_short_printable_line(text: str) -> None:
    shown = plain(text)
    assert shown.isprintable()
    assert len(shown) <= 160
    assert plain(shown) == shown


def test_two_builds_are_equal_to_the_byte(tmp_path: Path) -> None:
    for i, name in enumerate(["zeta", "alpha", "mid"]):
        save(tmp_path / "one" / f"r{i}", record(model__name=name, run=name))
    (tmp_path / "one" / "broken").mkdir()
    (tmp_path / "one" / "broken" / "result.json").write_text("{}")
    # The same records elsewhere, created in another order.
    for folder in sorted((tmp_path / "one").iterdir(), reverse=True):
        shutil.copytree(folder, tmp_path / "two" / folder.name)
    first = build(Sources((tmp_path / "one",)), tmp_path / "board1")
    second = build(Sources((tmp_path / "two",)), tmp_path / "elsewhere" / "board2")
    build(Sources((tmp_path / "one",)), tmp_path / "board1")
    assert [page.name for page in first.pages] == [page.name for page in second.pages]
    for one, two in zip(first.pages, second.pages, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_a_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / "runs" / name, record(model__name=name))
    report = build(Sources((tmp_path / "runs",)), tmp_path / "board")
    for page in report.pages:
        content = page.read_text(encoding="utf-8")
        assert "http:" not in content
        assert "https:" not in content
        assert "@import" not in content
        assert not re.search(r"url\((?!#)", content)


def test_a_page_allows_its_own_script_and_no_other(tmp_path: Path) -> None:
    save(tmp_path / "runs" / "a", record())
    report = build(Sources((tmp_path / "runs",)), tmp_path / "board")
    for page in (page for page in report.pages if page.suffix == ".html"):
        content = page.read_text(encoding="utf-8")
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', content)
        (script,) = re.findall(r"<script>(.*?)</script>", content, re.DOTALL)
        allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules == {
            "default-src": "'none'",
            "script-src": f"'sha256-{allowed}'",
            "style-src": "'self' file:",
            "base-uri": "'none'",
            "form-action": "'none'",
        }


def test_what_rows_took_stands_in_hidden_columns_means_over_runs(tmp_path: Path) -> None:
    took = {"peak_memory": {"host": 812, "cuda:0": 90}, "tokens_in": 1000, "tokens_out": 70, "cost": 0.00125}
    save(tmp_path / "a", record(run="a", provenance__spent=took))
    save(tmp_path / "b", record(run="b", seed=1, provenance__spent={**took, "cost": 1e300, "tokens_in": 3000}))
    save(tmp_path / "c", record(run="c", model__name="other"))
    build(Sources((tmp_path,)), tmp_path / "board")
    page = (tmp_path / "board" / "anet-retrieval.html").read_text()
    heads = re.findall(r'data-name="([^"]*)" data-down="0" data-spent hidden>', page)
    assert heads == ["predict s", "host MiB", "GPU MiB", "tokens in", "tokens out", "cost"]
    cells = re.findall(r'<td class="[^"]*"(?: data-v="[^"]*")? hidden>([^<]*)</td>', page)
    assert sorted([cells[:6], cells[6:]]) == [
        ["1.0", "812", "90", "2,000", "70", "5e+299"],
        ["1.0", *["–"] * 5],
    ]
    assert not any("host MiB" in path.read_text() for path in (tmp_path / "board").rglob("*.csv"))


def test_the_page_shows_values_intervals_signature_and_label(tmp_path: Path) -> None:
    value = record(model__name="toy", model__control=True)
    save(tmp_path / "runs" / "a", value)
    build(Sources((tmp_path / "runs",)), tmp_path / "board")
    page = (tmp_path / "board" / "anet-retrieval.html").read_text(encoding="utf-8")
    for shown in ("10.0", "6.0–14.5", value["signature"], "sample (generated)", 'class="control"', "R@50", "MedR ↓"):
        assert shown in page
    markdown = (tmp_path / "board" / "anet-retrieval.md").read_text(encoding="utf-8")
    assert "| *toy* (control) | consistent | 1 | 1 | **10.0**<br><sub>6.0–14.5</sub> |" in markdown
