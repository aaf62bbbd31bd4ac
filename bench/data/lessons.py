"""What models are trained on: which split of a dataset, and what is told of its videos. Not every dataset has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.data.texts import unit_of
from bench.errors import MissingData
from bench.inputs import View
from bench.models import Lesson

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

TRAIN = "train"


@dataclass(frozen=True)
class TrainingSet:
    """What a model is trained on.

    Attributes:
        split: the split.
        lesson: what is told of its videos: their paragraphs, nothing, or their classes.
        view: how the videos are cut; of it only the segments count.
    """

    split: str
    lesson: Lesson
    view: View


def training_split(dataset: Dataset, lesson: Lesson) -> str:
    """Returns the split that `lesson` is learnt from, whether or not the dataset has it."""
    return dataset.class_splits[0] if dataset.class_splits and lesson != "paragraphs" else TRAIN


def training_set(dataset: Dataset, lesson: Lesson, view: View) -> TrainingSet:
    """Returns what a model that learns from `lesson` is trained on: whole videos, and of `view` only the segments.

    Raises: MissingData when the dataset has no such training data.
    """
    name, split = dataset.name, training_split(dataset, lesson)
    if lesson == "labels" and not dataset.class_splits:
        raise MissingData(
            f"dataset {name!r} has no classes to train on. Declare a labels.csv as datasets.{name}.labels."
        )
    if not dataset.trains(lesson):
        raise MissingData(
            f"dataset {name!r} has no videos to train on, only a test split. Choose a model that does not train, such "
            "as random, give one that was fitted elsewhere by --checkpoint, or declare training videos."
        )
    if lesson != "paragraphs":
        return TrainingSet(split, lesson, View(view.segments))
    if not any(dataset.columns(split)["sentences"]):
        raise MissingData(
            f"dataset {name!r} has no captions to train on. "
            "Choose a model that learns from videos or classes, or a control."
        )
    return TrainingSet(split, lesson, View(view.segments, text=unit_of(dataset, split, view.text)))
