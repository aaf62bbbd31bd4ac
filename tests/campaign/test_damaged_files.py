"""A sample of `mutated-inputs` of every kind of file: whatever is in it, its reader ends with an answer or one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from inputs import TARGETS, damaged, left_with, make_all
from phases import dice
from targets import one

CASES = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of valid files of every kind, with a run, a pack, and no home of anybody's."""
    made = tmp_path_factory.mktemp("files") / "files"
    made.mkdir()
    make_all(made)
    return made


@pytest.mark.parametrize("name", TARGETS)
def test_the_valid_file_is_read(name: str, folder: Path) -> None:
    code, said = left_with(folder, TARGETS[name])
    assert code == 0, said


@pytest.mark.parametrize("name", TARGETS)
def test_a_damaged_file_is_read_or_refused(name: str, folder: Path) -> None:
    target = TARGETS[name]
    content = one(folder, target.file).read_bytes()
    for number in range(CASES):
        outcome = damaged(folder, name, target.mutate(dice(name, 0, number), content))
        assert not outcome.fault, number
