"""Every finding has the form of findings/README.md, and no check depends on one: they need a network."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
FINDINGS = sorted(path for path in PROJECT.glob("findings/*") if path.name != "README.md")
FIELDS = ("Finding", "Versions", "Expected", "Behaviour", "Seen")
NEEDED = {
    "stops at the first error": r"^set -euo pipefail$",
    "a temporary folder": r"\bmktemp -d\b",
    "that folder is removed": r"^trap .*EXIT",
}
FORBIDDEN = {
    "bench": r"(?m)^\s*(?:import|from) bench\b|-m bench\b|\bvtbench\b",
    "an address": r"https?://",
    "a path of a machine": r"(?<![\w.$}])/(?:work|home|root|Users|mnt)/",
}


def faults(name: str, text: str) -> list[str]:
    """Returns what is missing from the text of a finding, and what may not be in it."""
    header = "".join(line for line in text.splitlines(keepends=True)[: text.count("\n")] if line.startswith("#"))
    places = [re.search(rf"(?m)^# {field}: \S", header) for field in FIELDS]
    starts = [place.start() for place in places if place]
    pinned = re.findall(r"(?m)^[^#\n]*\binstall\b(.*(?:\\\n.*)*)", text)
    found = [f"no line '# {field}: …'" for field, place in zip(FIELDS, places, strict=True) if not place]
    found += ["the fields are out of order"] if starts != sorted(starts) else []
    found += [f"needed: {what}" for what, pattern in NEEDED.items() if not re.search(f"(?m){pattern}", text)]
    found += [f"forbidden: {what}" for what, pattern in FORBIDDEN.items() if re.search(pattern, text)]
    found += [] if re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*\.sh", name) else ["the name is not words-and-hyphens.sh"]
    found += [] if all("==" in packages or " -r" in packages for packages in pinned) else ["a package is not pinned"]
    return found


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: path.name)
def test_a_finding_has_the_form_that_the_readme_asks_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n# Finding: ")
    assert os.access(path, os.X_OK), "chmod +x"
    assert faults(path.name, text) == []


def test_the_form_of_the_readme_is_the_one_that_is_checked() -> None:
    readme = (PROJECT / "findings" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^\s*# (\w+): ", readme) == list(FIELDS)


def test_the_check_of_the_form_sees_what_is_wrong() -> None:
    good = "#!/usr/bin/env bash\n# Finding: a\n# Versions: b 1\n# Expected: c\n# Behaviour: d\n# Seen: e\n"
    good += "set -euo pipefail\nfolder=$(mktemp -d)\ntrap 'rm -r \"$folder\"' EXIT\n"
    good += "\"$folder/bin/pip\" install --quiet 'b==1'\n"
    assert faults("a-b.sh", good) == []
    assert faults("a-b.sh", good.replace("# Seen: e\n", "")) == ["no line '# Seen: …'"]
    assert faults("a-b.sh", good.replace("b==1", "b")) == ["a package is not pinned"]
    assert faults("a-b.sh", good + "python -c 'import os'\nimport bench\n") == ["forbidden: bench"]
    assert faults("a-b.sh", good + "cd /{}/me\n".format("home")) == ["forbidden: a path of a machine"]
    assert faults("A b.sh", good) == ["the name is not words-and-hyphens.sh"]


def test_no_check_runs_a_finding() -> None:
    for name in (".ci/run", "Makefile", ".github/workflows/ci.yml"):
        commands = [line.split("#")[0] for line in (PROJECT / name).read_text(encoding="utf-8").splitlines()]
        assert not [line for line in commands if "findings" in line], name
