"""Prompts: text files whose first line says name and version, with `{places}` that are filled in."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InvalidData
from bench.reading.outside import TEXT, read_text

_HEAD = re.compile(r"# prompt ([a-z][a-z0-9-]{0,39}) version ([1-9][0-9]{0,5})")
_PLACE = re.compile(r"\{([a-z_]+)\}")
FORM = "the first line of a prompt is '# prompt NAME version 1'"


@dataclass(frozen=True)
class Prompt:
    """A prompt as its file says it.

    Attributes:
        name, version: from its first line; whoever changes the text raises the version.
        text: what follows.
        sha256: of the whole file, so that a text that was changed under one version is another prompt all the same.
    """

    name: str
    version: int
    text: str
    sha256: str

    @property
    def words(self) -> str:
        """`caption-1`, as records say it."""
        return f"{self.name}-{self.version}:{self.sha256[:8]}"

    @property
    def places(self) -> frozenset[str]:
        """The names that are filled in."""
        return frozenset(_PLACE.findall(self.text))

    def filled(self, **values: str) -> str:
        """Returns the text with its places filled in, each once: what is filled in is never read as a place itself."""
        return _PLACE.sub(lambda place: values[place[1]], self.text)


def read_prompt(path: Path, *places: str) -> Prompt:
    """Returns the prompt in a file, which has exactly these places.

    Raises: MissingData, InvalidData for a file that is none, or has other places.
    """
    whole = read_text(path, TEXT)
    first, _, text = whole.partition("\n")
    head = _HEAD.fullmatch(first.strip())
    if head is None or not text.strip():
        raise InvalidData(f"{path} is no prompt: {FORM}, and the text follows.")
    prompt = Prompt(head[1], int(head[2]), text.strip(), hashlib.sha256(whole.encode()).hexdigest())
    if prompt.places != set(places):
        asked = ", ".join(f"{{{place}}}" for place in places) or "none"
        raise InvalidData(f"{path}: a prompt for this has the places {asked}, each once or more, and no others.")
    return prompt
