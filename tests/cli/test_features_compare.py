"""`bench features compare`: what is the same, what differs, and what cannot be compared."""

import json

import numpy as np
import pytest

CONFIG = """
version: 1
features:
  one: {reader: npy-folder, path: one, extractor: net, stride: 8 frames}
  two: {reader: npy-folder, path: two, extractor: net, stride: 4 frames}
"""


@pytest.fixture
def write(bench_command):
    (bench_command.folder / "bench.yaml").write_text(CONFIG)

    def write(name, **rows):
        (bench_command.folder / name).mkdir()
        for video_id, values in rows.items():
            np.save(bench_command.folder / name / f"{video_id}.npy", np.asarray(values, dtype=np.float32))

    return write


def compared(bench_command, first="one", second="two"):
    return json.loads(bench_command("features", "compare", first, second, "--json").stdout)


def test_equal_rows_are_said_to_be_the_same_whatever_is_said_of_them(bench_command, write):
    for name in ("one", "two"):
        write(name, a=[[1, 2], [0, 0]])

    done = bench_command("features", "compare", "one", "two")

    assert "stride: 8 frames | 4 frames" in done.stdout
    assert "1 video in both: mean cosine 1.000000, largest difference 0" in done.stdout
    assert "every row is the same" in done.stdout


def test_what_differs_is_told_by_video(bench_command, write):
    write("one", a=[[1, 0], [0, 1]], b=[[1, 0]], c=[[3, 4]], only=[[1, 1]])
    write("two", a=[[1, 0], [1, 0]], b=[[2, 0]], c=[[3, 4], [3, 4]], other=[[1, 1]])

    found = compared(bench_command)

    assert not found["equal"]
    assert (found["only_first"], found["only_second"]) == (["only"], ["other"])
    assert found["videos"] == 3
    assert found["other_rows"] == ["c"]
    assert list(found["most"]) == ["a", "b", "c"]
    assert found["most"]["a"] == {"rows": [2, 2], "cosine": 0.5, "largest": 1.0}
    assert found["most"]["b"] == {"rows": [1, 1], "cosine": 1.0, "largest": 1.0}
    assert found["most"]["c"] == {"rows": [1, 2], "cosine": 1.0, "largest": None}
    assert found["cosine"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert found["largest"] == 1.0


def test_other_dimensions_cannot_be_compared(bench_command, write):
    write("one", a=[[1, 0]])
    write("two", a=[[1, 0, 0]])

    done = bench_command("features", "compare", "one", "two")

    assert "dimension: 2 | 3" in done.stdout
    assert "cannot be compared" in done.stdout
    assert compared(bench_command)["cosine"] is None


def test_a_pack_is_compared_by_its_folder(bench_command, write):
    write("one", a=[[1, 0]], b=[[2, 3]])
    bench_command("data", "pack", "one")

    assert compared(bench_command, "one", "packs/one")["equal"]
    assert compared(bench_command, "packs/one", "packs/one")["words"] == {}


@pytest.mark.parametrize("name", ["three", "packs/three"])
def test_what_is_not_there_is_one_line(bench_command, write, name):
    write("one", a=[[1, 0]])
    done = bench_command("features", "compare", "one", name, exit_code=3)
    assert f"unknown feature source or pack '{name}'" in done.stderr
    assert "one, two" in done.stderr
