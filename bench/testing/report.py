"""What the kit found, as records and as Markdown that can be pasted into a pull request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.reading.numbers import number_of

Outcome = Literal["passed", "failed", "skipped"]


class CheckFailed(AssertionError):
    """A promise was not kept; the message says which, and what to do."""


class NotApplicable(Exception):
    """A check has nothing to look at; the message says why."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        subject: what was looked at, such as `model mine`.
        check: what was asked of it.
        outcome: `passed`, `failed` or `skipped`.
        detail: a figure, or why it failed or was skipped, in one line.
    """

    subject: str
    check: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """All findings about one plugin.

    Attributes:
        plugin, distribution: what was checked.
        environment: what it was checked with, `name version`.
    """

    plugin: str
    distribution: str
    environment: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that failed."""
        return tuple(finding for finding in self.findings if finding.outcome == "failed")

    def markdown(self) -> str:
        """Returns the report as a Markdown table with a head line."""
        counts = {o: sum(f.outcome == o for f in self.findings) for o in ("passed", "failed", "skipped")}
        lines = [
            f"### Plugin `{self.plugin}` ({self.distribution}): "
            + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()),
            "",
            f"Checked by `bench plugin check` with {', '.join(self.environment)}.",
            "",
            "| subject | check | outcome | detail |",
            "|---|---|---|---|",
        ]
        for finding in self.findings:
            cells = (finding.subject, finding.check, finding.outcome, finding.detail)
            lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
        return "\n".join(lines) + "\n"

    def require(self) -> None:
        """Raises CheckFailed naming every check that failed."""
        if self.failed:
            told = "; ".join(f"{f.subject}: {f.check}: {f.detail}" for f in self.failed)
            raise CheckFailed(f"plugin {self.plugin!r} failed {number_of(len(self.failed), 'check')}: {told}")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
