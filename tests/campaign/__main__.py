"""The campaign: every kind of trouble by the hundred, with figures. `python tests/campaign --help`.

Each phase writes a journal into build/campaign, goes on where it was stopped, and keeps what failed with the command
that repeats it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

import conftest  # noqa: E402, F401 (threads, and no network)
from journal import Journal  # noqa: E402
from phases import Phase, dice, tried  # noqa: E402
from working import carry_out  # noqa: E402

FOLDER = TESTS.parent / "build" / "campaign"


def main() -> int:
    """Runs phases, or one attempt; returns 1 where a fault was found."""
    from all_phases import PHASES

    parser = argparse.ArgumentParser(prog="python tests/campaign", description=__doc__)
    parser.add_argument("phases", nargs="*", metavar="PHASE", help=f"all without any: {', '.join(PHASES)}")
    parser.add_argument("--seed", type=int, default=1, help="other dice (default: 1)")
    parser.add_argument("--size", type=int, help="hits of each phase (default: those of the table)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop then; the same command goes on")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="make one attempt, and print what came of it")
    parser.add_argument("--write", action="store_true", help="write the figures so far into docs/reliability.md")
    asked = parser.parse_args()
    if unknown := set(asked.phases) - set(PHASES):
        parser.error(f"no phase {', '.join(sorted(unknown))}; there are {', '.join(PHASES)}")
    if asked.write:
        from figures import write

        journals = [journal for path in FOLDER.glob("*.jsonl") if (journal := Journal.read(path)) and journal.lines]
        write(journals, PHASES)
        return 0
    chosen = [PHASES[name] for name in asked.phases or PHASES]
    if asked.only is not None:
        return only(chosen[0], asked.seed, asked.only)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what a polite kill stops, stops its worker
    deadline = time.monotonic() + 60 * asked.minutes
    journals = [journal for phase in chosen if (journal := one(phase, asked.seed, asked.size or phase.size, deadline))]
    return int(any(journal.faults for journal in journals))


def one(phase: Phase, seed: int, size: int, deadline: float) -> Journal | None:
    """Carries a phase out as far as the time allows, and prints its figures; returns None where it cannot be run."""
    if lacking := phase.lacks():
        print(f"{phase.name}: not run, {lacking}")
        return None
    journal = carry_out(phase, Journal.of(FOLDER, phase.name, seed), size, deadline)
    state = "" if journal.hits >= size else f", of {size:,}: the same command goes on"
    print(", ".join(f"{head} {figure}" for head, figure in journal.figures.items()) + state)
    for number, fault in list(journal.faults.items())[:5]:
        print(f"  {number}: {fault.strip().splitlines()[-1][:300]}")
    sys.stdout.flush()
    return journal


def only(phase: Phase, seed: int, number: int) -> int:
    """Makes one attempt again; returns 1 where it is a fault."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = tried(phase.prepare(Path(folder)), number, dice(phase.name, seed, number))
    print(f"{phase.name} {number}: {outcome.hits} hits, {outcome.fault or 'no fault'}")
    return int(bool(outcome.fault))


if __name__ == "__main__":
    sys.exit(main())
