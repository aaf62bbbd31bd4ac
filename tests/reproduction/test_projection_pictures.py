"""The picture of a figure of embeddings: equal bytes, a name for every point, and text that is only ever text."""

import struct
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from bench.papers.pictures import COLOURS, INK, LINE, MARKERS, QUIET, EmbeddingPicture, Panel, png, svg

NS = {"svg": "http://www.w3.org/2000/svg"}
HOSTILE = '$\\frac</title><script>alert("x")</script>\u202e\x00'


def picture(class_names=("swim", "run", "jump"), panels=2, videos="v_"):
    rng = np.random.default_rng(0)
    classes = np.arange(30) % len(class_names)
    drawn = tuple(
        Panel(
            f"HSE, seed {i}",
            "as it is",
            rng.standard_normal((30, 2)),
            classes,
            tuple(f"{videos}{j}" for j in range(30)),
        )
        for i in range(panels)
    )
    return EmbeddingPicture("Embeddings", tuple(class_names), drawn, 2, ("sample (generated)",))


def parsed(written):
    return ElementTree.fromstring(written)  # noqa: S314 (made here)


@pytest.fixture(scope="module")
def drawn():
    return parsed(svg(picture()))


def titles(root):
    return [title.text for title in root.iterfind(".//svg:use/svg:title", NS)]


def test_every_point_shows_its_class_and_its_video(drawn):
    assert sorted(titles(drawn)) == sorted(2 * [f"{('swim', 'run', 'jump')[j % 3]} · v_{j}" for j in range(30)])
    group = next(g for g in drawn.iter("{http://www.w3.org/2000/svg}g") if g.get("id") == "panel-1-class-2")
    assert titles(group)[:3] == ["jump · v_2", "jump · v_5", "jump · v_8"]


def test_the_picture_has_a_title_and_follows_the_readers_scheme(drawn):
    assert drawn.get("role") == "img"
    assert drawn.find("svg:title", NS).text == "Embeddings"
    rules = drawn.find("svg:style", NS).text
    assert rules.startswith("@media (prefers-color-scheme: dark)")
    drawn_with = " ".join(element.get("style") or "" for element in drawn.iter())
    for look in (f"fill: {INK}", f"fill: {QUIET}", f"stroke: {LINE}", "fill: #ffffff"):
        assert look in drawn_with
        assert f'[style*="{look}"]' in rules


def test_equal_pictures_give_equal_bytes_without_a_date():
    assert svg(picture()) == svg(picture())
    assert png(picture()) == png(picture())
    assert b"dc:date" not in svg(picture())


def test_the_png_is_as_wide_as_its_panels():
    one, two = (struct.unpack(">II", png(picture(panels=n))[16:24]) for n in (1, 3))
    assert one[0] == two[0]  # two columns, even where the second is empty
    assert two[1] > 1.5 * one[1]


def test_hostile_names_stay_text():
    found = svg(picture([HOSTILE, "a " * 60, "日本語", "_hidden"], videos=HOSTILE))
    root = parsed(found)
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert b"<script" not in found
    assert "\u202e" not in found.decode()
    assert any(title.startswith("日本語 · ") for title in titles(root))
    assert png(picture([HOSTILE, "b"]))[:4] == b"\x89PNG"


def test_twenty_classes_look_different():
    assert len(COLOURS) * len(MARKERS) >= 20
    assert len(titles(parsed(svg(picture([f"class {i}" for i in range(20)]))))) == 60


def test_what_a_user_set_for_matplotlib_changes_nothing():
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 31, "axes.grid": True, "text.usetex": True, "svg.fonttype": "none"}):
        assert svg(picture()) == DEFAULT
    assert svg(picture()) == DEFAULT


DEFAULT = svg(picture())
