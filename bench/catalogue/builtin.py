"""Our own readers, tasks and launchers, offered through the same hooks as everyone's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bench.data.declared import CAPTIONS, HALVES, DatasetDeclaration, DatasetSpec, FeatureReader
from bench.data.features.opening import OWN
from bench.data.sets.named import datasets as datasets_of_the_field
from bench.inputs import View
from bench.matching import Unit
from bench.models import Setting
from bench.plugins.hookspecs import hookimpl
from bench.plugins.launchers import LauncherSpec
from bench.tasks.action_recognition import LinearProbe, ZeroShotRecognition
from bench.tasks.captioning import Captioning
from bench.tasks.incomplete import IncompleteRetrieval
from bench.tasks.retrieval import ParagraphVideoRetrieval
from bench.tasks.task import Task

SECOND_TEST = "val_2"
"""The second annotation of ActivityNet Captions' test videos, a test set of its own: `<name>-retrieval-val2`."""

WINDOWS = "uniform-4"
"""The segments of videos to be recognised, which nobody has marked."""


READERS = (
    DatasetSpec(
        name="activitynet",
        summary="ActivityNet Captions, or own data in its form",
        loader="bench.data.readers.activitynet:open_dataset",
        splits={"train": "train", "val_1": "val_1", "val_2": "val_2"},
        test="val_1",
        files="train.json, val_1.json and val_2.json of the official captions.zip, plain or gzip; beside them, for "
        "paragraph captioning, split_ids_anet_entities.json of ActivityNet-Entities",
        class_splits=("train", "val_1"),
    ),
    DatasetSpec(
        name=CAPTIONS,
        summary="captions in the official files of MSR-VTT, VATEX, MSVD, YouCook2, in lists and tables",
        loader="bench.data.readers.captioned:open_dataset",
        splits={},
        test="test",
        files="JSON or JSON Lines, plain or gzip, .csv or .txt, named under splits; `bench data verify` says "
        "which form was taken",
    ),
    DatasetSpec(
        name="labels",
        summary="classes of whole videos, without captions",
        loader="bench.data.readers.labels:open_dataset",
        splits={"train": "labels", "test": "labels"},
        test="test",
        files="labels.csv with the columns video_id, subset (train, test), labels (separated by |), duration",
        captions=False,
        class_splits=("train", "test"),
    ),
    DatasetSpec(
        name="didemo",
        summary="DiDeMo, official or grouped by video",
        loader="bench.data.readers.didemo:open_dataset",
        splits={"train": "train_data", "val": "val_data", "test": "test_data"},
        test="test",
        files="train_data, val_data and test_data, official or _bwzhang, .json or .json.gz",
    ),
)


@hookimpl
def bench_datasets() -> list[DatasetSpec]:
    return list(READERS)


@hookimpl
def bench_feature_readers() -> list[FeatureReader]:
    return list(OWN)


@hookimpl
def bench_tasks(datasets: Sequence[DatasetDeclaration]) -> list[Task]:
    tasks: list[Task] = []
    for dataset in datasets:
        if dataset.captions:
            tasks += [*_retrieval(dataset), *_captioning(dataset)]
        if dataset.class_splits:
            tasks += _recognition(dataset, dataset.class_splits[1])
    return tasks


SLURM = {
    "cluster": Setting("slurm", "local runs the same jobs on this machine, without Slurm", ("slurm", "local")),
    "partition": Setting("", "as --partition of sbatch"),
    "account": Setting("", "as --account of sbatch"),
    "options": Setting("", "further options of sbatch, such as qos=high;exclusive"),
    "minutes": Setting(240, "of one job; a cell that needs more saves and is queued again", minimum=1),
    "warning": Setting(90, "seconds before the end of a job's time at which its cell saves", minimum=5),
    "requeues": Setting(20, "how often a cell may run out of time", minimum=0),
}
"""Settings of the launcher `slurm`."""

