"""A cell: one model with its settings on one task under one seed, as a value with an id that is the same everywhere.

A file of cells (bench-cells/1) names besides them the bench.yaml they are read under, with its digest, and where runs
go, so that `bench run --cells FILE --cell 17` means the same on every machine that sees these paths.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.catalogue.config import CHECKOUT, PACKAGED
from bench.errors import CatalogueError, InvalidData, UsageError
from bench.execution import Precision
from bench.files import digest, sha256, write_atomically
from bench.reading.numbers import whole_in
from bench.reading.outside import JSON, read_text, reading
from bench.reading.sections import Misfit, by_name, key, listed, one_of, pathname, section, text, whole
from bench.runs.request import Request

if TYPE_CHECKING:
    from bench.catalogue.catalogue import Catalogue
    from bench.catalogue.lookup import Session

SCHEMA = "bench-cells/1"
LONGEST = 200
"""Characters of an id or a place that a message shows."""


@dataclass(frozen=True)
class StudyCell:
    """What one run is asked for.

    Attributes:
        model, task: their names, the task with its parameters.
        seed: seeds training and everything random.
        settings: of the model, as text; `base.NAME` for the model that it builds on.
        precision, batch_size, limit: as `Request` has them.
    """

    model: str = key(text(r"(?s:.{1,200})", "a model's name"))
    task: str = key(text(r"(?s:.{1,500})", "a task's name"))
    seed: int = key(whole(0), 0)
    settings: Mapping[str, str] = key(by_name(text()), {})
    precision: Precision = key(one_of("fp32", "bf16"), "fp32")
    batch_size: int = key(whole(1), 64)
    limit: int | None = key(whole(1), None)

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits that follow from all of it, in whatever order settings were given."""
        return digest([SCHEMA, *self.as_json().items()])[:12]

    def as_json(self) -> dict[str, Any]:
        """Returns it as a value of JSON; what is usual is left out."""
        asked: dict[str, Any] = {"model": self.model, "task": self.task, "seed": self.seed}
        if self.settings:
            asked["settings"] = dict(sorted(self.settings.items()))
        usual = {"precision": "fp32", "batch_size": 64, "limit": None}
        return asked | {name: getattr(self, name) for name, value in usual.items() if getattr(self, name) != value}

    def request(self, base: Request) -> Request:
        """Returns what is asked of a run, with the places and the device of `base`."""
        return replace(
            base,
            settings=self.settings,
            seed=self.seed,
            precision=self.precision,
            batch_size=self.batch_size,
            limit=self.limit,
            command=base.command or self.command,
        )

    @property
    def command(self) -> tuple[str, ...]:
        """The command that runs it by itself."""
        words = ["bench", "run", "--model", self.model, "--task", self.task, "--seed", str(self.seed)]
        for name, value in sorted(self.settings.items()):
            words += ["--set", f"{name}={value}"]
        words += ["--precision", self.precision] if self.precision != "fp32" else []
        words += ["--batch-size", str(self.batch_size)] if self.batch_size != 64 else []
        return (*words, *(["--limit", str(self.limit)] if self.limit is not None else []))

    def __str__(self) -> str:
        chosen = "".join(f" {name}={value}" for name, value in sorted(self.settings.items()))
        return f"{self.model}{chosen} on {self.task} (seed {self.seed})"


