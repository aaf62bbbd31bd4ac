"""What surprises in official lists and files, as data and as the document docs/lists.md.

python -m bench.data.sets.oddities docs/lists.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.files import write_atomically
from bench.reading.sections import Misfit, by_name, key, one_of, section, text
from bench.reading.yaml_files import parse_yaml

FOLDER = Path(__file__).parent / "oddities"

HEAD = """# What surprises in official lists and files

Counts that papers, readers and people get wrong, each with the file it was counted in and what bench does about it. In
the last column, *test* means that a test of ours counts it again in the file with that digest (the first digits of the
SHA-256 of the unpacked file), *once* that it was counted once in the named file of a public repository at that commit.
Sets and their ids are in [sets.md](sets.md).

Generated from `bench/data/sets/oddities/*.yaml` by `python -m bench.data.sets.oddities docs/lists.md`; edit those.
"""


def _numbers(value: Any, where: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not value or not all(type(one) is int for one in value):
        raise Misfit(f"{where}: expected a list of whole numbers, such as [15, 9].")
    return tuple(value)


@dataclass(frozen=True)
class Oddity:
    """Something in an official file that one would not expect.

    Attributes:
        what: the surprise, with `{0:,}` where the first of `counts` stands.
        counts: the numbers in it.
        where: the file or files, with their repository.
        bench: what bench does about it.
        digest: the start of the SHA-256 of each file, unpacked; or empty.
        counted: by a test, or once.
    """

    what: str = key(text())
    counts: tuple[int, ...] = key(_numbers)
    where: str = key(text())
    bench: str = key(text())
    digest: str = key(text(r"[0-9a-f]{8}( [0-9a-f]{8})*", "eight hexadecimal digits for each file"), "")
    counted: Literal["test", "once"] = key(one_of("test", "once"), "test")

    @property
    def told(self) -> str:
        """The surprise with its numbers."""
        return self.what.format(*self.counts)


@dataclass(frozen=True)
class _Dataset:
    dataset: str = key(text())
    oddities: dict[str, Oddity] = key(by_name(section(Oddity)))


def all_oddities() -> dict[str, dict[str, Oddity]]:
    """Returns what surprises by dataset and by a name of its own."""
    files = (parse_yaml(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml")))
    return {read.dataset: dict(read.oddities) for read in (section(_Dataset)(one, "") for one in files)}


def page() -> str:
    """Returns the whole document, Markdown."""
    return "\n".join([HEAD, *(line for name, found in all_oddities().items() for line in _table(name, found)), ""])


def _table(dataset: str, found: dict[str, Oddity]) -> Iterator[str]:
    yield f"\n## {dataset}\n"
    yield _line(["what", "where", "what bench does", "counted"])
    yield _line(["---"] * 4)
    for one in found.values():
        digest = f" (`{one.digest}`)" if one.digest else ""
        yield _line([one.told, f"{one.where}{digest}", one.bench, one.counted])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    write_atomically(Path(sys.argv[1]), page().encode())
