"""File names of pages and tables. Names in records are untrusted and may look alike; no two get one file."""

from __future__ import annotations

from collections.abc import Iterable

from bench.files import digest, slug

RESERVED = frozenset({"index", "compare", "build"})


def file_names(names: Iterable[str], reserved: Iterable[str] = RESERVED) -> dict[str, str]:
    """Returns a file name without ending for each name, in their order; unlike on disks that ignore case as well."""
    taken = set(reserved)
    files = {}
    for name in names:
        file = slug(name)
        if file.lower() in taken:
            file = f"{file}-{digest(name)[:8]}"
        taken.add(file.lower())
        files[name] = file
    return files
