"""Declared datasets become open ones: annotations and features are joined, and the result says what is real."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.data.dataset import Dataset
from bench.data.declared import LABELLED, SAMPLE, SIMULATED, DatasetDeclaration, FeatureSource, SplitDeclaration
from bench.data.features.generated import GeneratedFeatures, SampleSplit
from bench.data.features.opening import open_features
from bench.data.features.simulated import SimulatedFeatures
from bench.data.readers.labels import labelled_splits
from bench.data.tables import AnnotatedVideos, Tables
from bench.errors import ConfigError
from bench.inputs import DataKind


@dataclass(frozen=True)
class AnnotationForm:
    """What a reader knows of its form of annotations.

    Attributes:
        splits: the official splits.
        counts: videos in the official files of each.
        generated: split -> the same split of the generated sample.
        files: folder -> the official files in it, by split.
        read: one declared split -> its annotations.
        wanting: official splits that some folders lack -> what they need, in words.
    """

    splits: Collection[str]
    counts: Mapping[str, int]
    generated: Callable[[str], SampleSplit]
    files: Callable[[Path], Mapping[str, SplitDeclaration]]
    read: Callable[[SplitDeclaration], AnnotatedVideos]
    wanting: Mapping[str, str] = field(default_factory=dict)


def open_declared(declaration: DatasetDeclaration, form: AnnotationForm) -> Dataset:
    """Returns the dataset that bench.yaml declares: generated, official files, or own splits; read when used.

    Raises: ConfigError, and DataError when features or the generated sample cannot be opened.
    """
    if declaration.root is None and not declaration.splits:
        return open_generated(declaration, {split: form.generated(split) for split in form.splits})
    files = declaration.splits or form.files(declaration.root or Path())
    openers = {split: partial(form.read, part) for split, part in files.items()}
    if declaration.splits:
        return open_annotated(declaration, openers)
    return open_annotated(declaration, openers, expected=form.counts, wanting=form.wanting)


def open_generated(declaration: DatasetDeclaration, splits: Mapping[str, SampleSplit]) -> Dataset:
    """Returns a dataset of generated splits. Raises: ConfigError when it is declared with features of its own."""
    name = declaration.name
    if declaration.features.reader != SAMPLE:
        raise ConfigError(
            f"datasets.{name}.features: the generated sample has its own features, not {declaration.features.name!r}. "
            f"Write 'features: sample', or give {name!r} a root of official files."
        )
    tables = Tables(name, {split: partial(_videos, one) for split, one in splits.items()})
    return Dataset(
        name=name,
        kind="generated",
        label="sample (generated)",
        recipe=SAMPLE,
        declaration=declaration,
        tables=tables,
        features=GeneratedFeatures(declaration.reader, tuple(splits.values())),
        class_names=next(iter(splits.values())).class_names,
        class_splits=declaration.class_splits,
    )


def _videos(split: SampleSplit) -> AnnotatedVideos:
    return split.make().videos


def open_annotated(
    declaration: DatasetDeclaration,
    splits: Mapping[str, Callable[[], AnnotatedVideos]],
    expected: Mapping[str, int] | None = None,
    wanting: Mapping[str, str] | None = None,
) -> Dataset:
    """Returns a dataset of annotations from files, with its declared or with simulated features.

    Args:
        expected: how many videos the protocol expects in each split, where it says so.
        wanting: splits that may be lacking -> what they need, in words.

    Raises: ConfigError for the features of the sample; DataError when features are missing or broken.
    """
    name = declaration.name
    if declaration.features.reader == SAMPLE:
        raise ConfigError(
            f"datasets.{name}.features: 'sample' are features of the generated sample, not of {declaration.root}. "
            "Name a source under `features:`, or write 'features: simulated'."
        )
    if declaration.labels is not None:
        splits = {**splits, **labelled_splits(declaration.labels, LABELLED)}
    tables = Tables(name, splits, wanting)
    made_up = declaration.features.reader == SIMULATED
    features: FeatureSource = SimulatedFeatures(tables) if made_up else open_features(declaration.features)
    kind: DataKind = "real" if features.kind == "real" else "simulated"
    return Dataset(
        name=name,
        kind=kind,
        label=name if kind == "real" else f"{name} (simulated features)",
        recipe=None,
        declaration=declaration,
        tables=tables,
        features=features,
        class_names=lambda: tables[declaration.class_splits[1]].class_names if declaration.class_splits else (),
        class_splits=declaration.class_splits,
        expected=expected or {},
    )
