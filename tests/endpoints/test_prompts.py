"""Prompts are files that say their name and version; what is filled in is never read as a place."""

import pytest

from bench.endpoints import read_prompt
from bench.errors import InvalidData


def write(tmp_path, text):
    path = tmp_path / "prompt.txt"
    path.write_text(text)
    return path


def test_a_prompt_says_its_name_its_version_and_its_digest(tmp_path):
    one = read_prompt(write(tmp_path, "# prompt pair version 2\nDoes it show: {text}?\n"), "text")
    other = read_prompt(write(tmp_path, "# prompt pair version 2\nDoes it show {text}?\n"), "text")

    assert (one.name, one.version) == ("pair", 2)
    assert one.filled(text="a {text} of {it}") == "Does it show: a {text} of {it}?"
    assert one.sha256 != other.sha256
    assert one.words.startswith("pair-2:")


@pytest.mark.parametrize(
    "text",
    [
        "Does it show {text}?",
        "# prompt pair version 0\n{text}",
        "# prompt Pair version 1\n{text}",
        "# prompt pair version 1\n",
        "# prompt pair version 1\nno place",
        "# prompt pair version 1\n{text} {other}",
    ],
)
def test_a_file_that_is_no_prompt_or_has_other_places_is_refused(tmp_path, text):
    with pytest.raises(InvalidData, match="prompt"):
        read_prompt(write(tmp_path, text), "text")
