"""A folder of pages: an index, lists that are searched and filtered, and the pages on which all of them can be read.

Without a script the pages are read as they are, the worst of the first run first. Ids and texts are untrusted: they
make no tag, no link and no file name, and the script only ever writes them as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.analysis.browsing.addresses import VideoAddresses
from bench.analysis.browsing.recognised import BrowsedVideos
from bench.analysis.browsing.sections import ON_A_PAGE, Browsed, BrowsedSection, ListedLine
from bench.analysis.examples.pages import LONGEST, circumstances
from bench.analysis.examples.retrieved_pages import ranked
from bench.analysis.judging.drawing import DrawnSample, as_judged
from bench.analysis.judging.judgements import SCHEMA, VERDICTS
from bench.errors import SaveError
from bench.files import write_atomically
from bench.leaderboard.pages import wording
from bench.leaderboard.pages.html import environment, integrity, text_of
from bench.reading.numbers import number_of
from bench.results import Result

DEPTHS = (1, 5, 10)
"""The K of the counts of queries that are answered within the first K."""
SNIPPET = 80
"""Characters shown of what was found; its own query shows all of it."""
OWN = re.compile(r"(index|[a-z0-9]+(-[0-9]+|-judge)?)\.html|browse\.css", re.ASCII)
"""Files that a folder of pages may hold, beside `strips`."""
STYLE = "browse.css"
MOST_CONFUSED = 20
"""Pairs of classes that are shown unasked."""


def prepare(folder: Path) -> None:
    """Takes the pages of an earlier build out of a folder. Raises: SaveError for a folder that holds anything else."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise SaveError(f"{folder} is a file. Name a folder for the pages by --output.")
    held = sorted(path.name for path in folder.iterdir())
    if held and STYLE not in held:
        raise SaveError(
            f"{folder} holds other files ({held[0]!r}), and the pages are many. Name a new folder by --output."
        )
    for name in held:
        if OWN.fullmatch(name):
            (folder / name).unlink()


def write_pages(
    browsed: Browsed,
    folder: Path,
    links: VideoAddresses | None = None,
    strips: Mapping[str, bytes] | None = None,
    samples: Mapping[str, DrawnSample] | None = None,
) -> list[Path]:
    """Writes all pages into `folder`, which `prepare` made ready; returns their paths, the index first.

    Args:
        links: where videos play.
        strips: video id -> its film strip, a JPEG.
        samples: key of a section -> queries of it that are to be judged.

    Raises: SaveError.
    """
    pictures = {video: f"strips/{number}.jpg" for number, video in enumerate(strips or {})}
    common: dict[str, Any] = {
        "browsed": browsed, "title": title(browsed), "runs": labels(browsed.results),
        "links": links or VideoAddresses(), "number_of": number_of,
        "longest": LONGEST, "snippet": SNIPPET, "ranked": ranked, "pictures": pictures, "allowed": "'none'",
        "joined": " ".join, "samples": samples or {},
    }  # fmt: skip
    listed = {section.key: section.lines() for section in browsed.sections}
    files: dict[str, str] = {"index.html": _index(browsed, listed, common)}
    for section in browsed.sections:
        files |= _section(section, listed[section.key], common)
    files[STYLE] = "\n".join(text_of(name) for name in ("style.css", "retrieved.css", STYLE))
    for name, content in files.items():
        write_atomically(folder / name, content.encode(), durable=False)
    for video, name in pictures.items():
        write_atomically(folder / name, (strips or {})[video], durable=False)
    return [folder / name for name in files]


def title(browsed: Browsed) -> str:
    """Returns the heading of the index."""
    models = dict.fromkeys(result.model.name for result in browsed.results)
    return f"Every {browsed.sections[0].noun} of {' and '.join(models)}"


def labels(results: Iterable[Result]) -> list[str]:
    """Returns the name of each run: a letter where there are several, model, seed, and the task where these differ."""
    listed = list(results)
    tasks = {result.task.name for result in listed}
    told = [f", {result.task.name}" if len(tasks) > 1 else "" for result in listed]
    named = [f"{one.model.name}, seed {one.seed}{task}" for one, task in zip(listed, told, strict=True)]
    return named if len(named) == 1 else [f"{chr(ord('A') + i)}: {name}" for i, name in enumerate(named)]


def _page(template: str, common: Mapping[str, Any], **values: Any) -> str:
    return environment().get_template(template).render(**{**common, **values})


def _index(browsed: Browsed, listed: Mapping[str, Sequence[ListedLine]], common: Mapping[str, Any]) -> str:
    kind = browsed.results[0].data.kind
    told = [circumstances(result) for result in browsed.results]
    counted = {
        section.key: _scores(listed[section.key]) if section.higher else _hits(listed[section.key])
        for section in browsed.sections
    }
    number = {section.key: _numbers(section) for section in browsed.sections}
    return _page(
        "browse_index.html.j2", common, told=told, warning=wording.KIND_WARNINGS[kind], counted=counted,
        listed=listed, number=number, most=MOST_CONFUSED,
        confusions={one.key: one.confused for one in browsed.sections if isinstance(one, BrowsedVideos)},
    )  # fmt: skip


