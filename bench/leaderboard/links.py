"""Where a model's paper and code are, as whoever keeps a board says it: `links.yaml` beside its results.

hse: {paper: "https://arxiv.org/abs/1810.07212", code: "https://github.com/zbwglory/CMHSE"}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from bench.errors import InvalidData
from bench.leaderboard.records import Note, reason_of
from bench.reading.outside import read_text
from bench.reading.yaml_files import YAML, NotYaml, parse_yaml
from bench.results import Record

FILE = "links.yaml"
Address = Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.-]+(/[^\s\"'<>\\^`{|}]*)?$", max_length=300)]


class Links(Record):
    """Addresses of one model; both begin with https://."""

    paper: Address = ""
    code: Address = ""


_FILE: TypeAdapter[dict[str, Links]] = TypeAdapter(dict[str, Links])


def read_links(path: Path) -> tuple[Mapping[str, Links], list[Note]]:
    """Returns the links of each model by its name, and why the file is left out where it is; none without a file."""
    if not path.is_file():
        return {}, []
    try:
        return _links(path), []
    except Exception as error:  # noqa: BLE001 (a file of somebody's never stops a board)
        return {}, [Note(path.name, reason_of(error, path))]


def _links(path: Path) -> dict[str, Links]:
    """Raises: InvalidData for a file that is no list of links."""
    try:
        return _FILE.validate_python(parse_yaml(read_text(path, YAML)) or {})
    except NotYaml as error:
        raise InvalidData(f"{path}: {error}. Fix the YAML.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InvalidData(
            f"{path}: {where}: {first['msg']}. Write MODEL: {{paper: https://…, code: https://…}}."
        ) from error