LAUNCHERS = (
    LauncherSpec(
        name="local",
        summary="processes on this machine, which share its cores",
        loader="bench.study.launchers.local:LocalLauncher",
    ),
    LauncherSpec(
        name="ray",
        summary="a Ray cluster, each cell a task",
        loader="bench.study.launchers.ray:RayLauncher",
        settings={
            "address": Setting("auto", "of the cluster; auto for the one this machine is in, local for one of its own")
        },
        extra="vtbench[ray]",
    ),
    LauncherSpec(
        name="slurm",
        summary="Slurm through submitit, cells as arrays of jobs",
        loader="bench.study.launchers.slurm:SlurmLauncher",
        settings=SLURM,
        extra="vtbench[slurm]",
    ),
)


@hookimpl
def bench_launchers() -> Iterable[LauncherSpec]:
    return LAUNCHERS


def _retrieval(dataset: DatasetDeclaration) -> Iterator[Task]:
    view = View(dataset.segments, text=dataset.text)
    said, name = _field_name(dataset), dataset.name
    retrieval = ParagraphVideoRetrieval(f"{name}-retrieval", name, dataset.test, view, view, field_name=said)
    yield retrieval
    if SECOND_TEST in _splits_of(dataset) and dataset.test != SECOND_TEST:
        yield replace(retrieval, base=f"{retrieval.base}-val2", split=SECOND_TEST)
    if dataset.text != "caption" and not dataset.queries:  # a caption has no parts to leave out
        base = f"{retrieval.base}-incomplete"
        yield IncompleteRetrieval(base, name, dataset.test, view, view, field_name=said)


def _captioning(dataset: DatasetDeclaration) -> Iterator[Task]:
    """Yields sentences for segments and paragraphs of them, or sentences for whole videos where there are no segments.

    Paragraphs are asked for on the halves of val_1 where these are declared or official.
    """
    name, test, view = dataset.name, dataset.test, View(dataset.segments)
    if dataset.segments == "none":
        together = View("none", text="captions-together")
        yield Captioning(f"{name}-captioning", name, test, ("corpus",), (test,), view=together)
        return
    declared = _splits_of(dataset)
    second = (SECOND_TEST,) if test == "val_1" and SECOND_TEST in declared else ()
    yield Captioning(f"{name}-captioning", name, test, ("corpus", "densevid"), (test,), second, view)
    official = dataset.reader == "activitynet" and dataset.root is not None and not dataset.splits
    halves = tuple(half for half in reversed(HALVES) if official or half in dataset.splits)
    splits = tuple(dict.fromkeys([*halves, test]))
    base = f"{name}-paragraph-captioning"
    yield Captioning(base, name, splits[0], ("paragraph",), splits, second, view, protocol="paragraph")


def _recognition(dataset: DatasetDeclaration, split: str) -> Iterator[Task]:
    """Yields zero-shot and linear probe; windows stand for segments where models learned from annotated ones."""
    learned = View(dataset.segments, text=dataset.text)
    hidden: Unit = "captions-together"  # no text is asked for, so nobody need say how
    view = View(WINDOWS) if dataset.captions and dataset.segments == "gt" else View("none", text=hidden)
    said, name = _field_name(dataset), dataset.name
    yield ZeroShotRecognition(f"{name}-zero-shot", name, split, view, view, learned, field_name=said)
    yield LinearProbe(f"{name}-linear-probe", name, split, view, view, learned, field_name=said)


def _field_name(dataset: DatasetDeclaration) -> str:
    """Returns the dataset of the field that a declared one is: by the `set:` it is said to be, its name, its reader."""
    said = (dataset.named_set.partition(":")[0], dataset.name, dataset.reader)
    return next((name for name in said if name in datasets_of_the_field()), "")


def _splits_of(dataset: DatasetDeclaration) -> Iterable[str]:
    """Returns the splits that bench.yaml declares, else those of our own readers."""
    own = {reader.name: reader.splits for reader in READERS}
    return dataset.splits or own.get(dataset.reader, ())
