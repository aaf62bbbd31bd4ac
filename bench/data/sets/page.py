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
lists them and `bench info msrvtt:1k-A` shows one.

**Asked.** `bench run -m MODEL -t msrvtt-retrieval:set=1k-A` asks that set, each query as the set says; record and
signature name it as the split, `split=msrvtt:1k-A`. The dataset's files must hold it: a split of bench.yaml that is
called like the set (`splits: {1k-A: {file: MSRVTT_JSFUSION_test.csv}}`), or the test split, when the list ships and the
videos are among its own. Of several captions of a video the set's own one is taken where it can be told, as for 1k-A
out of 20. Where no list ships, a split of that name, or `set: NAME` of the dataset, says that the files are the set.
Whatever can be compared is, and what is not the set is refused. Which dataset of the field yours is follows from its
`set:`, its name or its reader; else write `set=msrvtt:1k-A` in full. Moments in a video are asked by no task of ours.

**Compared.** `set: msrvtt:1k-A` under a dataset of bench.yaml says that its test split is that set, and `bench data
verify` compares the two: by ids where the list ships (and by a digest of the captions where they are part of the test),
elsewhere by numbers. It says by how much the test set shrank when videos or features are gone. Sets for training are
compared with the split `train`.

Where the list ships, what is said to be counted was counted in the official files. Where it does not, the numbers are
the source's, and what we do not know is said. A digest is the SHA-256 of the lines, sorted by their bytes, each ended
by a line feed: the ids, or the id, a tab and the caption with single spaces between its words, a line for each caption;
it does not see in which order the sentences of a paragraph stand. What surprises in the official files is in
[lists.md](lists.md).

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
