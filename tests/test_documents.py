"""Documents and committed text agree with the code: every command they show exists, no path of one machine is named."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest

from bench.cli import bench

PROJECT = Path(__file__).resolve().parent.parent


def committed() -> list[Path]:
    """Returns the files under version control; skips the test in an unpacked source distribution."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("needs a git checkout")
    return [PROJECT / name for name in listing.stdout.split("\0") if name and (PROJECT / name).is_file()]


def test_no_committed_text_names_a_path_of_one_machine() -> None:
    place = re.compile(r"(?<![\w.$}~])/(?:" + "|".join(["work", "tmp", "root", "home"]) + r")/[\w.-]")
    for path in committed():
        if b"\0" in (content := path.read_bytes()):
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            assert not place.search(line), f"{path.relative_to(PROJECT)}:{number}: {line.strip()}"


def shell_lines(document: str) -> list[list[str]]:
    """Returns the words of every line of the fenced blocks marked `sh`, `bash` or `console`; comments are dropped."""
    text = (PROJECT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line.removeprefix("$ "), comments=True))]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/leaderboards.md"])
def test_commands_in_a_document_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for words in shell_lines(document):
        if words[0] == "make":
            asked = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
            assert set(asked) <= targets, f"{document}: {' '.join(words)}"
        elif words[0].endswith("bench"):
            check_command(words[1:], f"{document}: {' '.join(words)}")


def check_command(words: list[str], shown: str) -> None:
    """Asserts that the command line has these subcommands and flags."""
    command: click.Command = bench
    flags = set(flags_of(command))
    while words and isinstance(command, click.Group):
        word, *words = words
        if not word.startswith("-"):
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"{shown}: no command {word!r}"
            command = found
            flags |= set(flags_of(command))
    for word in words:
        if word.startswith("-") and len(word) > 1:
            assert word.split("=")[0] in flags, f"{shown}: no flag {word!r}"


def flags_of(command: object) -> list[str]:
    """Returns the flags of a command, with click's own --help."""
    return ["--help", *[flag for parameter in command.params for flag in [*parameter.opts, *parameter.secondary_opts]]]


@pytest.mark.parametrize(
    "document",
    ["README.md", "docs/features.md", "docs/thumos14.md", "examples/conse/README.md"],
)
def test_what_stands_in_a_document_is_a_bench_yaml(document: str, bench_command: Any) -> None:
    """Each block can be copied as it is."""
    blocks = re.findall(
        r"^```yaml\n(.*?)^```", (PROJECT / document).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert blocks
    for block in blocks:
        (bench_command.folder / "bench.yaml").write_text(block, encoding="utf-8")
        bench_command("list", "features")
