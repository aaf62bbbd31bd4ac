"""What pictures by matplotlib share: settings that give the same bytes everywhere, and SVG that stands in a file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

from bench.leaderboard.pages.wording import plain

SVG = "http://www.w3.org/2000/svg"
INK, QUIET = "#1c2126", "#5c6670"
IN_FILES: Mapping[str, Any] = {
    "svg.hashsalt": "bench",
    "font.family": ["DejaVu Sans"],
    "text.parse_math": False,  # a $ in a name is a dollar
    "svg.fonttype": "path",
    "text.color": INK,
    "figure.facecolor": "#ffffff",
    "savefig.facecolor": "#ffffff",
}
"""Settings of a picture in a file of its own, which cannot count on anybody's fonts or ground."""


@contextmanager
def file_settings(style: Mapping[str, Any]) -> Iterator[None]:
    """Makes the settings of matplotlib ours for a while, whatever a matplotlibrc or another drawing made of them.

    A picture may have names of classes on it that its font lacks: a box stands in, and hovering shows the name.
    """
    import matplotlib as mpl

    defaults: Any = {name: value for name, value in mpl.rcParamsDefault.items() if "backend" not in name}
    with mpl.rc_context(defaults | dict(IN_FILES) | dict(style)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def parsed(drawn: bytes, title: str) -> ElementTree.Element:
    """Returns the SVG that matplotlib drew, as a picture with a title."""
    for prefix, space in (("", SVG), ("xlink", "http://www.w3.org/1999/xlink")):
        ElementTree.register_namespace(prefix, space)
    root = ElementTree.fromstring(drawn)  # noqa: S314 (our own)
    root.set("role", "img")
    root.insert(0, element("title", plain(title)))
    return root


def groups_of(root: ElementTree.Element) -> dict[str | None, ElementTree.Element]:
    """Returns the groups of a picture by their id."""
    return {group.get("id"): group for group in root.iter(f"{{{SVG}}}g")}


def element(name: str, text: str) -> ElementTree.Element:
    """Returns an element that holds a text; a `title` shows it on hover."""
    made = ElementTree.Element(f"{{{SVG}}}{name}")
    made.text = text
    return made


def written(root: ElementTree.Element) -> bytes:
    """Returns the bytes of a picture's file."""
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"
