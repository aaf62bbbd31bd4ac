"""Test sets by name, such as `msrvtt:1k-A`: a YAML file per dataset, and ids where we have the official list.

A set whose list we have not seen has no list and no digest here: it says the number, whose number that is, the rule
and what is unknown. Lists hold ids only; of captions there is a digest. Light: listings and bench.yaml look names up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.errors import unknown_name
from bench.reading.sections import by_name, key, one_of, section, text, whole
from bench.reading.yaml_files import parse_yaml

FOLDER = Path(__file__).parent

SHA256 = text(r"[0-9a-f]{64}", "a SHA-256, 64 hexadecimal digits")


@dataclass(frozen=True)
class NamedSet:
    """A set of videos that papers report on, or train on.

    Attributes:
        videos: how many there are.
        unit: what one query is.
        captions: how many captions a video has, in words.
        right: which answers are right.
        t2v, v2t: the conventions of each direction; empty where there is no such direction.
        rule: which videos belong to it.
        source: who defined it, and where the numbers here are from.
        variants: what else is reported under its name.
        queries: how many queries there are; None where we do not know, or where nothing is asked.
        part: whether it is tested or trained on.
        unknown: what we do not know of it.
        counted: what we counted in the official files.
        ids_sha256: digest of its ids as `digest` makes it; empty where the list does not ship.
        captions_sha256: the same over an id and a caption a line, as `caption_lines` makes them; or empty.
            ids_of: the set of the same dataset whose list is its own, where that is one.
        dataset, name: as after `datasets` and in full, such as `MSR-VTT` and `msrvtt:1k-A`; not in the file's section.
    """

    videos: int = key(whole(1))
    unit: str = key(text())
    captions: str = key(text())
    right: str = key(text())
    rule: str = key(text())
    source: str = key(text())
    t2v: str = key(text(), "")
    v2t: str = key(text(), "")
    variants: str = key(text(), "")
    queries: int | None = key(whole(1), None)
    part: Literal["test", "train"] = key(one_of("test", "train"), "test")
    unknown: str = key(text(), "")
    counted: str = key(text(), "")
    ids_sha256: str = key(SHA256, "")
    captions_sha256: str = key(SHA256, "")
    ids_of: str = key(text(), "")
    dataset: str = key(text(), "")
    name: str = key(text(), "")

    @property
    def list_ships(self) -> bool:
        """Whether its ids are here."""
        return bool(self.ids_sha256)

    def ids(self) -> tuple[str, ...]:
        """Returns its ids in the order of the official list; () where that does not ship."""
        if not self.list_ships:
            return ()
        own, _, _ = self.name.partition(":")
        return _lines("ids", f"{own}:{self.ids_of}" if self.ids_of else self.name)

    def caption_digests(self) -> tuple[str, ...]:
        """Returns the start of the SHA-256 of each line of `caption_lines`, beside the ids; () where they do not ship.

        They tell the caption of each video among others of it.
        """
        return _lines("captions", self.name) if (FOLDER / "captions" / _file_name(self.name)).exists() else ()


@dataclass(frozen=True)
class _SetsFile:
    dataset: str = key(text())
    sets: dict[str, NamedSet] = key(by_name(section(NamedSet)))


def caption_digest(line: str) -> str:
    """Returns the first 16 hexadecimal digits of the SHA-256 of a line of `caption_lines`."""
    return hashlib.sha256(line.encode()).hexdigest()[:16]


def digest(lines: Iterable[str]) -> str:
    """Returns the SHA-256 of UTF-8 lines, sorted by their bytes, each ended by a line feed."""
    rows = sorted(line.encode() + b"\n" for line in lines)
    return hashlib.sha256(b"".join(rows)).hexdigest()


def caption_lines(pairs: Iterable[tuple[str, Iterable[str]]]) -> Iterable[str]:
    """Returns a line for each caption of each video: the id, a tab, the caption with single spaces between words."""
    return (f"{video_id}\t{' '.join(caption.split())}" for video_id, captions in pairs for caption in captions)


def datasets() -> tuple[str, ...]:
    """Returns the names of the field's datasets, as they stand before the colon."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def all_sets() -> dict[str, NamedSet]:
    """Returns every set by its name."""
    return {test_set.name: test_set for path in sorted(FOLDER.glob("*.yaml")) for test_set in _of_file(path)}


def named_set(name: str) -> NamedSet:
    """Returns a set by its name; of all files only its own is read. Raises: UnknownName."""
    dataset = name.partition(":")[0]
    if dataset in datasets():
        for test_set in _of_file(FOLDER / f"{dataset}.yaml"):
            if test_set.name == name:
                return test_set
    raise unknown_name("set", name, all_sets())


def _file_name(name: str) -> str:
    return f"{name.replace(':', '-')}.txt"


def _lines(folder: str, name: str) -> tuple[str, ...]:
    return tuple((FOLDER / folder / _file_name(name)).read_text(encoding="utf-8").splitlines())


def _of_file(path: Path) -> list[NamedSet]:
    read = section(_SetsFile)(parse_yaml(path.read_text(encoding="utf-8")), "")
    return [replace(one, dataset=read.dataset, name=f"{path.stem}:{name}") for name, one in read.sets.items()]
