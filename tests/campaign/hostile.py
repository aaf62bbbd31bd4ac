"""Hostile texts in every field of records, published figures, papers, studies and plugins; wherever they are shown."""

from __future__ import annotations

import copy
import csv
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import forking
import yaml
from further_targets import STORED
from hostile_texts import WORST
from leaderboard.records import record, save
from phases import Attempt, Outcome, Phase
from targets import PUBLISHED
from watching import CHROMIUM, launched, watched

import bench.cli
from bench.errors import BenchError
from bench.leaderboard import BuildReport, Sources, build
from bench.leaderboard.published import read_published
from bench.papers.stored import paper_pages, read_stored

ASKED = 4
"""Records that the commands of one attempt are given."""
STUDY = {"version": 1, "models": {"random": {"x": [1, 2]}}, "tasks": ["anet-retrieval"], "seeds": [0], "output": "runs"}
AGAIN = ("leaderboard", "build", "--results", "runs", "--published", "published", "--output", "again")
OF_PLUGINS = (("plugin", "list"), ("list", "models"), ("info", "toy"), ("plugin", "check", "toy"))
PLUGIN = """
from bench.api import ModelSpec, Setting, VideoTextEncoder, hookimpl
TEXT = {text!r}

@hookimpl
def bench_models():
    return [ModelSpec(name={name!r}, summary={summary!r}, paper={paper!r}, loader={loader!r},
                      provides=(VideoTextEncoder,), settings={{{setting!r}: Setting({default!r}, {told!r})}})]
"""
PLUGIN_FIELDS = {
    "name": "toy", "summary": "a toy", "paper": "", "loader": "toy:Toy", "setting": "x", "default": "y", "told": "is y",
}  # fmt: skip


def replaced(value: Any, text: str) -> Iterator[Any]:
    """Yields a value of JSON once for each of its texts and keys, which is replaced."""
    for path in list(_places(value)):
        *parents, (last, is_key) = path
        changed = copy.deepcopy(value)
        place = changed
        for parent, _ in parents:
            place = place[parent]
        if is_key:
            place[text] = place.pop(last)
        else:
            place[last] = text
        yield changed


