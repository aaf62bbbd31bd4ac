"""A page of examples as Markdown and HTML, in the board's style; equal examples give equal bytes.

Ids, captions and references are untrusted: they can make no link, tag, row or heading.
"""

from __future__ import annotations

from pathlib import Path

from bench.analysis.examples.choosing import ChosenExamples, Example
from bench.files import write_atomically
from bench.leaderboard.pages import wording
from bench.leaderboard.pages.html import environment
from bench.leaderboard.pages.markdown import escape
from bench.reading.numbers import number_of
from bench.results import Result

LONGEST = 600
"""Characters shown of one caption."""
CAUTION = (
    "Best and worst captions show how far a model can go, not how it does; the middle shows what is usual. Captions of "
    "equal score stand in the order of their videos."
)


def write_pages(examples: ChosenExamples, folder: Path) -> tuple[Path, Path]:
    """Writes `<run>.examples.html` and `<run>.examples.md` into `folder`; returns their paths. Raises: SaveError."""
    paths = tuple(folder / f"{examples.result.run}.examples.{kind}" for kind in ("html", "md"))
    for path, content in zip(paths, (html(examples), markdown(examples)), strict=True):
        write_atomically(path, content.encode())
    return paths[0], paths[1]


def title(examples: ChosenExamples) -> str:
    """Returns the page's heading."""
    return f"What {examples.result.model.name} says"


def circumstances(result: Result) -> str:
    """Returns one line on a run."""
    primary = result[result.primary]
    bounds = f" ({primary.ci95[0]:.1f}\u2013{primary.ci95[1]:.1f})" if primary.ci95 else ""
    parts = [result.task.name, result.data.label, f"split {result.task.split}", f"seed {result.seed}"]
    return " · ".join([*parts, f"{primary.name} {primary.value:.1f}{bounds}"])


def counts(examples: ChosenExamples) -> str:
    """Returns one line on all captions of the run."""
    each = "for each video" if examples.protocol == "paragraph" else "for each reference segment"
    if examples.groups["Best"] and examples.groups["Best"][0].segment is None:
        each = "for each video"
    return (
        f"{number_of(examples.count, 'caption')}, one {each}, {examples.distinct:,} of them different; "
        f"{examples.zeros:,} score 0. {examples.metric} of single captions, protocol {examples.protocol}."
    )


def place(example: Example) -> str:
    """Returns when in the video the caption belongs, or nothing for the whole video."""
    return "" if example.segment is None else f"{example.segment[0]:.1f}\u2013{example.segment[1]:.1f} s"


def markdown(examples: ChosenExamples) -> str:
    """Returns the examples as a Markdown page."""
    lines = [f"# {escape(title(examples))}", "", escape(circumstances(examples.result), LONGEST), ""]
    if wording.KIND_WARNINGS[examples.result.data.kind]:
        lines += [f"> {wording.KIND_WARNINGS[examples.result.data.kind]}", ""]
    lines += [escape(counts(examples), LONGEST), "", CAUTION, ""]
    for name, group in examples.groups.items():
        lines += [
            f"## {name}",
            "",
            f"| {examples.metric} | Video | Caption | References |",
            "| ---: | --- | --- | --- |",
        ]
        lines += [_line(example) for example in group]
        lines.append("")
    lines.append(f"Signature: <code>{escape(examples.result.signature, LONGEST)}</code>")
    return "\n".join(lines) + "\n"


def _line(example: Example) -> str:
    where = f"<br><sub>{place(example)}</sub>" if place(example) else ""
    told = "<br>".join(escape(reference, LONGEST) for reference in example.references)
    cells = [f"{example.score:.1f}", escape(example.video) + where, escape(example.caption, LONGEST) or "*empty*", told]
    return f"| {' | '.join(cells)} |"


def html(examples: ChosenExamples) -> str:
    """Returns the examples as one self-contained HTML page."""
    template = environment().get_template("examples.html.j2")
    return template.render(
        examples=examples,
        title=title(examples),
        circumstances=circumstances(examples.result),
        counts=counts(examples),
        caution=CAUTION,
        place=place,
        longest=LONGEST,
    )
