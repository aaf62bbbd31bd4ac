"""What our board said before the core was opened (commit 2aa69c3), it says today: values, intervals, tiers.

`tests/golden/records.json` holds what stood on the board then. Every record is read with its evidence and measured
again; the rows are those of the committed tables, which `bench leaderboard check` keeps up to date. What changed on
purpose is named below. The file was made by `python tests/leaderboard/test_unchanged_numbers.py LEADERBOARD`, the
folder of that commit.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bench.evidence.verification import measured
from bench.evidence.verified import read_record
from bench.results import Result, same_value

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "records.json"
LEADERBOARD = ROOT / "leaderboards"

LOSS_6 = "HSE was trained again with loss_6, which it had left out where segments are no sentences"
ONCE = "captioners on a frozen base read each video once in a fit: other last bits, and so other fits (revision 2)"
REPEATED = "was run again when features got a digest of all their rows; the probe's fit moved in the last digits"
WHOLE = "DVC learns from what it says: descriptiveness regressed on its score, self-critical epochs (revision 2)"
PROCESSOR = (
    "trained on another processor, whose other last bits grow over 200 epochs on 40 videos: on one machine the commit "
    "of then and today's release write the same captions"
)
CHANGED = {
    **{f"hse--anet-retrieval-segments-uniform-{k}--s{seed}": LOSS_6 for k in (3, 4) for seed in range(3)},
    "hse--msvd-retrieval--s0": LOSS_6,
    "features--thumos14-linear-probe--s0": REPEATED,
    **{f"{model}--anet-captioning--s{seed}": ONCE for model in ("fse-captioner", "hse-captioner") for seed in range(3)},
    **{f"dvc--anet-captioning--s{seed}": WHOLE for seed in range(3)},
    "s2vt--msvd-captioning--s0": PROCESSOR,
}
"""Runs whose numbers are others today, without the digest at the end of their names, and why."""


MOVED = {
    "--msvd-retrieval-captions-together--": "--msvd-retrieval--",
    "--msvd-retrieval--": "--msvd-retrieval-captions-each--",
}
"""Tasks whose names mean another test today: what was `msvd-retrieval` asks captions together, and says so."""


def plain(run: str) -> str:
    """Returns the name of a run without the digest of its request, which a new signature changes."""
    return run.rpartition("--")[0]


def then(run: str) -> str:
    """Returns `plain` of a run of today by the names of then."""
    old = next((task for task in MOVED if task in run), None)
    return plain(run.replace(old, MOVED[old]) if old else run)


def question(signature: str) -> str:
    """Returns a table's signature without what was reworded since: `text` and `level` came, features' digests cover
    all rows."""
    head, *parts = signature.split("|")
    return "|".join(
        [head.split("/")[0], *(part for part in parts if not part.startswith(("text=", "level=", "features=")))]
    )


def numbers_of(measurement: Any) -> list[Any]:
    return [measurement["value"], *(measurement["ci95"] or (None, None)), measurement["n"]]


def record_files(leaderboard: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted((leaderboard / "results").rglob("*.json")):
        said = json.loads(path.read_bytes())
        if said.get("schema") == "bench-result/1":
            yield path, said


def records_of(leaderboard: Path) -> dict[str, dict[str, list[Any]]]:
    """Returns run -> measurement -> value, low and high end of its interval, n."""
    return {
        said["run"]: {one["name"]: numbers_of(one) for one in said["measurements"]}
        for _, said in record_files(leaderboard)
    }


def tables_of(leaderboard: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Returns signature -> runs of a row -> its tier and, by measurement, mean, deviation and interval."""
    tables = {}
    for path in sorted((leaderboard / "tables").glob("*.json")):
        said = json.loads(path.read_bytes())
        tables[said["signature"]] = {
            " ".join(row["runs"]): {
                "tier": row["tier"],
                "values": {
                    name: [one["mean"], one["std"], *(one["ci95"] or (None, None))]
                    for name, one in row["values"].items()
                },
            }
            for row in said["rows"]
            if row["runs"]
        }
    return tables


def same(one: list[Any], other: list[Any]) -> bool:
    """Returns whether all numbers are the same but for their last bits."""
    return len(one) == len(other) and all(
        same_value(a, b) if isinstance(a, float) and isinstance(b, float) else a == b
        for a, b in zip(one, other, strict=True)
    )


GOLD = json.loads(GOLDEN.read_bytes())


@cache
def measured_today() -> dict[str, dict[str, list[Any]]]:
    """Returns run without digest -> measurement -> what follows from its evidence today."""
    gold = {plain(run): numbers for run, numbers in GOLD["records"].items()}
    found = {}
    for path, said in record_files(LEADERBOARD):
        run = then(said["run"])
        numbers = measured(read_record(path).evidence, gold.get(run, ()))
        found[run] = {one.name: numbers_of(one.model_dump()) for one in numbers}
    return found


def test_every_record_is_measured_as_it_was() -> None:
    today = measured_today()
    others = {}
    for run, numbers in GOLD["records"].items():
        now = today.get(plain(run), {})
        others[plain(run)] = [name for name, was in numbers.items() if not same(was, now.get(name, []))]
    assert {run for run, names in others.items() if names} == set(CHANGED), others


@pytest.mark.parametrize("signature", GOLD["tables"])
def test_every_row_of_a_table_says_what_it_said(signature: str) -> None:
    rows: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for said, table in tables_of(LEADERBOARD).items():
        if question(said) == question(signature):
            for runs, row in table.items():
                rows.setdefault(tuple(map(then, runs.split())), []).append(row)
    for runs, was in GOLD["tables"][signature].items():
        names = tuple(map(plain, runs.split()))
        if CHANGED.keys() & set(names):
            continue
        (now, *_) = rows[names]
        assert now["tier"] == was["tier"], runs
        told = {name: numbers for name, numbers in was["values"].items() if not certain(name, signature)}
        others = [name for name, numbers in told.items() if not same(numbers, now["values"].get(name, []))]
        assert not others, (runs, others)
        assert now["values"].keys() == told.keys(), runs


def certain(name: str, signature: str) -> bool:
    """Whether a recall counts all of a pool of one text for each video: a dash today, as every model has 100."""
    recall, pool = re.search(r"/R@(\d+)$", name), re.search(r"\|pool=(\d+):", signature)
    return bool(recall and pool and int(recall[1]) >= int(pool[1]))


def test_a_record_from_before_texts_had_units_is_read_as_one_of_paragraphs() -> None:
    older = [
        (path, said) for path, said in record_files(LEADERBOARD) if said["signature"].startswith("anet-retrieval/1|")
    ]
    assert older
    for path, said in older:
        assert "|text=" not in said["signature"]
        read = Result.load(path)
        assert read.signature == said["signature"].replace("/1|", "/2|", 1).replace(
            "|features=", "|text=paragraph|features="
        )
        assert read.task.version == 2


def test_a_record_from_before_zero_shot_had_levels_is_read_as_one_of_whole_videos() -> None:
    zero_shot = [path for path, said in record_files(LEADERBOARD) if said["task"]["name"] == "anet-zero-shot"]
    older = [path for path in zero_shot if "level=" not in json.loads(path.read_bytes())["signature"]]
    assert older
    for path in older:
        said = json.loads(path.read_bytes())["signature"]
        assert Result.load(path).signature == said.replace("|template=", "|level=video|template=")


if __name__ == "__main__":
    made = Path(sys.argv[1])
    gold = {"records": records_of(made), "tables": tables_of(made)}
    sys.stdout.write(json.dumps(gold, separators=(",", ":")) + "\n")
