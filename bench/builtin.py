"""Our own readers and tasks, offered through the same hooks as everyone's."""

from __future__ import annotations

from collections.abc import Sequence

from bench.data.spec import DatasetDeclaration, DatasetSpec
from bench.hookspecs import hookimpl
from bench.inputs import View
from bench.tasks.retrieval import ParagraphVideoRetrieval


@hookimpl
def bench_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="activitynet",
            summary="ActivityNet Captions, or own data in its form",
            loader="bench.data.activitynet:open_dataset",
            splits={"train": "train", "val_1": "val_1", "val_2": "val_2"},
            test="val_1",
            files="train.json, val_1.json and val_2.json of the official captions.zip, plain or gzip",
        ),
    ]


@hookimpl
def bench_tasks(datasets: Sequence[DatasetDeclaration]) -> list[ParagraphVideoRetrieval]:
    return [
        ParagraphVideoRetrieval(
            base=f"{dataset.name}-retrieval",
            dataset=dataset.name,
            split=dataset.test,
            default=View(dataset.segments),
            view=View(dataset.segments),
        )
        for dataset in datasets
    ]
