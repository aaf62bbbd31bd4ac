"""Extras and their tests: `make test-extras` makes an environment for each group of them and runs its tests there.

Groups stand in pyproject.toml, `[tool.vtbench.extras]`: extras that resolve together share one. The environment of a
group lies in .venv-extras/GROUP. It borrows every package of .venv and holds only what its extras add, or need at
another release, as constraints/GROUP.txt says: torch is not fetched twice.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import sysconfig
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parent.parent
NO_GROUP = frozenset({"dev"})
"""Extras that every environment of a developer has."""


@cache
def _declared() -> dict[str, dict[str, list[str]]]:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        "extras": settings["project"]["optional-dependencies"],
        "groups": settings.get("tool", {}).get("vtbench", {}).get("extras", {}),
    }


def requirements(extra: str) -> list[str]:
    """Returns what an extra installs. Raises: KeyError for one that pyproject.toml does not declare."""
    return _declared()["extras"][extra]


def extras() -> set[str]:
    """Returns the extras that have tests of their own."""
    return set(_declared()["extras"]) - NO_GROUP


def groups() -> dict[str, list[str]]:
    """Returns the extras of each group."""
    return _declared()["groups"]


def constraints(group: str) -> Path:
    """Returns the file of the exact releases of a group."""
    return PROJECT / "constraints" / f"{group}.txt"


def missing(extra: str) -> list[str]:
    """Returns the requirements of an extra that this environment does not meet."""
    return [text for text in requirements(extra) if not _is_met(Requirement(text))]


def _is_met(requirement: Requirement) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def environment(group: str) -> Path:
    """Returns the python of a group's environment, made anew when anything that it is made from has changed."""
    folder = PROJECT / ".venv-extras" / group
    python, stamp = folder / "bin" / "python", folder / "made-from"
    sources = (PROJECT / "pyproject.toml", PROJECT / "constraints.txt", constraints(group))
    made_from = hashlib.sha256(b"".join([sys.version.encode(), *(path.read_bytes() for path in sources)])).hexdigest()
    if stamp.is_file() and stamp.read_text() == made_from:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    lent = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (site / "lent.pth").write_text("\n".join([*lent, str(PROJECT), str(PROJECT / "plugins")]) + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    wanted = [text for extra in groups()[group] for text in requirements(extra)]
    subprocess.run([*pip, "-c", str(constraints(group)), *wanted], check=True)
    stamp.write_text(made_from)
    return python


def _marked() -> list[str]:
    """Returns the test files in which a test is marked `extra`: to collect the others would take a minute."""
    files = sorted(PROJECT.glob("tests/**/test_*.py"))
    return [str(path) for path in files if "pytest.mark.extra(" in path.read_text(encoding="utf-8")]


def main(arguments: list[str]) -> int:
    """Runs the tests of every group in its environment; `arguments` are pytest's. Returns the first exit code not 0.

    `--environment GROUP` only makes an environment and prints its python.
    """
    if arguments[:1] == ["--environment"]:
        sys.stdout.write(f"{environment(arguments[1])}\n")
        return 0
    codes = []
    for group, names in groups().items():
        sys.stdout.write(f"extras {', '.join(names)}: the environment .venv-extras/{group}\n")
        sys.stdout.flush()
        command = [str(environment(group)), "-m", "pytest", f"--extras={','.join(names)}", *arguments, *_marked()]
        codes.append(subprocess.run(command, cwd=PROJECT, check=False).returncode)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
