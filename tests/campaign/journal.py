"""What a phase has done so far, a line for each attempt, so that it goes on where it was stopped; and its figures."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phases import Outcome

PROJECT = Path(__file__).resolve().parents[2]


def commit() -> str:
    """Returns the first digits of the commit, with `+` where files under version control were changed since."""
    told = [_git("rev-parse", "--short=9", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")]
    return told[0] + "+" * bool(told[1])


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()


@dataclass
class Journal:
    """The attempts of one phase with one seed at one commit.

    Attributes:
        told: phase, seed, commit and date.
        lines: one for each attempt: its hits, fault, seconds of the processor, and how busy the machine was.
    """

    path: Path
    told: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, phase: str, seed: int) -> Journal:
        """Returns the journal that goes on, or a new one where seed or commit have changed."""
        told = {"phase": phase, "seed": seed, "commit": commit()}
        path = folder / f"{phase}.jsonl"
        (folder / "before").mkdir(parents=True, exist_ok=True)
        if (old := cls.read(path)) and {name: old.told[name] for name in told} == told:
            return old
        if old:  # of another seed or commit: it is put aside, not lost
            path.replace(folder / "before" / f"{phase}-{old.told['seed']}-{old.told['commit']}.jsonl")
        new = cls(path, {**told, "date": time.strftime("%Y-%m-%d", time.gmtime())})
        path.write_text(json.dumps(new.told) + "\n")
        return new

    @classmethod
    def read(cls, path: Path) -> Journal | None:
        """Returns a journal from its file, or None where there is none; a line that a kill cut short counts as none."""
        if not path.exists():
            return None
        whole = path.read_text().rpartition("\n")[0].splitlines()
        return cls(path, json.loads(whole[0]), [json.loads(line) for line in whole[1:]]) if whole else None

    def add(self, outcome: Outcome, cpu: float) -> None:
        line = {"hits": outcome.hits, "fault": outcome.fault, "cpu": round(cpu, 3), "load": os.getloadavg()[0]}
        self.lines.append(line)
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    @property
    def hits(self) -> int:
        return sum(line["hits"] for line in self.lines)

    @property
    def faults(self) -> dict[int, str]:
        return {number: line["fault"] for number, line in enumerate(self.lines) if line["fault"]}

    @property
    def figures(self) -> dict[str, str]:
        """Returns the figures of the phase as a row of the table, by the table's heads."""
        load = sum(line["load"] for line in self.lines) / max(1, len(self.lines))
        return {
            "phase": self.told["phase"],
            "attempts": f"{len(self.lines):,}",
            "hits": f"{self.hits:,}",
            "faults": f"{len(self.faults):,}",
            "CPU s": f"{sum(line['cpu'] for line in self.lines):,.0f}",
            "load": f"{load:.1f}",
            "seed": str(self.told["seed"]),
            "date": self.told["date"],
            "commit": self.told["commit"],
        }
