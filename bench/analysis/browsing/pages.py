"""A folder of pages of every query: an index, a list of each direction that is searched and filtered, pages of 100.

Without a script the pages of 100 are read as they are, the worst queries first. Ids and texts are untrusted: they make
no tag, no link and no file name, and the script only ever writes them as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.analysis.browsing.addresses import VideoAddresses
from bench.analysis.browsing.entries import Browsed, BrowsedDirection, BrowsedQuery
from bench.analysis.examples.pages import LONGEST, circumstances
from bench.analysis.examples.retrieved_pages import ranked
from bench.errors import SaveError
from bench.files import write_atomically
from bench.leaderboard.pages import wording
from bench.leaderboard.pages.html import environment, integrity, text_of
from bench.results import Result

ON_A_PAGE = 100
DEPTHS = (1, 5, 10)
"""The K of the counts of queries that are answered within the first K."""
SNIPPET = 80
"""Characters shown of what was found; its own query shows all of it."""
OWN = re.compile(r"(index|[a-z0-9]+(-[0-9]+)?)\.html|browse\.css", re.ASCII)
"""Files that a folder of pages may hold, beside `strips`."""
STYLE = "browse.css"


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
    browsed: Browsed, folder: Path, links: VideoAddresses | None = None, strips: Mapping[str, bytes] | None = None
) -> list[Path]:
    """Writes all pages into `folder`, which `prepare` made ready; returns their paths, the index first.

    Args:
        links: where videos play.
        strips: video id -> its film strip, a JPEG.

    Raises: SaveError.
    """
    pictures = {video: f"strips/{number}.jpg" for number, video in enumerate(strips or {})}
    common: dict[str, Any] = {
        "browsed": browsed, "title": title(browsed), "runs": labels(browsed.results),
        "links": links or VideoAddresses(),
        "longest": LONGEST, "snippet": SNIPPET, "ranked": ranked, "pictures": pictures, "allowed": "'none'",
        "joined": " ".join,
    }  # fmt: skip
    files: dict[str, str] = {"index.html": _index(browsed, common)}
    for section in browsed.sections:
        files |= _section(section, common)
    files[STYLE] = "\n".join(text_of(name) for name in ("style.css", "retrieved.css", STYLE))
    for name, content in files.items():
        write_atomically(folder / name, content.encode(), durable=False)
    for video, name in pictures.items():
        write_atomically(folder / name, (strips or {})[video], durable=False)
    return [folder / name for name in files]


def title(browsed: Browsed) -> str:
    """Returns the heading of the index."""
    models = dict.fromkeys(result.model.name for result in browsed.results)
    return f"Every query of {' and '.join(models)}"


def labels(results: Iterable[Result]) -> list[str]:
    """Returns what each run is called on the pages: a letter where there are several, its model, its seed."""
    listed = list(results)
    named = [f"{result.model.name}, seed {result.seed}" for result in listed]
    return named if len(named) == 1 else [f"{chr(ord('A') + i)}: {name}" for i, name in enumerate(named)]


def _page(template: str, common: Mapping[str, Any], **values: Any) -> str:
    return environment().get_template(template).render(**{**common, **values})


def _index(browsed: Browsed, common: Mapping[str, Any]) -> str:
    kind = browsed.results[0].data.kind
    told = [circumstances(result) for result in browsed.results]
    counted = {section.key: _counts(section.entries) for section in browsed.sections}
    return _page("browse_index.html.j2", common, told=told, warning=wording.KIND_WARNINGS[kind], counted=counted)


def _counts(entries: Iterable[BrowsedQuery]) -> dict[int, list[tuple[int, ...]]]:
    """Returns for each K and run: queries answered within the first K, by both it and the first, by one alone."""
    ranks = [entry.ranks for entry in entries]
    counted: dict[int, list[tuple[int, ...]]] = {}
    for k in DEPTHS:
        hits = [[rank <= k for rank in of] for of in ranks]
        counted[k] = [
            (
                sum(hit[run] for hit in hits),
                sum(hit[0] and hit[run] for hit in hits),
                sum(hit[0] and not hit[run] for hit in hits),
                sum(hit[run] and not hit[0] for hit in hits),
            )
            for run in range(len(ranks[0]) if ranks else 0)
        ]
    return counted


def _section(section: BrowsedDirection, common: Mapping[str, Any]) -> dict[str, str]:
    """Returns the pages of a direction by file name: the list first."""
    parts = [section.entries[i : i + ON_A_PAGE] for i in range(0, len(section.entries), ON_A_PAGE)]
    names = [f"{section.key}-{number}.html" for number in range(1, len(parts) + 1)]
    spans = [(part[0].ranks[0], part[-1].ranks[0]) for part in parts]
    shown = {"section": section, "names": names, "spans": spans}
    script = text_of("browse.js")
    files = {
        f"{section.key}.html": _page(
            "browse_list.html.j2", common, **shown, data=_data(section, common), script=script,
            allowed=f"'{integrity(script)}'",
        )
    }  # fmt: skip
    play: Callable[[str], str] = lambda name: common["links"].play(section.videos.get(name, ""))  # noqa: E731
    for number, part in enumerate(parts):
        files[names[number]] = _page(
            "browse_queries.html.j2", common, **shown, part=part, number=number, first=number * ON_A_PAGE, play=play
        )
    return files


def _data(section: BrowsedDirection, common: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what the script reads: of each query its name, text, words, rank in each run, and classes by number."""
    classes = sorted({name for entry in section.entries if entry.scene for name in entry.scene.classes})
    number = {name: i for i, name in enumerate(classes)}
    rows = [
        [
            wording.plain(entry.name),
            wording.plain(" ".join(entry.told), LONGEST),
            sum(len(sentence.split()) for sentence in entry.told),
            [int(rank) if rank == int(rank) else rank for rank in entry.ranks],
            [number[name] for name in entry.scene.classes] if entry.scene else [],
        ]
        for entry in section.entries
    ]
    return {
        "key": section.key,
        "page": ON_A_PAGE,
        "runs": [wording.plain(label) for label in common["runs"]],
        "classes": [wording.plain(name) for name in classes],
        "rows": rows,
    }
