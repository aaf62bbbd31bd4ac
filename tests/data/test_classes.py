"""Class splits of the literature, and what captions and features knew of the classes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.annotations import ClassAnnotations
from bench.data.declared import LABELLED, DatasetDeclaration, FeatureDeclaration
from bench.data.readers.activitynet import open_dataset
from bench.data.readers.class_subsets import of_subset
from bench.data.readers.labels import labelled_splits
from bench.errors import InvalidData, MissingData, UsageError

NAMES = ("a", "b", "c", "d")
TRUE = ClassAnnotations({"v1": (0,), "v2": (1, 3), "v3": (2,), "v4": (3, 0)}, NAMES, "0" * 64, frozenset({"v2", "v3"}))


def declaration(folder, splits):
    if splits is not None:
        (folder / "zero_shot_class_splits.json").write_text(json.dumps(splits), encoding="utf-8")
    features = FeatureDeclaration("toy", "npz", folder / "toy.npz")
    return DatasetDeclaration("toy", "labels", folder, features)


def test_a_half_keeps_its_videos_and_renumbers_their_classes(tmp_path):
    found = of_subset(
        TRUE, "unseen-50-0", declaration(tmp_path, {"50_50": [{"train": ["a", "b"], "test": ["d", "c"]}]})
    )
    assert found.class_names == ("c", "d")
    assert found.labels == {"v2": (1,), "v3": (0,), "v4": (1,)}
    assert found.missing == {"v2", "v3"}
    assert found.pool != TRUE.pool


@pytest.mark.parametrize(
    ("subset", "splits", "error", "message"),
    [
        ("unseen", {}, UsageError, "such as unseen-50-0"),
        ("unseen-50-0", None, MissingData, "no such file"),
        ("unseen-75-0", {"50_50": []}, UsageError, "holds splits 50_50"),
        ("unseen-50-1", {"50_50": [{"train": ["a"], "test": ["b"]}]}, UsageError, "holds 1 splits of 50 %"),
        ("unseen-50-0", {"50_50": [["a"]]}, InvalidData, "no lists of names"),
        ("unseen-50-0", {"50_50": [{"test": ["b", "b"]}]}, InvalidData, "names a class twice"),
        ("unseen-50-0", {"50_50": [{"test": ["e"]}]}, InvalidData, "names 'e', which is no class"),
        ("unseen-50-0", [], UsageError, "holds splits nothing"),
    ],
)
def test_a_split_that_is_not_there_or_broken(tmp_path, subset, splits, error, message):
    with pytest.raises(error, match=message):
        of_subset(TRUE, subset, declaration(tmp_path, splits))


def test_a_half_without_test_videos_is_refused(tmp_path):
    lone = replace(TRUE, labels={"v1": (0,)}, missing=frozenset())
    with pytest.raises(UsageError, match="no test video has one of its 1 class"):
        of_subset(lone, "unseen-50-0", declaration(tmp_path, {"50_50": [{"test": ["b"]}]}))


@pytest.fixture(scope="module")
def activitynet(shared):
    labels = shared("data/activitynet_v1-3/labels.csv")
    captions = shared("data/activitynet_captions/train.json.gz").parent
    features = FeatureDeclaration("simulated", "simulated")
    return DatasetDeclaration("anet", "activitynet", captions, features, labels=labels, class_splits=LABELLED)


def test_the_published_halves_are_halves_of_the_classes(activitynet):
    videos = labelled_splits(activitynet.labels, LABELLED)["labelled_val"]()
    labels = dict(zip(videos.ids, videos.labels, strict=True))
    true = ClassAnnotations(labels, videos.class_names, "0" * 64)
    for share, unseen_classes in (("50", 100), ("75", 50)):
        for number in range(10):
            seen, unseen = (of_subset(true, f"{half}-{share}-{number}", activitynet) for half in ("seen", "unseen"))
            assert len(unseen.class_names) == unseen_classes
            assert set(seen.class_names) | set(unseen.class_names) == set(videos.class_names)
            assert set(seen.labels) | set(unseen.labels) == set(labels)


def test_activitynets_captions_name_many_of_its_classes(activitynet):
    (line,) = open_dataset(activitynet).seen_classes(captions=True)
    assert line == (
        "133 of 200 class names stand word for word in the training captions; "
        "that of the video itself in 14.1 % of them"
    )


def test_features_of_which_nobody_says_what_they_learned(tmp_path):
    import numpy as np

    (tmp_path / "labels.csv").write_text("video_id,subset,labels\nx,train,a\ny,test,b\n", encoding="utf-8")
    np.savez(tmp_path / "toy.npz", ids=np.array(["x", "y"]), features=np.ones((2, 1, 3), dtype=np.float32))
    from bench.data.readers.labels import open_dataset as open_labels

    toy = replace(declaration(tmp_path, None), class_splits=("train", "test"), captions=False)
    features = replace(toy.features, extractor="TOY")
    (line,) = open_labels(replace(toy, features=features)).seen_classes(captions=True)
    assert line == "the features TOY were trained on: unknown (say it as trained_on under features in bench.yaml)"
    (line,) = open_labels(replace(toy, features=replace(features, trained_on="words"))).seen_classes(captions=False)
    assert line == "the features TOY were trained on: words"


@pytest.mark.parametrize("text", ["1_0", "\N{FULLWIDTH DIGIT ONE}", "nan", "inf", "1e999", "0", "-1", "0x1"])
def test_a_duration_that_is_no_plain_number_of_seconds_is_refused(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(f"video_id,subset,labels,duration\nx,train,a, 1.5e1 \ny,test,b,{text}\n", encoding="utf-8")
    with pytest.raises(InvalidData, match="is no positive number of seconds"):
        labelled_splits(path, ("train", "test"))["train"]()
    path.write_text("video_id,subset,labels,duration\nx,train,a, 1.5e1 \ny,test,b,\n", encoding="utf-8")
    assert labelled_splits(path, ("train", "test"))["train"]()