def _hits(lines: Sequence[ListedLine]) -> dict[str, list[list[int]]]:
    """Returns for each K and run: lines answered within the first K; by both it and the first, by one alone."""
    runs = range(len(lines[0].values) if lines else 0)
    counted = {}
    for k in DEPTHS:
        hits = [[rank <= k for rank in line.values] for line in lines]
        counted[str(k)] = [
            [
                sum(hit[run] for hit in hits),
                sum(hit[0] and hit[run] for hit in hits),
                sum(hit[0] and not hit[run] for hit in hits),
                sum(hit[run] and not hit[0] for hit in hits),
            ][: 4 if run else 1]
            for run in runs
        ]
    return counted


def _scores(lines: Sequence[ListedLine]) -> dict[str, list[list[int]]]:
    """Returns of each run: captions that score 0, different ones, and those that score more than the first run's."""
    runs = range(len(lines[0].values) if lines else 0)
    ahead = [[line.values[run] - line.values[0] for line in lines] for run in runs]
    return {
        "that score 0": [[sum(line.values[run] == 0 for line in lines)] for run in runs],
        "different ones": [[len({line.texts[run] for line in lines})] for run in runs],
        **({"better than A": [[sum(gain > 0 for gain in gains)] for gains in ahead]} if len(runs) > 1 else {}),
        **({"worse than A": [[sum(gain < 0 for gain in gains)] for gains in ahead]} if len(runs) > 1 else {}),
    }


def _numbers(section: BrowsedSection) -> dict[str, int]:
    """Returns class -> its number in the script's data."""
    return {name: i for i, name in enumerate(section.class_names())}


def _section(section: BrowsedSection, lines: Sequence[ListedLine], common: Mapping[str, Any]) -> dict[str, str]:
    """Returns the pages of a section by file name: the list first."""
    parts = section.parts()
    names = [f"{section.key}-{number}.html" for number in range(1, len(parts) + 1)]
    shown = {"section": section, "names": names, "spans": [section.span(part) for part in parts]}
    script = text_of("browse.js")
    files = {
        f"{section.key}.html": _page(
            "browse_list.html.j2", common, **shown, data=_data(section, lines, common), script=script,
            count=len(lines), allowed=f"'{integrity(script)}'",
        )
    }  # fmt: skip
    play: Callable[[str], str] = lambda name: common["links"].play(section.video_of(name))  # noqa: E731
    if section.key in common["samples"]:
        files[f"{section.key}-judge.html"] = _judging(section, common["samples"][section.key], {**common, "play": play})
    for number, part in enumerate(parts):
        files[names[number]] = _page(
            section.template, common, **shown, part=part, number=number, first=number * ON_A_PAGE, play=play
        )
    return files


def _judging(section: BrowsedSection, sample: DrawnSample, common: Mapping[str, Any]) -> str:
    """Returns the page on which a sample of wrong answers is judged."""
    script = text_of("judge.js")
    head = {
        "schema": SCHEMA, "run": sample.run, "evidence": sample.evidence, "direction": sample.draw.direction,
        "count": sample.draw.count, "seed": sample.draw.seed,
    }  # fmt: skip
    pairs = [[query.name, [item.name for item in as_judged(query)]] for query in sample.queries]
    return _page(
        "browse_judge.html.j2", common, section=section, sample=sample, verdicts=VERDICTS, as_judged=as_judged,
        script=script, data={"head": head, "queries": pairs}, allowed=f"'{integrity(script)}'",
    )  # fmt: skip


def _data(section: BrowsedSection, lines: Sequence[ListedLine], common: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what the script reads: of each line its name, texts, words, values, page, classes, confusions, and more
    that is searched; classes by number.
    """
    number = _numbers(section)
    rows = [
        [
            wording.plain(line.name),
            [wording.plain(text, LONGEST) for text in line.texts],
            [len(text.split()) for text in line.texts],
            [int(value) if value == int(value) else value for value in line.values],
            line.page,
            [number[name] for name in line.classes],
            [-1 if name is None else number[name] for name in line.taken],
            *([wording.plain(line.beside)] if line.beside else []),
        ]
        for line in lines
    ]
    one, many = number_of(1, section.noun), number_of(2, section.noun)
    return {
        "key": section.key,
        "nouns": [one.split()[1], many.split()[1]],
        "value": section.value,
        "higher": section.higher,
        "main": bool(lines and lines[0].taken),
        "runs": [wording.plain(label) for label in common["runs"]],
        "classes": [wording.plain(name) for name in number],
        "rows": rows,
    }
