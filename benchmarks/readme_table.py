"""The README's figures, made again from the committed records: fails where the README differs.

python benchmarks/readme_table.py            # prints the difference and leaves with 1
python benchmarks/readme_table.py --write    # puts the README right

What stands between the two `real-table` marks is written by `readme_real`; what stands between the two `sample-table`
marks is written here in full. A sentence that the records no longer bear out is not written: the script stops and says
which.
"""

from __future__ import annotations

import argparse
import difflib
import math
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from readme_real import real_table

from bench.analysis.compare import ComparedModel, check_comparable, compare_sides, open_side
from bench.metrics.comparisons import mean_and_std

PROJECT = Path(__file__).resolve().parent.parent
MODELS = ("hse", "fse", "mean-pool", "count-only", "random")
TASK, SEEDS = "anet-retrieval", (0, 1, 2)
COLUMNS = ("t2v/R@1", "t2v/R@5", "t2v/R@50", "v2t/R@1", "v2t/R@5", "v2t/R@50")
INTRODUCTION = f"""```sh
bench run {" ".join(f"-m {name}" for name in MODELS)} -t {TASK} --seeds {",".join(map(str, SEEDS))}
```

Generated data, ground-truth segments, 500 videos; mean and standard deviation over three seeds (CPU, one thread):

| model | paragraph → video R@1 | R@5 | R@50 | video → paragraph R@1 | R@5 | R@50 |
|---|---:|---:|---:|---:|---:|---:|
"""


def sides(results: Path) -> dict[str, ComparedModel]:
    """Returns the runs of each model, and stops unless they are whole runs of the sample as the introduction says."""
    found = {}
    for name in MODELS:
        paths = sorted((results / TASK).glob(f"{name}--{TASK}--s*.json"))
        side = open_side([path for path in paths if not path.name.endswith(".check.json")])
        for result in (record.result for record in side.records):
            parts = (result.data.kind, result.status, result.data.n_evaluated, result.provenance.threads)
            if parts != ("generated", "complete", 500, 1) or result.provenance.device != "cpu":
                sys.exit(f"{result.run}: not a whole run on the 500 videos of the sample on one thread of a CPU.")
        if side.seeds != SEEDS or "|segments=gt|" not in side.first.signature:
            sys.exit(f"{name}: seeds {side.seeds}, {side.first.signature}; the README says {SEEDS} and segments=gt.")
        found[name] = side
    return found


def cell(side: ComparedModel, name: str) -> str:
    mean, std = mean_and_std([record.result[name].value for record in side.records])
    return f"{mean:.1f} ± {std:.1f}"


def rows(found: Mapping[str, ComparedModel]) -> str:
    """Returns the rows of the table, the best first."""

    def first(side: ComparedModel) -> float:
        return -mean_and_std([record.result[COLUMNS[0]].value for record in side.records])[0]

    lines = []
    for side in sorted(found.values(), key=first):
        name = f"*{side.name}* (control)" if side.first.model.control else f"`{side.name}`"
        lines.append(f"| {name} | {' | '.join(cell(side, column) for column in COLUMNS)} |\n")
    return "".join(lines)


def differences(
    found: Mapping[str, ComparedModel], a: str, b: str, metrics: Sequence[str], *, ahead: bool
) -> list[str]:
    """Returns A − B in points with its interval, for each metric; stops unless the interval is above 0, or around it.

    Args:
        ahead: what the README says: that A is ahead, or that neither is surely ahead.
    """
    check_comparable(found[a], found[b], across=False)
    said = []
    for compared in compare_sides(found[a], found[b], metrics):
        gap, (low, high) = compared.comparison.difference, compared.comparison.ci95 or (-math.inf, math.inf)
        if not (low > 0 if ahead else low <= 0 <= high):
            claim = f"{a} is ahead of {b}" if ahead else f"neither {a} nor {b} is surely ahead"
            sys.exit(
                f"the README says that {claim} in {compared.metric}; by the records the difference is "
                f"{gap:.1f} ({low:.1f} to {high:.1f}). Write another sentence, here in comparison()."
            )
        said.append(f"{gap:.1f} ({low:.1f} to {high:.1f})")
    return said


def comparison(found: Mapping[str, ComparedModel]) -> str:
    """Returns the paragraph below the table."""
    both = ("t2v/R@1", "v2t/R@1")
    flat = differences(found, "hse", "fse", both, ahead=True)
    control = differences(found, "hse", "mean-pool", both, ahead=True)
    below = differences(found, "mean-pool", "fse", both, ahead=True)
    differences(found, "hse", "mean-pool", ("t2v/R@5", "v2t/R@5"), ahead=False)
    gap, _, interval = flat[0].partition(" (")
    text = (
        f"`bench compare 'runs/hse--*' 'runs/fse--*'` says: HSE is ahead of FSE by {gap} points (95 % interval "
        f"{interval} in paragraph → video R@1 and {flat[1]} in video → paragraph, seeds pooled. Ahead of `mean-pool`, "
        f"which throws order and time away, it is by {control[0]} and {control[1]}; at R@5 neither is surely ahead. "
        f"`mean-pool` is ahead of FSE by {below[0]} and {below[1]}.\n"
    )
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) + "\n"


def sample(results: Path) -> str:
    """Returns what stands between the marks of the sample's table."""
    found = sides(results)
    return INTRODUCTION + rows(found) + "\n" + comparison(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readme", type=Path, default=PROJECT / "README.md")
    parser.add_argument("--results", type=Path, default=PROJECT / "leaderboards" / "results")
    parser.add_argument("--write", action="store_true", help="put the README right")
    chosen = parser.parse_args()
    stands = chosen.readme.read_text(encoding="utf-8")
    due = stands
    for name, made in (("real-table", real_table), ("sample-table", sample)):
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
        if due.count(begin) != 1 or due.count(end) != 1:
            sys.exit(f"{chosen.readme}: expected one {begin.strip()} and one {end.strip()}.")
        before, _, rest = due.partition(begin)
        due = before + begin + made(chosen.results) + end + rest.partition(end)[2]
    if chosen.write:
        chosen.readme.write_text(due, encoding="utf-8")
    elif stands != due:
        lines = (text.splitlines(keepends=True) for text in (stands, due))
        sys.stdout.writelines(difflib.unified_diff(*lines, str(chosen.readme), "the records"))
        sys.exit("the README's tables are not what the records give: python benchmarks/readme_table.py --write")


if __name__ == "__main__":
    main()
