"""Where an endpoint is and the key it takes: both from the environment, and the key goes nowhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.errors import UsageError

KNOWN: Mapping[str, str] = {"openai": "https://api.openai.com/v1"}
"""Endpoints whose address needs no variable."""
HIDDEN = "[key]"
LEAST = 6
"""Characters from which on a key is looked for in what an endpoint says; a shorter one is somebody's placeholder."""


@dataclass(frozen=True)
class Address:
    """Where an endpoint is.

    Attributes:
        name: what records call it; not its address, which may say where in a company it stands.
        url: the address that `/chat/completions` is put behind.
        key: what it is paid by, or "". No representation of this object holds it.
    """

    name: str
    url: str = field(repr=False)
    key: str = field(default="", repr=False)

    def clean(self, text: str) -> str:
        """Returns what an endpoint or a library said, on one line, printable, short, and without the key."""
        line = "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
        return self.without_key(line)[:300]

    def without_key(self, text: str) -> str:
        """Returns a text without the key, which some endpoints repeat."""
        return text.replace(self.key, HIDDEN) if len(self.key) >= LEAST else text


def address_of(name: str) -> Address:
    """Returns the endpoint that `NAME_BASE_URL` and `NAME_API_KEY` of the environment describe.

    A server without keys needs none. Raises: UsageError for no name, no address, and for one that could hold a secret.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", name):
        raise UsageError(f"endpoint={name[:40]!r} is no name: lower-case letters, digits and '-', such as openai.")
    prefix = name.upper().replace("-", "_")
    url = os.environ.get(f"{prefix}_BASE_URL", "").strip() or KNOWN.get(name, "")
    if not url:
        raise UsageError(
            f"endpoint {name!r} has no address. Set {prefix}_BASE_URL, such as http://localhost:8000/v1, and "
            f"{prefix}_API_KEY where it takes a key."
        )
    try:
        parts = urlsplit(url)
        plain = bool(parts.hostname) and parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        plain = False
    if not plain or parts.query or parts.fragment or "@" in parts.netloc:
        raise UsageError(
            f"{prefix}_BASE_URL is no plain address: http:// or https://, a host and a path, with no name, password or "
            f"question mark in it. A key stands in {prefix}_API_KEY."
        )
    key = os.environ.get(f"{prefix}_API_KEY", "").strip()
    if not re.fullmatch(r"[\x21-\x7e]*", key):
        raise UsageError(f"{prefix}_API_KEY holds white space or letters that no key has. Set it again.")
    return Address(name, url.rstrip("/"), key)
