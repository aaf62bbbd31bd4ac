"""An extra is declared once, has a group with exact releases, and its tests skip by its name where it is absent."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from extras import PROJECT, constraints, extras, groups, missing, requirements
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def test_every_extra_is_in_one_group_and_every_group_has_exact_releases() -> None:
    grouped = [extra for names in groups().values() for extra in names]
    assert sorted(grouped) == sorted(extras())
    assert {path.stem for path in PROJECT.glob("constraints/*.txt")} == set(groups())
    for group, names in groups().items():
        lines = [line for line in constraints(group).read_text().splitlines() if line and not line.startswith("#")]
        pinned = {canonicalize_name(line.partition("==")[0]) for line in lines}
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
        assert {canonicalize_name(Requirement(r).name) for extra in names for r in requirements(extra)} <= pinned


def test_an_extra_is_missing_until_all_it_requires_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "extras.requirements", lambda _: ["pytest>=1", "pytest<1", "no-such-thing", "x; python_version<'3'"]
    )
    assert missing("any") == ["pytest<1", "no-such-thing"]
    monkeypatch.undo()
    with pytest.raises(KeyError, match="of-no-such-name"):
        missing("of-no-such-name")


def file_of(extra: str) -> str:
    """Returns a test file all of which needs an extra."""
    marked = f'pytestmark = pytest.mark.extra("{extra}")'
    found = (path for path in sorted(PROJECT.glob("tests/**/test_*.py")) if marked in path.read_text(encoding="utf-8"))
    return str(next(found, f"no test file with {marked}"))


def pytest_on(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def where_they_are_absent() -> tuple[subprocess.CompletedProcess[str], subprocess.CompletedProcess[str]]:
    """Returns two runs of a file of every extra that is absent here: as usual, and as in an environment of them."""
    absent = [extra for extra in sorted(extras()) if missing(extra)]
    paths = sorted({file_of(extra) for extra in absent})
    return pytest_on(*paths), pytest_on(*paths, f"--extras={','.join(absent)}")


@pytest.mark.parametrize("extra", sorted(extras()))
def test_where_an_extra_is_absent_its_tests_skip_by_its_name_and_fail_where_it_should_be(
    extra: str, request: pytest.FixtureRequest
) -> None:
    if not missing(extra):
        pytest.skip(f"the extra {extra!r} is installed here")
    usual, asked = request.getfixturevalue("where_they_are_absent")
    assert usual.returncode == 0
    assert f"needs the extra '{extra}': pip install 'vtbench[{extra}]'" in usual.stdout
    assert "passed" not in usual.stdout
    assert asked.returncode == 1
    assert f"the environment of the extra '{extra}' lacks {requirements(extra)[0]}" in asked.stdout
    assert "passed" not in asked.stdout


def test_with_an_extra_chosen_all_other_tests_are_deselected_and_the_header_says_so() -> None:
    done = pytest_on("tests/test_findings.py", "--extras=peers", "-v")
    assert done.returncode == 5  # nothing is left
    assert "extras: only tests marked `extra` are selected, of peers" in done.stdout
    assert "selected" in done.stdout.splitlines()[-1]
    assert "passed" not in done.stdout


def test_ci_checks_tests_and_tests_the_extras_and_none_of_it_runs_a_campaign() -> None:
    lines = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("make ")] == ["make check", "make test", "make test-extras"]
    assert not [line for line in lines if "campaign" in line or "test-again" in line]
