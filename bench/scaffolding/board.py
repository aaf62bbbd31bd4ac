"""The repository of a leaderboard of one's own: configuration, results folder, README and workflows, from templates."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from bench.errors import SaveError, UsageError
from bench.files import write_atomically
from bench.plugins.discovery import OWN_DISTRIBUTION
from bench.scaffolding.writing import TEMPLATES, rendered

BOARD = "board"
"""The folder of templates of a board."""

WORKFLOWS = ".github/"


def write_board(folder: Path, title: str, *, space: bool = False) -> tuple[Path, ...]:
    """Returns the files of a new board's repository, for GitHub Pages or as a Hugging Face static Space.

    The folder may be there, such as a fresh clone; what is in it stays.

    Raises: UsageError for a title of several lines or none; SaveError where a file that would be written is there.
    """
    if not title.strip() or not title.isprintable():
        raise UsageError(f"title {title!r}: give one line of text, such as --title 'Retrieval at our laboratory'.")
    if folder.exists() and not folder.is_dir():
        raise SaveError(f"{folder} is no folder. Name one that is empty, a fresh clone, or not there yet.")
    words = {
        "title": title.strip(),
        "space": space,
        "install": f"{OWN_DISTRIBUTION}=={metadata.version(OWN_DISTRIBUTION)}",
        "strict": "",
    }
    files = {
        folder / name: content
        for name, content in rendered(TEMPLATES / BOARD, words).items()
        if not (space and name.startswith(WORKFLOWS))
    }
    if there := sorted(path for path in files if path.exists()):
        raise SaveError(f"{there[0]} exists and is not overwritten. Name another folder, or move it away.")
    for path, content in files.items():
        write_atomically(path, content.encode())
    return tuple(sorted(files))
