"""bench.yaml becomes a frozen `Config`; every error quotes the file and the YAML path.

Found by `--config`, then `BENCH_CONFIG`, then the nearest `bench.yaml` upwards. Without one the packaged default
applies, which binds every dataset to the generated sample. Paths in the file are relative to the file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bench.catalogue.feature_declarations import FeatureEntry, declared_features
from bench.data.declared import (
    CAPTIONS,
    SAMPLE,
    SIMULATED,
    AllZero,
    DatasetDeclaration,
    FeatureDeclaration,
    Policy,
    SplitDeclaration,
)
from bench.data.groups import GROUP
from bench.errors import ConfigError, DataError, UnknownName
from bench.matching import TEXTS
from bench.reading.outside import read_text
from bench.reading.sections import Misfit, by_name, key, listed, name_of, one_of, pathname, section, span, text
from bench.reading.yaml_files import YAML, NotYaml, parse_yaml

FILE_NAME = "bench.yaml"
PACKAGED = Path(__file__).parents[1] / "default.yaml"
CHECKOUT = Path(__file__).parents[2] / FILE_NAME


@dataclass(frozen=True)
class Config:
    """What bench.yaml says, with every path resolved.

    Attributes:
        path: the file it came from; None for the packaged default.
        datasets: declared datasets by name.
        features: declared frame features by name.
        word_vectors: GloVe text file, or None for random vectors.
        text: a text encoder that models read sentences by where they can, or "".
        runs: where runs are written.
        leaderboard: the leaderboard's folder.
        title: of its pages.
        trackers: which of the plugins' trackers are told of runs.
    """

    path: Path | None
    datasets: Mapping[str, DatasetDeclaration]
    features: Mapping[str, FeatureDeclaration]
    word_vectors: Path | None
    text: str
    runs: Path
    leaderboard: Path
    title: str
    trackers: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Split:
    file: Path = key(pathname)
    ids: Path | None = key(pathname, None)
    part: str = key(text(), "")
    take: tuple[int, int] | None = key(span, None)


@dataclass(frozen=True)
class _DatasetSection:
    reader: str = key(text())
    root: Path = key(pathname)
    features: str = key(text())
    splits: Mapping[str, _Split] = key(by_name(section(_Split)), {})
    segments: Literal["gt", "none"] | None = key(one_of("gt", "none"), None)
    test: str | None = key(name_of, None)
    missing: Policy = key(one_of(*get_args(Policy)), "fail")
    all_zero: AllZero = key(one_of(*get_args(AllZero)), "keep")
    labels: Path | None = key(pathname, None)
    captions: Literal["each", "together"] | None = key(one_of("each", "together"), None)
    queries: Path | None = key(pathname, None)
    relevance: Path | None = key(pathname, None)
    set: str = key(text(), "")
    groups: str = key(text(), "")
    note: str = key(text(), "")


@dataclass(frozen=True)
class _File:
    version: Literal[1] = key(one_of(1))
    datasets: Mapping[str, _DatasetSection] = key(by_name(section(_DatasetSection)), {})
    features: Mapping[str, FeatureEntry] = key(by_name(section(FeatureEntry)), {})
    word_vectors: Path | None = key(pathname, None)
    title: str = key(text(), "Leaderboards")
    trackers: tuple[str, ...] = key(listed(text()), ())
    text: str = key(text(), "")
    runs: Path = key(pathname, Path("runs"))
    leaderboard: Path = key(pathname, Path("leaderboards"))


def load(path: Path | None = None) -> Config:
    """Returns the configuration from `path`, else from where the module's docstring says.

    Raises: ConfigError for a file that is missing, is no YAML, or says something unknown.
    """
    given = find(path)
    source = given or (PACKAGED if PACKAGED.exists() else CHECKOUT)
    base = source.resolve().parent if given else Path.cwd()
    parsed = _read(source)
    features = {name: _features(source, parsed, name, base) for name in parsed.features}
    return Config(
        path=given,
        datasets={name: _dataset(source, parsed, name, base) for name in parsed.datasets},
        features=features,
        word_vectors=base / parsed.word_vectors if parsed.word_vectors else None,
        text=parsed.text,
        runs=base / parsed.runs,
        leaderboard=base / parsed.leaderboard,
        title=parsed.title,
        trackers=parsed.trackers,
    )


def find(path: Path | None) -> Path | None:
    """Returns the configuration file in force, or None when only the packaged default is left."""
    named = path or (Path(os.environ["BENCH_CONFIG"]) if os.environ.get("BENCH_CONFIG") else None)
    if named is not None:
        if not named.exists():
            raise ConfigError(f"configuration file {named} does not exist. Name another by --config or BENCH_CONFIG.")
        return named
    here = Path.cwd()
    return next((folder / FILE_NAME for folder in (here, *here.parents) if (folder / FILE_NAME).is_file()), None)


def _read(path: Path) -> _File:
    try:
        return section(_File)(parse_yaml(read_text(path, YAML)), "")
    except NotYaml as error:
        raise ConfigError(f"{path.name}: {error}. Fix the YAML.") from None
    except Misfit as error:
        raise ConfigError(f"{path.name}: {error}") from None
    except DataError as error:
        raise ConfigError(str(error)) from None


def _dataset(source: Path, parsed: _File, name: str, base: Path) -> DatasetDeclaration:
    entry = parsed.datasets[name]
    root = None if str(entry.root) == SAMPLE else base / entry.root
    if (root is None) != (entry.features == SAMPLE):
        raise ConfigError(
            f"{source.name}: datasets.{name}: root {str(entry.root)!r} with features {entry.features!r}: "
            "'sample' must be given for both or for neither."
        )
    folder = root or base
    splits = {
        split: SplitDeclaration(folder / one.file, folder / one.ids if one.ids else None, one.take, one.part)
        for split, one in entry.splits.items()
    }
    for split, one in splits.items():
        if one.part and one.ids is None and entry.reader not in (CAPTIONS, "labels"):
            raise ConfigError(
                f"{source.name}: datasets.{name}.splits.{split}.part: names a list in 'ids', which is missing. Add it."
            )
    usual = [split for split in ("test", "val_1", "val") if split in splits]
    test = entry.test or (usual[0] if usual else "")
    if splits and test not in splits:
        raise ConfigError(
            f"{source.name}: datasets.{name}.test: {test or 'not given'}; use one of {', '.join(sorted(splits))}."
        )
    if entry.all_zero == "missing" and entry.missing == "fail":
        raise ConfigError(
            f"{source.name}: datasets.{name}.all_zero: 'missing' needs a policy for missing videos. "
            "Write 'missing: penalise' or 'missing: exclude' beside it."
        )
    if entry.reader == CAPTIONS and (root is None or not splits):
        raise ConfigError(
            f"{source.name}: datasets.{name}: reader {CAPTIONS} has no official folder. Name the file of each split: "
            "root: FOLDER and splits: {train: {file: FILE}, test: {file: FILE}}, with part, ids or take as needed; "
            "without train, models that do not train can be run."
        )
    segments = entry.segments or ("none" if entry.reader == CAPTIONS else "gt")
    if entry.captions and segments != "none":
        raise ConfigError(
            f"{source.name}: datasets.{name}.captions: {entry.captions}: its sentences describe segments, so together "
            "they are one paragraph. Leave captions out, or say segments: none if they describe whole videos."
        )
    return DatasetDeclaration(
        name=name,
        reader=entry.reader,
        root=root,
        features=_features_of(source, parsed, name, base),
        splits=splits,
        segments=segments,
        test=test,
        missing=entry.missing,
        all_zero=entry.all_zero,
        labels=folder / entry.labels if entry.labels else None,
        text=TEXTS[entry.captions] if entry.captions else "paragraph",
        queries=folder / entry.queries if entry.queries else None,
        relevance=folder / entry.relevance if entry.relevance else None,
        named_set=_named_set(source, name, entry.set),
        groups=_groups(f"{source.name}: datasets.{name}.groups", entry.groups, folder),
        note=" ".join(entry.note.split()),
    )


def _groups(where: str, said: str, folder: Path) -> Path | str | None:
    """Returns a pattern over ids, or the table of groups; None where nothing is said."""
    if not said or said.count(GROUP) == 1:
        return said or None
    if GROUP in said or not said.endswith((".csv", ".csv.gz")):
        raise ConfigError(
            f"{where}: {said!r}: write a pattern that all ids match, with {GROUP} once, such as '{GROUP}_c*', or name "
            "a .csv table of video_id and group."
        )
    return folder / said


def _named_set(source: Path, dataset: str, name: str) -> str:
    """Returns the name of a set that exists, or "" where none is said."""
    if not name:
        return ""
    from bench.data.sets.named import named_set  # here: most files name none

    try:
        return named_set(name).name
    except UnknownName as error:
        raise ConfigError(f"{source.name}: datasets.{dataset}.set: {error}") from None


def _features_of(source: Path, parsed: _File, dataset: str, base: Path) -> FeatureDeclaration:
    name = parsed.datasets[dataset].features
    if name in (SAMPLE, SIMULATED):
        return FeatureDeclaration(name=name, reader=name, extractor=name)
    if name not in parsed.features:
        known = ", ".join([*sorted(parsed.features), SIMULATED])
        raise ConfigError(
            f"{source.name}: datasets.{dataset}.features: no feature source {name!r}. Known: {known}. "
            "Declare it under 'features:'."
        )
    return _features(source, parsed, name, base)


def _features(source: Path, parsed: _File, name: str, base: Path) -> FeatureDeclaration:
    return declared_features(f"{source.name}: features.{name}", name, parsed.features[name], base)
