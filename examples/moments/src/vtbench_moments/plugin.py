"""Offers the task `<dataset>-moments` on every dataset with annotated segments, and three controls."""

from bench.api import ModelSpec, Trainable, hookimpl
from vtbench_moments.finding import MomentFinder
from vtbench_moments.task import MomentRetrieval

BENCH_API = 1


@hookimpl
def bench_tasks(datasets):
    return [
        MomentRetrieval(f"{dataset.name}-moments", dataset.name, dataset.test)
        for dataset in datasets
        if dataset.captions and dataset.segments == "gt" and not dataset.queries
    ]


@hookimpl
def bench_models():
    return [
        ModelSpec(
            name="random-span",
            summary="two points of the video, drawn evenly: chance, measured",
            loader="vtbench_moments.controls:RandomSpan",
            provides=(MomentFinder,),
            uses_segments=False,
            control=True,
        ),
        ModelSpec(
            name="whole-video",
            summary="the whole video, whatever is asked",
            loader="vtbench_moments.controls:WholeVideo",
            provides=(MomentFinder,),
            uses_segments=False,
            control=True,
        ),
        ModelSpec(
            name="frequent-span",
            summary="the commonest place of a training segment in its video",
            loader="vtbench_moments.controls:FrequentSpan",
            provides=(MomentFinder, Trainable),
            control=True,
        ),
    ]
