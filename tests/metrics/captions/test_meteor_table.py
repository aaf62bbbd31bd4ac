"""METEOR's table in the user's cache: built once, by one of several, again after a kill, and never half."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bench.errors import InvalidData, SaveError
from bench.metrics.captions.meteor import table as tables
from bench.metrics.captions.meteor.hashing import Spans, find, word_numbers
from bench.metrics.captions.meteor.table import cache_folder, installed_path, table, table_path

ENTRIES = [("a b", "c"), ("a b", "1 000"), ("zebra", "a b"), ("1000", "1 000"), ("café", "c")]
LISTS = {
    "synonym/english.synsets": "car\n1 2\nmotor_car\n1\nauto\n2\ngo\n3\n",
    "synonym/english.exceptions": "go\ngoes went\n",
    "function/english.words": "the\nof\n",
    "nonbreaking/english.prefixes": "# titles\nDr\n\nNo #NUMERIC_ONLY# \n",
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a folder with a small installation of METEOR, which is the one found."""
    folder = tmp_path / "pycocoevalcap" / "meteor"
    (folder / "data").mkdir(parents=True)
    text = "".join(f"0.5\n{phrase}\n{other}\n" for phrase, other in ENTRIES)
    (folder / "data" / "paraphrase-en.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    with zipfile.ZipFile(folder / "meteor-1.5.jar", "w") as archive:
        for name, content in LISTS.items():
            archive.writestr(name, content)
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tables, "jar", lambda *parts: tmp_path / "pycocoevalcap" / Path(*parts))
    tables._table.cache_clear()
    return folder


def phrase(text: str) -> np.ndarray:
    words = text.split(" ")
    return Spans(word_numbers(words)).of(np.array([0]), np.array([len(words)]))


def paraphrases(of: str) -> list[int]:
    arrays = table().arrays
    (place,) = find(arrays["sources"], phrase(of))
    if place < 0:
        return []
    return arrays["targets"][arrays["pairs"][arrays["offsets"][place] : arrays["offsets"][place + 1]]].tolist()


def test_each_phrase_has_its_paraphrases_in_the_order_of_the_file(installed):
    for text in ("a b", "zebra", "1000", "café", "c"):
        assert paraphrases(text) == [phrase(other).item() for one, other in ENTRIES if one == text]
    assert phrase("1000") != phrase("1 000") != phrase("000 1")


def test_the_word_lists_are_read(installed):
    found = table()
    assert (found.function, found.plain, found.numeric) == ({"the", "of"}, {"Dr"}, {"No"})
    assert find(found.arrays["words"], word_numbers(["car", "auto", "go", "motor_car"])).min() == -1
    assert (find(found.arrays["words"], word_numbers(["car", "auto", "go"])) >= 0).all()


def test_it_is_built_once_and_then_mapped(installed, monkeypatch):
    table()
    assert isinstance(table().arrays["pairs"].base, np.memmap) or table().arrays["pairs"].base is not None
    tables._table.cache_clear()
    monkeypatch.setattr("bench.metrics.captions.meteor.building.built", lambda *_: pytest.fail("built again"))
    assert paraphrases("zebra")


@pytest.mark.parametrize("keep", [0, 5, 200, -1])
def test_what_a_killed_builder_left_is_built_again(installed, keep):
    table()
    whole = installed_path().read_bytes()
    installed_path().write_bytes(whole[:keep])
    left = installed_path().with_name(f".{installed_path().name[:40]}.abc.part")
    left.write_bytes(b"half")
    tables._table.cache_clear()
    assert paraphrases("zebra")
    assert installed_path().read_bytes() == whole
    assert not left.exists()


def header_of(text: str) -> bytes:
    return len(text).to_bytes(8, "little") + text.encode()


@pytest.mark.parametrize(
    "damaged",
    [
        header_of("[]"),
        header_of('{"__metadata__": []}'),
        header_of('{"__metadata__": {"bench": "[]"}}'),
        header_of('{"__metadata__": {"bench": "1"}, "words": 1}'),
        header_of('{"__metadata__": {"bench": "{}"}, "words": {"dtype": "U8", "data_offsets": ["a", []], "shape": 1}}'),
        header_of("[" * 50_000),
        b"\xff" * 100,
        lambda whole: whole.replace(b'"synsets"', b'"sinsets"', 1),
        lambda whole: whole.replace(b'"U64"', b'"U32"', 1),
    ],
)
def test_whatever_is_wrong_with_a_table_it_is_built_again(installed, damaged):
    table()
    whole = installed_path().read_bytes()
    installed_path().write_bytes(damaged(whole) if callable(damaged) else damaged + bytes(100))
    assert installed_path().read_bytes() != whole
    tables._table.cache_clear()
    assert paraphrases("zebra")
    assert installed_path().read_bytes() == whole


def test_other_data_has_a_table_of_its_own(installed):
    before = installed_path()
    path = installed / "data" / "paraphrase-en.gz"
    path.write_bytes(gzip.compress(b"0.5\na b\nd\n", mtime=0))
    assert installed_path() != before
    assert paraphrases("zebra") == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no gzip, but long enough to be looked at",
        gzip.compress(b"0.5\na\nb\n0.5\na\n", mtime=0),
        gzip.compress(b"a\n" * 6, mtime=0)[:-9],
    ],
)
def test_a_damaged_installation_is_reported_and_leaves_no_table(installed, content):
    (installed / "data" / "paraphrase-en.gz").write_bytes(content)
    with pytest.raises(InvalidData, match="Install pycocoevalcap again"):
        table()
    assert list(cache_folder().glob("*.safetensors")) == []


def test_a_cache_that_cannot_be_written_is_reported_with_what_to_do(installed, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(SaveError, match="Name a folder with 60 MB free by BENCH_CACHE"):
        table()
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "other"))
    assert paraphrases("zebra")


def test_the_cache_is_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv("BENCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "vtbench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "vtbench"


def test_several_processes_build_one_table(installed, tmp_path):
    script = (
        "import sys; from pathlib import Path; from bench.metrics.captions.meteor import building, table\n"
        "table.jar = lambda *parts: Path(sys.argv[1], *parts)\n"
        "once = building.built\n"
        "building.built = lambda *paths: (print('built'), once(*paths))[1]\n"
        "print(len(table.table().arrays['pairs']))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "pycocoevalcap")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) for _ in range(4)]
    said = "".join(process.communicate(timeout=120)[0] for process in started)
    assert said.count("built") == 1
    assert said.count("5\n") == 4


def test_a_table_is_named_for_what_it_was_built_from():
    path = installed_path()
    assert path == table_path(*tables._installed())
    assert path.name.startswith("meteor-")
