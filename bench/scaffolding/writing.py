"""From a name and a kind to a package on disk, through templates that ship with bench."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from bench.errors import SaveError, UsageError
from bench.files import write_atomically
from bench.plugins.discovery import OWN_DISTRIBUTION, entry_points
from bench.plugins.hookspecs import API_VERSION

TEMPLATES = Path(__file__).with_name("templates")
PACKAGE = "package"
"""The folder of templates that every kind has."""

KINDS = ("encoder", "captioner", "classifier", "task", "dataset")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def write_package(name: str, kind: str, parent: Path) -> tuple[Path, ...]:
    """Returns the files of a new package `parent`/vtbench-NAME, written from the templates of `kind`.

    Raises: UsageError for a name that cannot be one or is taken; SaveError when the folder is there already.
    """
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > 48:
        raise UsageError(f"plugin name {name!r}: use small letters, digits and single hyphens, such as my-model.")
    if name in {point.name for point in entry_points()}:
        raise UsageError(f"plugin name {name!r} is installed already: `bench plugin list` shows it. Choose another.")
    folder = parent / f"{OWN_DISTRIBUTION}-{name}"
    if folder.exists():
        raise SaveError(f"{folder} exists and is not overwritten. Choose another name, or remove it.")
    words = _words(name, kind)
    files = {
        folder / target: content
        for templates in (PACKAGE, kind)
        for target, content in rendered(TEMPLATES / templates, words).items()
    }
    for path, content in files.items():
        write_atomically(path, content.encode())
    return tuple(sorted(files))


def _words(name: str, kind: str) -> dict[str, str]:
    """Returns what the templates fill in."""
    major, minor = metadata.version(OWN_DISTRIBUTION).split(".")[:2]
    return {
        "name": name,
        "kind": kind,
        "article": "an" if kind[0] in "aeiou" else "a",
        "distribution": f"{OWN_DISTRIBUTION}-{name}",
        "module": f"{OWN_DISTRIBUTION}_{name.replace('-', '_')}",
        "class_name": "".join(part.capitalize() for part in name.split("-")),
        "requirement": f"{OWN_DISTRIBUTION}>={major}.{minor},<{int(major) + 1}",
        "api": str(API_VERSION),
    }


def rendered(folder: Path, words: Mapping[str, object]) -> dict[str, str]:
    """Returns target -> text for every template of a folder; `MODULE` in a path is the module's name."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (program text, filled with names that were checked)
    )
    files = {}
    for template in environment.list_templates(extensions=["j2"]):
        target = template.removesuffix(".j2").replace("MODULE", str(words.get("module", ""))).replace("DOT", ".")
        files[target] = environment.get_template(template).render(words)
    return files
