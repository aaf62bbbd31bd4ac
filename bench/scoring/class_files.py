"""Classes of videos, predicted and true, in the files that people exchange, opened without trust.

Predictions, JSON, plain or gzip:

    {"results": {id: [{"label": class, "score": number}, …]}, …}     ActivityNet challenge; ids without `v_`
    {id: [{"label": class, "score": number}, …]}
    {id: {class: score, …}}
    {id: {"class": class, "score": number}}; `class` may stand for `label` everywhere
    {id: class}
    .csv and .npz, see `bench.scoring.class_arrays`

TrueClasses:

    labels.csv with the columns video_id, labels (separated by |, the main one first) and, if need be, subset
    {"database": {id: {"subset": …, "annotations": [{"label": class}, …]}}}     ActivityNet
    lists of UCF101, tables of Kinetics, the folder of HMDB51's lists, see `bench.data.readers.class_lists`
    {id: {"action_labels": [class, …]}}, {id: [class, …]} and {id: class}

Of labels of segments the most frequent is the main one. Higher scores mean likelier; a class that is not listed ranks
behind all that are, and is never found.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from bench.data.readers.class_lists import KINETICS, hmdb51_classes, hmdb51_parts, listed_classes
from bench.data.readers.csv_files import read_table
from bench.data.readers.json_files import read_json
from bench.errors import InvalidData, UsageError
from bench.files import digest
from bench.metrics.classification import count_classes, truth_of
from bench.reading.forms import NO_PICKLE, form_of
from bench.reading.numbers import number_of
from bench.reading.outside import finite, shown
from bench.results import Evidence
from bench.scoring.class_arrays import WRITE_NPZ, scores_of

PREFIX = "v_"
"""What ids of ActivityNet start with in some files and not in others."""
TRAINING = ("train", "training")

PICKLED = {
    "pickle": "import numpy as np, pickle; said = pickle.load(open({!r}, 'rb'))",
    "torch": "import numpy as np, torch; said = torch.load({!r}, weights_only=True)",
}
"""What opens scores that are pickled, by the form of the file."""
WRITE_PICKLED = (
    "{load}; np.savez('{stem}.npz', video_id=list(said), class_names=NAMES, scores=np.stack([np.asarray(s) for s in "
    "said.values()])), where NAMES are the classes in the order of the scores; docs/files.md has the lines for a list."
)
Said = dict[str, dict[str, float]]
"""What was predicted: id -> class -> score."""


@dataclass(frozen=True)
class TrueClasses:
    """True classes.

    Attributes:
        videos: id -> classes, the main one first; at least one.
        class_names: all classes that the file names, in alphabetical order.
        unlabelled: videos of the subset without a class, left out.
    """

    videos: Mapping[str, tuple[str, ...]]
    class_names: tuple[str, ...]
    unlabelled: int = 0


def read_predictions(path: Path) -> Said:
    """Returns the scores of each video in a file.

    Raises: MissingData when there is no such file; InvalidData for one that is broken, of another form, names a class
    of a video twice, or holds scores that are no finite numbers.
    """
    if (form := form_of(path)) is not None and form.name in PICKLED:
        raise InvalidData(
            f"{path} is {form.words}, not scores of classes. {NO_PICKLE}Where you trust it, and it holds id -> scores: "
            f"{WRITE_PICKLED.format(load=PICKLED[form.name].format(path.name), stem=path.stem)}"
        )
    if path.name.lower().removesuffix(".gz").endswith((".csv", ".npz", ".npy")):
        return _listed(path)
    value = read_json(path, "predicted classes, such as an ActivityNet submission")
    value = value.get("results", value) if isinstance(value, dict) else value
    if not isinstance(value, dict) or not value:
        _refuse(path, "holds no JSON object of videos")
    return {video: _scores(path, video, told) for video, told in value.items()}


def _listed(path: Path) -> Said:
    classes_of: Said = {}
    for video, name, score in scores_of(path):
        own = classes_of.setdefault(video, {})
        if name in own:
            _refuse(path, f"video {video[:60]!r} has class {name[:60]!r} twice")
        own[name] = score
    if not classes_of:
        _refuse(path, "holds no scores")
    return classes_of


def _scores(path: Path, video: str, told: Any) -> dict[str, float]:
    if isinstance(told, str):
        return {told: 1.0}
    if _numbers(told):
        raise InvalidData(
            f"{path}: video {video[:60]!r} holds numbers without names of classes. Write names, as {{id: class}} or "
            f"{{id: {{class: score}}}}, or all scores by {WRITE_NPZ}."
        )
    if isinstance(told, dict) and "score" in told and isinstance(_label(told), str):
        told = [told]
    pairs = list(told.items()) if isinstance(told, dict) else []
    for entry in told if isinstance(told, list) else ():
        if not isinstance(entry, dict) or _label(entry) is None or "score" not in entry:
            _refuse(path, f"video {video[:60]!r} has an entry without label and score")
        pairs.append((_label(entry), entry["score"]))
    if not isinstance(told, dict | list):
        _refuse(path, f"video {video[:60]!r} holds a JSON {type(told).__name__}")
    score_of: dict[str, float] = {}
    for name, score in pairs:
        if not isinstance(name, str):
            _refuse(path, f"video {video[:60]!r} has a class that is no text")
        number = finite(score)
        if number is None:
            _refuse(path, f"video {video[:60]!r}, class {name[:60]!r}: score {shown(score)} is no finite number")
        if name in score_of:
            _refuse(path, f"video {video[:60]!r} has class {name[:60]!r} twice")
        score_of[name] = number
    return score_of


def _label(entry: Mapping[str, Any]) -> Any:
    return entry.get("label", entry.get("class"))


def _numbers(told: Any) -> bool:
    return finite(told) is not None or (isinstance(told, list) and bool(told) and finite(told[0]) is not None)


def read_labels(path: Path, subset: str | None = None) -> TrueClasses:
    """Returns the true classes in a file.

    Args:
        subset: the part of the file that is meant; without it the only one that is not for training.

    Raises: MissingData when there is no such file; InvalidData for one that is broken or of another form; UsageError
    for a subset that is not there.
    """
    suffix = "folder" if path.is_dir() else path.name.lower().removesuffix(".gz").rpartition(".")[2]
    rows = {"csv": _table, "txt": _list, "folder": _folder}.get(suffix, _objects)(path)
    names = sorted({name for _, _, own in rows for name in own})
    if not names:
        _refuse(path, "names no class")
    parts = Counter(part for _, part, own in rows if own)
    chosen = subset or _only(path, [part for part in parts if part.lower() not in TRAINING])
    if chosen not in parts:
        held = ", ".join(part[:60] for part in sorted(parts)[:20]) or "no subsets"
        raise UsageError(f"--subset {chosen}: {path} has {held}. Use one of them.")
    videos = {video: own for video, part, own in rows if part == chosen and own}
    unlabelled = sum(part == chosen and not own for _, part, own in rows)
    return TrueClasses(videos, tuple(names), unlabelled)


def _only(path: Path, parts: list[str]) -> str:
    if len(parts) != 1:
        subsets = ", ".join(part[:60] for part in parts[:5]) or "none but for training"
        raise UsageError(f"{path} holds several subsets to be tested on, or none: {subsets}. Choose one by --subset.")
    return parts[0]


Row = tuple[str, str, tuple[str, ...]]
"""A video, the subset it is of, and its classes."""


def _folder(path: Path) -> list[Row]:
    tested = {part: hmdb51_classes(path, part, training=False) for part in hmdb51_parts(path)}
    return [(video, part, (name,)) for part, listed in tested.items() for video, name in listed]


def _list(path: Path) -> list[Row]:
    return [(video, "", (name,)) for video, name in listed_classes(path)]


def _table(path: Path) -> list[Row]:
    table = read_table(path, ())
    if table and set(KINETICS[1:]) <= set(table[0]):
        return _list(path)
    table = read_table(path, ("video_id", "labels"))
    rows = [(row["video_id"], row.get("subset", ""), row["labels"].split("|")) for row in table]
    twice = [video for video, count in Counter(video for video, _, _ in rows).items() if count > 1]
    if twice:
        _refuse(path, f"video {twice[0][:60]!r} occurs twice")
    return [(video, part, _by_frequency(path, video, own)) for video, part, own in rows]


def _objects(path: Path) -> list[Row]:
    value = read_json(path, "classes of videos, such as the annotations of ActivityNet, or a labels.csv")
    value = value.get("database", value) if isinstance(value, dict) else value
    if not isinstance(value, dict) or not value:
        _refuse(path, "holds no JSON object of videos")
    rows = []
    for video, told in value.items():
        part, own = "", told
        if isinstance(told, dict):
            part, own = str(told.get("subset", "")), told.get("action_labels", told.get("annotations"))
        own = [own] if isinstance(own, str | dict) else own
        if not isinstance(own, list):
            _refuse(path, f"video {video[:60]!r} has no classes under action_labels or annotations")
        named = [entry.get("label") if isinstance(entry, dict) else entry for entry in own]
        rows.append((video, part, _by_frequency(path, video, named)))
    return rows


def _by_frequency(path: Path, video: str, named: Iterable[Any]) -> tuple[str, ...]:
    """Returns distinct class names, the most frequent first, as they came where equally frequent."""
    counts: Counter[str] = Counter()
    for name in named:
        if not isinstance(name, str):
            _refuse(path, f"video {video[:60]!r} has a class that is no text")
        if name.strip():
            counts[name.strip()] += 1
    return tuple(name for name, _ in counts.most_common())


def evidence_of(said: Said, labels: TrueClasses, task: str, split: str) -> tuple[Evidence, list[str]]:
    """Returns the evidence of predictions, videos in the order of their ids, and remarks.

    Raises: InvalidData for a class that the labels do not name, or where no predicted video has labels.
    """
    said = _with_prefix(said, labels.videos)
    column = {name: i for i, name in enumerate(labels.class_names)}
    known = {video: scores for video, scores in said.items() if video in labels.videos}
    if not known:
        raise InvalidData(
            f"none of the {number_of(len(said), 'predicted video')} (such as {next(iter(said))[:60]!r}) is among the "
            f"{len(labels.videos):,} labelled ones (such as {next(iter(labels.videos))[:60]!r}). Are the ids the same?"
        )
    order = sorted(labels.videos)
    scores = np.full((len(order), len(column)), -np.inf)
    for row, video in zip(scores, order, strict=True):
        for name, score in known.get(video, {}).items():
            if name not in column:
                near = difflib.get_close_matches(name, column, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise InvalidData(
                    f"video {video[:60]!r}: {name[:60]!r} is none of the {number_of(len(column), 'class')} of the "
                    f"labels.{hint}"
                )
            row[column[name]] = score
    truth = truth_of([[column[name] for name in labels.videos[video]] for video in order], labels.class_names)
    pool = digest([task, split, [[video, list(labels.videos[video])] for video in order], list(labels.class_names)])
    remarks = {
        ("labelled video", "without a prediction, counted as never recognised"): len(order) - len(known),
        ("predicted video", "without a label left out"): len(said) - len(known),
        ("video", "of the subset without a label left out"): labels.unlabelled,
    }
    return count_classes(scores, truth, pool), [
        f"{number_of(count, noun)} {what}" for (noun, what), count in remarks.items() if count
    ]


def _with_prefix(said: Said, known: Mapping[str, Any]) -> Said:
    """Returns the predictions under ids as the labels write them, where only the prefix `v_` differs."""
    if any(video in known for video in said):
        return said
    added = {PREFIX + video: scores for video, scores in said.items()}
    removed = {video.removeprefix(PREFIX): scores for video, scores in said.items()}
    for changed in (added, removed):
        if len(changed) == len(said) and any(video in known for video in changed):
            return changed
    return said


def _refuse(path: Path, what: str) -> NoReturn:
    raise InvalidData(f"{path}: {what}. `bench score classification --help` names the forms that are read.")
