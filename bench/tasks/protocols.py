"""The protocol document, put together from the docstrings of the task modules.

python -m bench.tasks.protocols docs/protocols.md
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from bench.files import write_atomically

KINDS = ("retrieval", "incomplete", "captioning", "action_recognition")
"""The task modules, in the order of the document."""

HEAD = """# Protocols

What each task asks for, how it is scored, and where that comes from. Generated from the docstrings of the modules in
`bench/tasks/` by `python -m bench.tasks.protocols docs/protocols.md`; edit those.
"""


def protocols() -> str:
    """Returns the whole document, Markdown."""
    return "\n".join([HEAD, *(_section(kind) for kind in KINDS)])


def _section(kind: str) -> str:
    docstring = import_module(f"bench.tasks.{kind}").__doc__ or ""
    first, _, rest = docstring.strip().partition("\n")
    title, _, sentence = first.partition(": ")
    return f"## {title}\n\n{sentence[:1].upper()}{sentence[1:]}\n{rest}\n"


if __name__ == "__main__":
    write_atomically(Path(sys.argv[1]), protocols().encode())
