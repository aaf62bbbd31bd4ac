"""<Tab> completes models, tasks, test sets and settings, asked of a real bash, and loads nothing heavy for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BASH = shutil.which("bash")
HEAVY = {"torch", "numpy", "pydantic", "pandas", "datasets", "h5py", "matplotlib", "sklearn", "jinja2", "rich"}

pytestmark = pytest.mark.skipif(BASH is None, reason="needs bash")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with the command `bench` in bin/ and the script that its documents have a shell load."""
    folder = tmp_path_factory.mktemp("shell")
    command = folder / "bin" / "bench"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bench "$@"\n')
    command.chmod(0o755)
    script = in_bash(folder, 'eval "$(_BENCH_COMPLETE=bash_source bench)" && complete -p bench')
    assert script == ["complete -o nosort -F _bench_completion bench"]
    return folder


def in_bash(folder: Path, program: str) -> list[str]:
    """Returns the lines that a program prints in bash, with our command first on its path."""
    environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    assert BASH is not None
    done = subprocess.run(
        [BASH, "--norc", "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.splitlines()


def completed(folder: Path, *words: str) -> list[str]:
    """Returns what bash would offer for the last of `words`, which are as it takes a line apart: at ':' and '=' too."""
    offered = "printf '%s\\n' \"${COMPREPLY[@]}\""
    quoted = " ".join(f"'{word}'" for word in words)
    return in_bash(
        folder,
        'compopt() { :; }; eval "$(_BENCH_COMPLETE=bash_source bench)"; '
        f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _bench_completion bench; {offered}",
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("bench", "re"), ["rescore", "reproduce", "rerun"]),
        (("bench", "list", "mo"), ["models"]),
        (("bench", "run", "-m", "hs"), ["hse", "hse-captioner"]),
        (("bench", "run", "--model", "=", "hs"), ["hse", "hse-captioner"]),
        (("bench", "run", "-m", "hse", "-t", "anet-retrieval-i"), ["anet-retrieval-incomplete"]),
        (("bench", "run", "-m", "hse", "-t", "anet-captioning", ":", "pro"), ["protocol="]),
        (("bench", "run", "-m", "hse", "-t", "anet-captioning", ":", "protocol", "=", "d"), ["densevid"]),
        (("bench", "run", "-m", "hse", "--set", "hid"), ["hidden="]),
        (("bench", "run", "-m", "hse", "--set", "=", "hid"), ["hidden="]),
        (("bench", "run", "-m", "hse", "--set", "hse.hid"), ["hse.hidden="]),
        (("bench", "run", "-m", "s2vt", "--set", "score", "="), ["embedding", "likelihood", "captioning"]),
        (("bench", "run", "-m", "s2vt", "--set", "score", "=", "like"), ["likelihood"]),
        (("bench", "diagnose", "hse", "--set", "hid"), ["hidden="]),
        (("bench", "info", "msrvtt", ":", "1k"), ["1k-A", "1k-B"]),
        (("bench", "info", "did"), ["didemo", "didemo-"]),
        (("bench", "data", "verify", "an"), ["anet"]),
        (("bench", "reproduce", "hse2018", "table1"), ["table1"]),
        (("bench", "run", "-m", "no-such"), [""]),
        (("bench", "run", "-m", "no-such", "--set", "x"), [""]),
    ],
)
def test_a_real_bash_completes(shell: Path, words: tuple[str, ...], expected: list[str]) -> None:
    found = completed(shell, *words)
    if expected[-1].endswith("-"):
        assert [name for name in expected[:-1] if name in found]
        assert len(found) > 1
        assert all(name.startswith(expected[-2]) for name in found)
    else:
        assert found == expected


def test_a_wrong_bench_yaml_completes_nothing_and_says_nothing(shell: Path) -> None:
    (shell / "bench.yaml").write_text("version: 7\n")
    try:
        assert completed(shell, "bench", "run", "-m", "hs") == [""]
    finally:
        (shell / "bench.yaml").unlink()


@pytest.mark.parametrize("line", ["run -m ", "run -m hse -t anet-captioning:", "run -m hse --set ", "info ", ""])
def test_completing_loads_nothing_heavy(tmp_path: Path, line: str) -> None:
    program = (
        "import sys, json\nfrom bench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as left:\n    assert not left.code\n"
        "json.dump(sorted({n.split('.')[0] for n in sys.modules}), open('modules.json', 'w'))"
    )
    words = f"bench {line}"
    asked = {"_BENCH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") > 2
    assert not HEAVY & set(json.loads((tmp_path / "modules.json").read_text()))
