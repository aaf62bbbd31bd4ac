"""Results of mteb, as its files `TASK.json` hold them: figures without evidence, and what is known of their test set.

Such a file names a task and means of its scores, rounded to five digits. Nothing in it can be resampled, or says how
many queries there were; `mteb_tasks.yaml` does, for tasks of video and text. mteb takes the mean over the queries that
its run answered: where all recalls are whole numbers of hits among fewer queries than the task has, some were lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data.readers.json_files import read_json
from bench.data.sets.named import NamedSet, named_set
from bench.errors import InvalidData, UnsupportedTask
from bench.leaderboard.published import PublishedTask
from bench.reading.numbers import number_of
from bench.reading.outside import finite
from bench.reading.sections import by_name, key, section, text, whole
from bench.reading.yaml_files import parse_yaml

KNOWN = Path(__file__).with_name("mteb_tasks.yaml")
SHOWN = (1, 5, 10)
MAIN = "ndcg_at_10"
_ROUNDED = 5e-6
"""What is lost of a figure with five digits."""


@dataclass(frozen=True)
class MtebTasks:
    """Tasks of mteb that share a test set.

    Attributes:
        tasks: by name, what asks for what: `t2v`, `v2t`, or with the sound of the videos `t2va` and `va2t`.
        queries, videos: how many there are.
        set: the named set that papers report on.
        captions: how many captions a video has, in words.
        differs: what sets the test set apart from that.
    """

    tasks: dict[str, str] = key(by_name(text(r"t2va?|va?2t", "t2v, v2t, t2va or va2t")))
    queries: int = key(whole(1))
    videos: int = key(whole(1))
    set: str = key(text())
    captions: str = key(text())
    differs: str = key(text())

    @property
    def named(self) -> NamedSet:
        """The set that papers report on."""
        return named_set(self.set)


@dataclass(frozen=True)
class _Known:
    version: str = key(text())
    families: dict[str, MtebTasks] = key(by_name(section(MtebTasks)))


@dataclass(frozen=True)
class MtebResult:
    """What a file says.

    Attributes:
        task, version, split: as the file names them; the version is empty where it does not.
        way: what asks for what.
        recalls: R@k in percent by k, over the queries that were answered.
        main: nDCG@10 in percent, mteb's own main score; None where it is not there.
        known: the test set.
        answered: the most queries, of those of the task, that fit the figures; None where no number does.
        counted_in: the version of mteb whose test sets are known here.
    """

    task: str
    version: str
    split: str
    way: str
    recalls: Mapping[int, float]
    main: float | None
    known: MtebTasks
    answered: int | None
    counted_in: str

    @property
    def direction(self) -> str:
        """`t2v` or `v2t`."""
        return self.way.replace("a", "")

    @property
    def values(self) -> dict[str, float]:
        """Measurements by our names, in percent, lost queries as not found; none where no number of queries fits."""
        if self.answered is None:
            return {}
        share = self.answered / self.known.queries
        return {f"{self.direction}/R@{k}": round(self.recalls[k] * share, 3) for k in SHOWN if k in self.recalls}

    @property
    def statements(self) -> list[str]:
        """What is known of the test set and what is not, a line each."""
        known, lines = self.known, []
        asks = "texts ask" if self.direction == "t2v" else "videos ask"
        among = f"{known.videos:,} {'videos' if self.direction == 't2v' else 'texts'}"
        of = "" if self.version == self.counted_in else f" (as in mteb {self.counted_in})"
        lines.append(f"{known.queries:,} {asks} among {among}{of}, one right answer each; captions: {known.captions}")
        lines.append(f"not {known.set} ({known.named.videos:,} videos): {known.differs}")
        lines += ["videos are shown with their sound"] if "a" in self.way else []
        if self.answered is None:
            lines.append(f"the figures are whole numbers of hits among no number of queries up to {known.queries:,}")
        elif lost := known.queries - self.answered:
            lines.append(f"{lost:,} queries or more are lost, as the figures fit {self.answered:,} at most")
            lines.append("lost queries count as not found here, where mteb leaves them out of its mean")
        else:
            lines.append(f"no query is lost: the figures fit all {known.queries:,}")
        lines.append("not known: NaN scores, which pytrec_eval ranks without a word, and ties, which go by document id")
        lines.append("not known: the queries' own ranks, so no interval and no paired test")
        return lines


def read_result(path: Path) -> MtebResult:
    """Returns what a file of mteb says.

    Raises: MissingData, InvalidData for a file that is absent, broken or of another form, or a figure that is no share;
    UnsupportedTask for a task whose test set is not known here.
    """
    value = read_json(path, "a result of mteb, TASK.json")
    scores = value.get("scores") if isinstance(value, dict) else None
    name = value.get("task_name") if isinstance(value, dict) else None
    if not isinstance(name, str) or not isinstance(scores, dict) or not scores:
        raise InvalidData(f"{path} has no task_name and scores: it is no result of mteb, which writes TASK.json.")
    read = section(_Known)(parse_yaml(KNOWN.read_text(encoding="utf-8")), "")
    families = read.families.values()
    known = next((family for family in families if name in family.tasks), None)
    if known is None:
        names = ", ".join(task for family in families for task in family.tasks)
        raise UnsupportedTask(f"{path}: the test set of mteb's {name[:60]!r} is not known here. Known: {names}.")
    split, row = _only_row(path, scores)
    recalls = {k: _percent(path, row, f"recall_at_{k}") for k in (1, 3, 5, 10, 20, 100) if f"recall_at_{k}" in row}
    if not recalls:
        raise InvalidData(f"{path} has no recall_at_1 among the scores of {split[:60]!r}.")
    return MtebResult(
        task=name,
        version=str(value.get("mteb_version") or ""),
        split=split,
        way=known.tasks[name],
        recalls=recalls,
        main=_percent(path, row, MAIN) if MAIN in row else None,
        known=known,
        answered=_answered(recalls, known.queries),
        counted_in=read.version,
    )


def _only_row(path: Path, scores: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    rows = [(split, row) for split, own in scores.items() if isinstance(own, list) for row in own]
    if len(rows) != 1 or not isinstance(rows[0][1], dict):
        raise InvalidData(
            f"{path} has {number_of(len(rows), 'row')} of scores; a task of video and text has one split and subset."
        )
    return rows[0]


def _percent(path: Path, row: Mapping[str, Any], name: str) -> float:
    share = finite(row[name])
    if share is None or not 0.0 <= share <= 1.0:
        raise InvalidData(f"{path}: {name} is {str(row[name])[:40]!r}, no share from 0 to 1.")
    return 100.0 * share


def _answered(recalls: Mapping[int, float], queries: int) -> int | None:
    """Returns the most queries of which every recall is a whole number, within its rounding."""
    shares = [recall / 100.0 for recall in recalls.values()]
    for n in range(queries, 0, -1):
        if all(abs(share * n - round(share * n)) <= _ROUNDED * n + 1e-9 for share in shares):
            return n
    return None


def published(results: Mapping[str, list[MtebResult]], task: str) -> PublishedTask:
    """Returns results by model as published figures for the boards of `task`, a table for each test set and sound.

    Raises: InvalidData where they are of several splits, or none has a figure.
    """
    every = [one for own in results.values() for one in own if one.values]
    splits = sorted({one.split for one in every})
    if len(splits) != 1:
        raise InvalidData(f"figures of {len(splits)} splits ({', '.join(splits)[:80]}); published figures are of one.")
    tables: list[dict[str, Any]] = []
    for known, sound in dict.fromkeys((one.known.set, "a" in one.way) for one in every):
        alike = [one for one in every if (one.known.set, "a" in one.way) == (known, sound)]
        tests = dict.fromkeys(one.known.differs for one in alike)
        tables += [_table(results, [one for one in alike if one.known.differs == test]) for test in tests]
    return PublishedTask.model_validate(
        {"schema": "bench-published/1", "task": task, "split": splits[0], "tables": tables}
    )


def _table(results: Mapping[str, list[MtebResult]], alike: list[MtebResult]) -> dict[str, Any]:
    first, rows = alike[0], []
    for model, own in results.items():
        values = {name: value for one in own if one in alike for name, value in one.values.items()}
        if values:
            row = {"model": model, "features": "not stated", "segments": "none", "values": values}
            rows.append(row)
    version = f"mteb {first.version}" if first.version else "mteb, version not stated"
    sound = ["Videos are shown with their sound."] if "a" in first.way else []
    return {
        "title": f"mteb, {' and '.join(dict.fromkeys(one.task for one in alike))}"[:150],
        "paper": "Results of mteb, a file for each task",
        "source": version,
        "set": None,
        "set_by": f"not {first.known.set}: {first.known.differs}",
        "gallery": first.known.videos,
        "differs": [
            f"Test set: {first.known.differs}."[:150],
            f"Captions: {first.known.captions}.",
            "NaN scores and ties are ranked as pytrec_eval does; queries that were lost count as not found.",
            *sound,
        ],
        "rows": rows,
    }
