"""The document of the test sets, made from the data.

python -m bench.data.sets.page docs/sets.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.data.sets.named import NamedSet, all_sets
from bench.files import write_atomically

HEAD = """# Test sets

Whose number is this? Papers name a dataset and mean different tests of it. Each test has a name here; `bench list sets`
lists them, `bench info msrvtt:1k-A` shows one, and `set: msrvtt:1k-A` under a dataset of bench.yaml lets
`bench data verify` compare your files with it: where the list ships, by ids (and by a digest of the captions where they
are part of the test), elsewhere by numbers. It says by how much the test set shrank when videos or features are gone.
Sets for training are compared with the split `train`. Nothing else follows from `set:`; no number of a run changes.

Where the list ships, what is said to be counted was counted in the official files. Where it does not, the numbers are
the source's, and what we do not know is said. A digest is the SHA-256 of the lines, sorted by their bytes, each ended
by a line feed: the ids, or the id, a tab and the caption with single spaces between its words, a line for each caption;
it does not see in which order the sentences of a paragraph stand.

Generated from `bench/data/sets/*.yaml` by `python -m bench.data.sets.page docs/sets.md`; edit those.
"""


def page() -> str:
    """Returns the whole document, Markdown."""
    sets = all_sets()
    table = ["| set | videos | queries | a query is | list |", "| --- | ---: | ---: | --- | --- |"]
    table += [_row(one) for one in sets.values()]
    return "\n".join([HEAD, *table, *(line for one in sets.values() for line in _section(one)), ""])


def _row(one: NamedSet) -> str:
    queries = f"{one.queries:,}" if one.queries else "not known" if one.part == "test" else "training"
    return f"| {one.name} | {one.videos:,} | {queries} | {one.unit} | {'ships' if one.list_ships else 'number only'} |"


def _section(one: NamedSet) -> Iterator[str]:
    yield f"\n## {one.name}\n"
    told = {
        "Videos": one.rule,
        "Captions": one.captions,
        "Right": one.right,
        "t2v": one.t2v,
        "v2t": one.v2t,
        "Source": one.source,
        "Variants": one.variants,
        "Counted": one.counted,
        "Not known": one.unknown,
        "SHA-256 of the ids": one.ids_sha256 and f"`{one.ids_sha256}`",
        "SHA-256 of ids and captions": one.captions_sha256 and f"`{one.captions_sha256}`",
    }
    yield from (f"- {key}: {value}" for key, value in told.items() if value)


if __name__ == "__main__":
    write_atomically(Path(sys.argv[1]), page().encode())
