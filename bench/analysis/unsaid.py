"""What records say that a form they are exported to has no place for: only what these records have and that form loses.

`HOLDS` is all that is known of a form here. A form that is added says there what it holds, and everything else is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.evidence.verified import Verified
from bench.leaderboard.checks import least, read_check
from bench.reading.numbers import number_of
from bench.results import Result, spent_by

Records = Sequence[Verified]


@dataclass(frozen=True)
class Statement:
    """A kind of thing that records say.

    Attributes:
        name: what it is, in the table of the documentation.
        of: returns what the records of one signature say of it, in words; "" where they say nothing.
    """

    name: str
    of: Callable[[Records], str]


def _result(same: Records) -> Result:
    return same[0].result


def _listed(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _others(same: Records) -> str:
    names = [one.name for one in _result(same).measurements if one.name != _result(same).primary]
    return f"measurements beside {_result(same).primary}: {_listed(names)}" if names else ""


def _intervals(same: Records) -> str:
    count = sum(one.ci95 is not None for one in _result(same).measurements)
    return f"95 % intervals of {number_of(count, 'measurement')}" if count and len(same) == 1 else ""


def _of_seeds(same: Records) -> str:
    seeds = ", ".join(str(record.result.seed) for record in same)
    return f"values and 95 % intervals of the seeds {seeds}, one by one" if len(same) > 1 else ""


def _directions(same: Records) -> str:
    ways = dict.fromkeys(one.name.partition("/")[0] for one in _result(same).measurements)
    return "both directions as one result, of one model and one signature" if {"t2v", "v2t"} <= set(ways) else ""


def _less_is_better(same: Records) -> str:
    names = [one.name for one in _result(same).measurements if one.higher_is_better is False]
    return f"that less is better: {_listed(names)}" if names else ""


def _no_direction(same: Records) -> str:
    names = [one.name for one in _result(same).measurements if one.higher_is_better is None]
    return f"that neither more nor less is better: {_listed(names)}" if names else ""


def _ties(same: Records) -> str:
    evidence, told = same[0].evidence, []
    for way in evidence.n_items if evidence.kind == "ranks" else ():
        tied, count = int(np.count_nonzero(evidence.counts[way][:, 1])), len(evidence.counts[way])
        told += [f"{tied:,} of {count:,} {way}"] if tied else []
    return f"queries whose right answer ties with others, and how ties count: {', '.join(told)}" if told else ""


def _missing(same: Records) -> str:
    missing = _result(same).data.missing
    count = missing.videos.get(_result(same).task.split, 0) if missing else 0
    done = "count as never found" if missing and missing.policy == "penalise" else "were left out"
    return (
        f"that {count:,} of {number_of(_result(same).data.n_expected, 'video')} have no features and {done}"
        if count
        else ""
    )


def _bounds(same: Records) -> str:
    names = [one.name for one in _result(same).measurements if one.bounds is not None]
    return f"between which bounds they lie with the missing videos: {_listed(names)}" if names else ""


def _kind(same: Records) -> str:
    data = _result(same).data
    return "" if data.kind == "real" else f"that the data are {data.kind}"


def _remarks(same: Records) -> str:
    remarks = list(dict.fromkeys(remark for record in same for remark in record.result.data.remarks))
    return f"remarks: {'; '.join(remarks[:2])}{f'; {len(remarks) - 2} more' if len(remarks) > 2 else ''}" * bool(
        remarks
    )


def _control(same: Records) -> str:
    return "that the model is a control, which no board ranks as a contestant" if _result(same).model.control else ""


def _settings(same: Records) -> str:
    names = list(_result(same).model.settings)
    return f"settings of the model: {_listed(names)}" if names else ""


def _evidence(same: Records) -> str:
    return "evidence, so nobody can compute the numbers again or test them against another model's"


def _predictions(same: Records) -> str:
    return "predictions, so nobody can score them again" if _result(same).predictions else ""


def _trust(same: Records) -> str:
    statuses = [check.status for record in same if (check := read_check(record.path, record.result)) is not None]
    return f"what was done to trust them: {least(statuses)}" if len(statuses) == len(same) else ""


def _columns(same: Records) -> str:
    names = [one.name for one in _result(same).columns]
    return f"figures of plugins: {_listed(names)}" if names else ""


def _spent(same: Records) -> str:
    names = list(spent_by(_result(same).provenance))
    return f"what a run took: {_listed(names, 9)}" if names else ""


STATEMENTS = (
    Statement("measurements beside the primary one", _others),
    Statement("95 % intervals", _intervals),
    Statement("seeds one by one", _of_seeds),
    Statement("both directions as one result", _directions),
    Statement("that less is better of a rank", _less_is_better),
    Statement("that neither way is better", _no_direction),
    Statement("ties", _ties),
    Statement("lost videos", _missing),
    Statement("bounds with lost videos", _bounds),
    Statement("protocol (signature)", lambda same: f"the protocol: {_result(same).signature}"),
    Statement("that data are generated or simulated", _kind),
    Statement("remarks", _remarks),
    Statement("that a model is a control", _control),
    Statement("settings of the model", _settings),
    Statement("evidence", _evidence),
    Statement("predictions", _predictions),
    Statement("what was done to trust it", _trust),
    Statement("figures of plugins", _columns),
    Statement("what a run took", _spent),
)
HOLDS: Mapping[str, frozenset[str]] = {
    "model-index": frozenset(
        {
            "measurements beside the primary one",
            "95 % intervals",
            "both directions as one result",
            "protocol (signature)",
            "that data are generated or simulated",
        }
    ),
    "eval-results": frozenset(
        {
            "95 % intervals",
            "protocol (signature)",
            "that data are generated or simulated",
            "what was done to trust it",
        }
    ),
    "dataset": frozenset(statement.name for statement in STATEMENTS),
    "mteb": frozenset(
        {
            "measurements beside the primary one",
            "protocol (signature)",
            "that data are generated or simulated",
            "settings of the model",
        }
    ),
}
"""Form -> the statements that it holds, be it in words."""


def unsaid(form: str, same: Records) -> list[str]:
    """Returns what records of one signature say and a form of `HOLDS` loses, a line each."""
    lost = [statement.of(same) for statement in STATEMENTS if statement.name not in HOLDS[form]]
    return [line for line in lost if line]


def table() -> str:
    """Returns the table of the documentation: statements by forms."""
    lines = [f"| | {' | '.join(f'`{form}`' for form in HOLDS)} |", f"|---|{'---|' * len(HOLDS)}"]
    for statement in STATEMENTS:
        cells = ["yes" if statement.name in holds else "–" for holds in HOLDS.values()]
        lines.append(f"| {statement.name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