@dataclass(frozen=True)
class StudyCells:
    """Cells with where they are read and written.

    Attributes:
        cells: in the order in which they were asked.
        config: the bench.yaml, or None for the packaged default.
        config_digest: SHA-256 of its content.
        output: where runs go.
        installed: bench and the packages of its plugins that were usable, each with its version.
    """

    cells: tuple[StudyCell, ...]
    config: Path | None
    config_digest: str
    output: Path
    installed: Mapping[str, str]

    @classmethod
    def under(cls, session: Session, cells: tuple[StudyCell, ...], output: Path | None) -> StudyCells:
        """Returns cells under a configuration, all paths absolute."""
        config = session.config
        place = None if config.path is None else config.path.resolve()
        return cls(cells, place, digest_of(place), (output or config.runs).resolve(), installed(session.catalogue))

    def check_installed(self, catalogue: Catalogue) -> None:
        """Raises CatalogueError where bench or a plugin that the cells were planned with is another one, or missing."""
        here = installed(catalogue)
        for name, version in self.installed.items():
            if here.get(name) != version:
                found = f"here it is {here[name]}" if name in here else "here it is missing or not usable"
                raise CatalogueError(
                    f"the cells were planned with {name} {version}; {found} ({socket.gethostname()}). Install that "
                    "release on this machine, or plan the cells with what is here: `bench plan`."
                )

    def check_config(self) -> None:
        """Raises UsageError where the bench.yaml is not what it was when the cells were planned."""
        if self.config is not None and not self.config.is_file():
            raise UsageError(f"{self.config}, which the cells name, is not there. Plan them where it is: `bench plan`.")
        if digest_of(self.config) != self.config_digest:
            name = self.config or "the packaged bench.yaml"
            raise UsageError(f"{name} was changed since the cells were planned. Plan them again: `bench plan`.")

    def find(self, name: str) -> StudyCell:
        """Returns the cell with that place, from 0, or that id. Raises: UsageError for none."""
        for cell in self.cells:
            if cell.id == name:
                return cell
        place = whole_in(name)
        if place is not None and 0 <= place < len(self.cells):
            return self.cells[place]
        known = f"places 0 to {len(self.cells) - 1:,}, or their ids" if self.cells else "there are none"
        raise UsageError(f"--cell {name[:LONGEST]!r}: no such cell; {known}. `bench plan` lists them.")


def installed(catalogue: Catalogue) -> dict[str, str]:
    """Returns the distributions that usable plugins come from, ours among them, by name with their versions."""
    named = (plugin.distribution.partition(" ") for plugin in catalogue.plugins if plugin.status == "ok")
    return {name: version for name, _, version in sorted(named)}


def cell_of(value: Mapping[str, Any]) -> StudyCell:
    """Returns the cell that a JSON form, with or without its id, says."""
    return StudyCell(**{name: said for name, said in value.items() if name != "id"})


def digest_of(config: Path | None) -> str:
    """Returns the SHA-256 of a bench.yaml, of the packaged one for None."""
    return sha256(config or (PACKAGED if PACKAGED.exists() else CHECKOUT))


def write_cells(cells: StudyCells, path: Path) -> None:
    """Writes a file of cells. Raises: SaveError."""
    write_atomically(path, as_text(cells).encode())


def as_text(cells: StudyCells) -> str:
    """Returns a file of cells, a line for each of them."""
    head = {
        "schema": SCHEMA,
        "config": None if cells.config is None else str(cells.config),
        "config_sha256": cells.config_digest,
        "output": str(cells.output),
        "installed": dict(cells.installed),
    }
    lines = ",\n".join(f"  {json.dumps({'id': cell.id, **cell.as_json()})}" for cell in cells.cells)
    return f'{json.dumps(head, indent=1)[:-2]},\n "cells": [\n{lines}\n ]\n}}\n'


@dataclass(frozen=True)
class _StoredCell(StudyCell):
    id: str = key(text(r"[0-9a-f]{12}", "twelve hexadecimal digits"), "")


@dataclass(frozen=True)
class _CellsFile:
    schema: str = key(one_of(SCHEMA))
    config_sha256: str = key(text(r"[0-9a-f]{64}", "a SHA-256"))
    output: Path = key(pathname)
    cells: tuple[_StoredCell, ...] = key(listed(section(_StoredCell)))
    config: Path | None = key(pathname, None)
    installed: Mapping[str, str] = key(by_name(text()), {})


def read_cells(path: Path) -> StudyCells:
    """Returns a file of cells. Raises: MissingData, InvalidData, also where an id is not that of its cell."""
    content = read_text(path, JSON)
    with reading(path, JSON):
        value = json.loads(content)
    try:
        file = section(_CellsFile)(value, "")
    except Misfit as error:
        raise InvalidData(f"{path} is no {SCHEMA} file: {error} `bench plan … --write FILE` writes one.") from None
    cells = []
    for place, stored in enumerate(file.cells):
        cell = StudyCell(**{name: getattr(stored, name) for name in StudyCell.__dataclass_fields__})
        if stored.id and cell.id != stored.id:
            raise InvalidData(
                f"{path}: cells.{place} has the id {stored.id}, and what it asks has {cell.id}. Leave `id` out of a "
                "cell that you edit."
            )
        cells.append(cell)
    return StudyCells(tuple(cells), file.config, file.config_sha256, file.output, file.installed)
