"""What a reader returns becomes plain columns, or an error that says which dataset and what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from bench.data_api import AnnotatedVideos
from bench.errors import InvalidData

TWO = {
    "ids": ("a", "b"),
    "durations": (9, None),
    "timestamps": ([[0, 4], [np.float32(4.5), 9]], []),
    "sentences": (["one", "two"], ("three",)),
    "labels": ((1, 0), (np.int64(1),)),
    "class_names": ("run", "walk"),
}


def test_columns_hold_plain_floats_texts_and_numbers_of_classes():
    columns = AnnotatedVideos(**TWO, frames=(90, 0)).columns()
    assert columns == {
        "video_id": ["a", "b"],
        "duration": [9.0, None],
        "timestamps": [[[0.0, 4.0], [4.5, 9.0]], []],
        "sentences": [["one", "two"], ["three"]],
        "labels": [[1, 0], [1]],
        "frames": [90, 0],
    }
    numbers = [columns["duration"][0], *columns["timestamps"][0][0], *columns["timestamps"][0][1]]
    assert {type(number) for number in numbers} == {float}  # equal annotations have equal digests
    assert {type(label) for own in columns["labels"] for label in own} == {int}


def test_there_are_no_columns_of_what_nobody_says():
    videos = AnnotatedVideos(**{**TWO, "labels": (), "class_names": ()}, frames=(0, 0))
    assert list(videos.columns()) == ["video_id", "duration", "timestamps", "sentences"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ids": ("a", 7)}, "7 for a text"),
        ({"sentences": (["one", None], ["three"])}, "None for a text"),
        ({"durations": ("long", 9.0)}, "could not convert string to float: 'long'"),
        ({"timestamps": ([[0.0]], [])}, "not enough values to unpack"),
        ({"labels": ((1,), (2,))}, "class 2 of 2"),
        ({"labels": ((-1,), (0,))}, "class -1 of 2"),
    ],
)
def test_what_is_no_annotation_is_refused(changes, said):
    with pytest.raises(InvalidData, match=f"^dataset 'mine', test: a reader made what is no annotation .*{said}"):
        AnnotatedVideos(**{**TWO, **changes}).columns("dataset 'mine', test")


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(InvalidData, match="2 video_id, 1 duration, 2 timestamps, 2 sentences, 2 labels; expected one"):
        AnnotatedVideos(**{**TWO, "durations": (9.0,)}).columns()