def _places(value: Any, path: tuple[tuple[Any, bool], ...] = ()) -> Iterator[tuple[tuple[Any, bool], ...]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield (*path, (key, True))
            yield from _places(one, (*path, (key, False)))
    elif isinstance(value, list):
        for i, one in enumerate(value[:1]):
            yield from _places(one, (*path, (i, False)))
    elif isinstance(value, str):
        yield path


def records(folder: Path, text: str) -> list[Path]:
    """Writes a run folder for each field of a record that holds a text; returns the folders."""
    valid = record(model__settings={"tau": "x"})
    folders = [folder / f"r{number}" for number in range(len(list(_places(valid))))]
    for number, run in enumerate(folders):
        path = save(run, record(model__settings={"tau": "x"}, run=run.name))
        changed = next(islice(replaced(json.loads(path.read_text()), text), number, None))
        path.write_text(json.dumps(changed), "utf-8")
    return folders


def board(folder: Path, text: str) -> tuple[BuildReport, str]:
    """Builds a board of all hostile records, published figures and papers; returns it, and what was wrong."""
    records(folder / "runs", text)
    for number, changed in enumerate(replaced(PUBLISHED, text)):
        path = folder / "published" / f"p{number}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(changed), "utf-8")
    wrong = "".join(_unprintable(f"published: {note.reason}") for note in read_published(folder / "published")[1])
    (folder / "papers").mkdir()
    for number, changed in enumerate(replaced(STORED, text)):
        tried = folder / "tried"
        tried.mkdir()
        (tried / f"t{number}.json").write_text(json.dumps(changed))
        try:
            read_stored(tried)
            shutil.copy(tried / f"t{number}.json", folder / "papers")
        except BenchError as error:
            wrong += _unprintable(f"paper: {error}")
        shutil.rmtree(tried)
    sources = Sources((folder / "runs",), folder / "published", (folder / "papers", paper_pages), title=text)
    before = set(folder.parent.rglob("*"))
    report = build(sources, folder / "board")
    outside = [path for path in set(folder.parent.rglob("*")) - before if folder / "board" not in (path, *path.parents)]
    return report, wrong + "".join(f"outside the board: {path}\n" for path in outside)


def _unprintable(said: str) -> str:
    """Returns what is wrong with text on a terminal: characters that do something there, or show nothing."""
    bad = sorted({character for character in said if not character.isprintable() and character != "\n"})
    return f"{bad!r} on a terminal: {said[-600:]!r}\n" if bad else ""


PAGE = """() => {
  const wrong = [];
  for (const element of document.querySelectorAll('*')) {
    for (const {name, value} of element.attributes) {
      if (name.startsWith('on')) wrong.push(`${element.tagName} ${name}`);
      if (name === 'href' && /^(javascript|data|https?):/i.test(value.trim())) wrong.push(`link ${value.slice(0, 60)}`);
    }
  }
  const scripts = document.querySelectorAll('script').length;
  if (scripts !== 1) wrong.push(`${scripts} scripts`);
  if (document.querySelectorAll('img, iframe, object, embed').length) wrong.push('something embedded');
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`${document.documentElement.scrollWidth} wide`);
  if (getComputedStyle(document.body).display === 'none') wrong.push('nothing is shown');
  return wrong;
}"""


def pages(root: Path) -> Attempt:
    """Returns attempts at one text: every page is opened in a browser, where nothing may happen."""
    from playwright.sync_api import sync_playwright

    def attempt(number: int, random: Random) -> Outcome:
        folder = root / str(number)
        folder.mkdir()
        report, wrong = board(folder, WORST[number % len(WORST)])
        with sync_playwright() as playwright:
            browser = launched(playwright)
            page = watched(browser, folder / "board")
            for path in report.pages:
                if path.suffix == ".html":
                    at = page.open(path.relative_to(folder / "board").as_posix())
                    wrong += "".join(f"{path.name}: {one}\n" for one in at.evaluate(PAGE))
                    if at.locator("button.sort").count():
                        at.locator("button.sort").first.click()
            wrong += "".join(f"said: {said}\n" for said in page.said)
            browser.close()
        shutil.rmtree(folder)
        return Outcome(1, wrong)

    return attempt


def no_browser() -> str:
    """Returns why no page can be opened here, or ""."""
    from importlib.util import find_spec

    if find_spec("playwright") is None:
        return "as playwright is not installed"
    return "" if CHROMIUM else "as there is no Chromium"


def texts(root: Path) -> Attempt:
    """Returns attempts at one text in Markdown, LaTeX, CSV and on the terminal."""
    for module in ("torch", *(command.partition(":")[0] for command, _ in bench.cli.COMMANDS.values())):
        import_module(module)  # else every fork does

    def attempt(number: int, random: Random) -> Outcome:
        text = WORST[number % len(WORST)]
        folder = root / str(number)
        folder.mkdir()
        report, wrong = board(folder, text)
        for path in report.pages:
            content = path.read_text("utf-8")
            wrong += "".join(f"{path.name}: {one}\n" for one in CHECKS.get(path.suffix, _nothing)(content))
        said = on_terminal(folder, text, random)
        wrong += "".join(_unprintable(one) for one in said)
        wrong += "".join(f"a traceback: {one[-1500:]}\n" for one in said if "Traceback (" in one)
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        return Outcome(1, wrong)

    return attempt


def on_terminal(folder: Path, text: str, random: Random) -> list[str]:
    """Returns what commands say that are given the text, or files that hold it."""
    runs = sorted((folder / "runs").iterdir())
    for path in ("studies", "site"):
        (folder / path).mkdir()
    commands: list[tuple[str, ...]] = [("list", "runs", "--output", "runs"), AGAIN]
    for run in random.sample(runs, min(ASKED, len(runs))):
        commands += [("rescore", str(run)), ("compare", str(runs[0]), str(run)), ("leaderboard", "add", str(run))]
    for number, changed in enumerate(replaced(STUDY, text)):
        path = folder / "studies" / f"s{number}.yaml"
        path.write_text(yaml.safe_dump(changed), "utf-8")
        commands += [("study", "status", str(path)), ("study", "table", str(path))]
    if "\0" not in text:  # no argument of a process can hold it
        commands += [("info", text), ("data", "verify", text), ("list", "runs", "-m", text), ("compare", text, text)]
        commands += [("run", "-m", text, "-t", text), ("run", "-m", "random", "-t", f"anet-retrieval:{text}")]
    said = [_said(forking.start(folder, *arguments)) for arguments in commands]
    for field in PLUGIN_FIELDS:
        site = folder / "site" / field
        install(site, text, field)
        seeing = partial(sys.path.insert, 0, str(site))
        said += [_said(forking.start(folder, *arguments, first=seeing)) for arguments in OF_PLUGINS]
    return said


def _said(fork: forking.Fork) -> str:
    fork.wait()
    return fork.said


def install(site: Path, text: str, field: str) -> None:
    """Installs a plugin one of whose fields, and whose distribution where it can, is the text."""
    site.mkdir()
    (site / "toy.py").write_text(PLUGIN.format(text=text, **{**PLUGIN_FIELDS, field: text}), "utf-8")
    metadata = site / "toy-1.0.dist-info"
    metadata.mkdir()
    name = " ".join(text.split()) if field in ("summary", "told") else "toy"
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    called = re.sub(r"[=\[\]\s#]", "", text) if field == "paper" else ""
    (metadata / "entry_points.txt").write_text(f"[bench]\n{called or 'toy'} = toy\n", "utf-8")


def _nothing(content: str) -> Iterator[str]:
    yield from ()


def wrong_markdown(content: str) -> Iterator[str]:
    """Yields tags, links and characters that the text must not have made."""
    if tags := set(re.findall(r"<(\w+)", content)) - {"code", "br", "sub"}:
        yield f"tags {tags}"
    if re.search(r"(?<!\\)\]\((?!\S+\.(?:md|html|csv|json|tex))", content) or re.search(r"(?<!\\)https?://", content):
        yield "a link"
    if any(not c.isprintable() and c != "\n" for c in content):
        yield "characters that show nothing"


def wrong_latex(content: str) -> Iterator[str]:
    """Yields commands that the text must not have made."""
    known = (
        r"\\(?:usepackage|begin|end|toprule|midrule|bottomrule|cmidrule|multicolumn|textbf|textit|footnotesize|text\w+|ldots|dag"
        r"|rightarrow|downarrow|uparrow|pm|caption|label|centering|small|par|,|\\|[{}$&#_%])"
    )
    if found := re.search(r"\\\S+", re.sub(known, "", content)):
        yield f"a command {found.group()[:40]}"
    if content.count("{") - content.count("\\{") != content.count("}") - content.count("\\}"):
        yield "braces that do not match"


def wrong_csv(content: str) -> Iterator[str]:
    """Yields cells that a spreadsheet takes for a formula, and rows of another length."""
    rows = list(csv.reader(content.splitlines()))
    if len({len(row) for row in rows}) > 1:
        yield "rows of different lengths"
    for cell in (cell for row in rows for cell in row):
        if cell.lstrip()[:1] in ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠") and not _number(cell):
            yield f"a formula {cell[:40]!r}"


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


CHECKS: dict[str, Callable[[str], Iterator[str]]] = {".md": wrong_markdown, ".tex": wrong_latex, ".csv": wrong_csv}
PHASES = [
    Phase(
        "hostile-pages",
        f"{len(WORST)} hostile texts in every field of records, published figures and papers, in a browser",
        len(WORST),
        0,
        pages,
        no_browser,
        600,
    ),
    Phase(
        "hostile-texts",
        "these in Markdown, LaTeX, CSV and on the terminal, also in studies and plugins: no markup, formula, control",
        len(WORST),
        0,
        texts,
        longest=600,
    ),
]
