"""Heavy things are named, not imported: `"package.module:object"`, resolved when a run needs it."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def resolve(reference: str) -> Any:
    """Returns the object that `"package.module:object"` names."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
