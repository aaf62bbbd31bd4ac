"""`--claims` of the commands below `bench score`: what others say, beside what is measured here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from bench.cli.saying import echo
from bench.errors import VerificationError
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.results import Measurement
    from bench.scoring.claims import Claimed, Verdict


def parse(_: click.Context, __: click.Parameter, text: str | None) -> tuple[Claimed, ...]:
    """Returns the claims that the flag names; none without it."""
    from bench.scoring.claims import parse_claims

    return parse_claims(text) if text is not None else ()


def verdicts(claims: tuple[Claimed, ...], measurements: Iterable[Measurement]) -> tuple[Verdict, ...]:
    """Returns what becomes of each claim. Raises: UsageError for one about something that was not measured."""
    from bench.scoring.claims import compared

    return compared(claims, {measurement.name: measurement for measurement in measurements})


def as_json(judged: Sequence[Verdict]) -> dict[str, Any]:
    """Returns what JSON says of claims; nothing where there are none."""
    rows = [
        {
            "name": one.claim.name,
            "claimed": one.claim.text,
            "within": list(one.claim.bounds),
            "value": one.value,
            "agrees": one.agrees,
            "says": one.says,
        }
        for one in judged
    ]
    return {"claims": rows} if rows else {}


def print_verdicts(judged: Sequence[Verdict]) -> None:
    """Prints a row for each claim; nothing where there are none."""
    from bench.cli.tables import print_table

    if judged:
        echo()
        rows = [[one.claim.name, one.claim.text, f"{one.value:.4f}", one.says] for one in judged]
        print_table(["claim", "stated", "here", ""], rows)


def check(judged: Sequence[Verdict]) -> None:
    """Raises VerificationError, exit code 6, where a claim does not hold."""
    wrong = [f"{one.claim.name} is {one.value:.4f}, not {one.claim.text}" for one in judged if not one.agrees]
    if wrong:
        what = f"{len(wrong)} of {number_of(len(judged), 'claim')} {'does' if len(wrong) == 1 else 'do'} not hold"
        raise VerificationError(f"{what}: {'; '.join(wrong)}. Look above for what may explain it.")
