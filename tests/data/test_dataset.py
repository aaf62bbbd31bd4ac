"""What an opened dataset hands out: opaque ids, limits, digests, a held-out tenth, a report."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from bench.data.dataset import Dataset
from bench.data.declared import DatasetDeclaration, FeatureDeclaration, SplitDeclaration
from bench.data.digests import heldout_indices, opaque_id
from bench.data.lessons import TrainingSet, training_set
from bench.data.readers.activitynet import open_dataset
from bench.data.verify import verify
from bench.errors import ConfigError, InvalidData, MissingData, UsageError
from bench.inputs import View

SAMPLE = DatasetDeclaration("anet", "activitynet", None, FeatureDeclaration("sample", "sample"))


@pytest.fixture(scope="module")
def sample():
    return open_dataset(SAMPLE)


@pytest.fixture
def own(tmp_path):
    """A folder with captions.json of 30 videos and features in one npz, declared as `mine`."""
    captions = {
        f"v{i:02d}": {"duration": 10.0, "timestamps": [[0, 5], [5, 10]], "sentences": [f"one {i}", f"two {i}"]}
        for i in range(30)
    }
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    np.savez(tmp_path / "f.npz", ids=np.array(list(captions)), features=np.ones((30, 4, 6), np.float32))
    return declare(tmp_path)


def declare(folder, test=(20, 30)):
    file = folder / "captions.json"
    return DatasetDeclaration(
        name="mine",
        reader="activitynet",
        root=folder,
        features=FeatureDeclaration("toy", "npz", folder / "f.npz", "toy"),
        splits={"train": SplitDeclaration(file, take=(0, 20)), "test": SplitDeclaration(file, take=test)},
        test="test",
    )


def test_the_sample_says_that_it_is_generated(sample):
    assert (sample.kind, sample.label, sample.recipe) == ("generated", "sample (generated)", "sample")
    assert sample.feature_identity(["val_1"]).kind == "generated"
    assert len(sample.class_names()) == 16


def test_files_with_features_are_real_and_called_by_their_name(own):
    dataset = open_dataset(own)
    assert (dataset.kind, dataset.label, dataset.recipe) == ("real", "mine", None)


def test_simulated_features_are_said_beside_every_number(own):
    dataset = open_dataset(replace(own, features=FeatureDeclaration("simulated", "simulated")))
    assert (dataset.kind, dataset.label, dataset.recipe) == ("simulated", "mine (simulated features)", None)
    assert dataset.feature_identity(["test"]).kind == "simulated"


def test_a_split_has_its_columns(sample):
    columns = sample.columns("val_1")
    assert list(columns) == ["video_id", "duration", "timestamps", "sentences", "labels"]
    assert {label for own in columns["labels"] for label in own} <= set(range(len(sample.class_names())))
    assert {type(seconds) for seconds in columns["duration"]} == {float}
    assert {len(column) for column in columns.values()} == {sample.count("val_1")} == {500}


def test_each_side_comes_in_the_order_of_its_own_opaque_ids(sample):
    inputs = sample.inputs("val_1", View(), max_rows=80)
    assert list(inputs.videos.ids) == sorted(inputs.videos.ids)
    assert list(inputs.paragraph_ids) == sorted(inputs.paragraph_ids)
    assert not set(inputs.videos.ids) & set(inputs.paragraph_ids)
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in inputs.videos.ids)


def test_the_two_orders_are_unrelated(sample):
    inputs = sample.inputs("val_1", View(), max_rows=80)
    matches = sample.annotations("val_1").matching.own
    place = {name: i for i, name in enumerate(inputs.videos.ids)}
    places = [place[matches[name]] for name in inputs.paragraph_ids]
    assert sorted(places) == list(range(500))
    assert abs(np.corrcoef(places, range(500))[0, 1]) < 0.15


def test_paragraphs_and_videos_carry_the_ids_of_what_they_are(sample):
    inputs = sample.inputs("val_1", View(), max_rows=80, limit=5)
    columns = sample.columns("val_1")
    for name, paragraph in zip(inputs.paragraph_ids, inputs.paragraphs, strict=True):
        index = columns["sentences"].index(list(paragraph))
        assert opaque_id("anet", "val_1", "paragraph", columns["video_id"][index]) == name
        video = sample.annotations("val_1").matching.own[name]
        batch = inputs.videos.batch([inputs.videos.ids.index(video)])
        assert float(batch.durations[0]) == columns["duration"][index]


def test_a_limit_keeps_the_first_videos_in_opaque_order_with_their_paragraphs(sample):
    whole = sample.inputs("val_1", View(), max_rows=80)
    limited = sample.inputs("val_1", View(), max_rows=80, limit=7)
    assert limited.videos.ids == whole.videos.ids[:7]
    assert sample.annotations("val_1", limit=7).matching.own == {
        name: video for name, video in sample.annotations("val_1").matching.own.items() if video in limited.videos.ids
    }
    assert set(limited.paragraph_ids) == set(sample.annotations("val_1", limit=7).matching.own)
    assert sample.count("val_1", 7) == 7
    assert sample.count("val_1", 9999) == 500


def test_a_limit_below_one_is_a_usage_error(sample):
    with pytest.raises(UsageError, match="limit=0"):
        sample.inputs("val_1", View(), max_rows=80, limit=0)


def test_an_unknown_split_names_those_there_are(sample):
    with pytest.raises(MissingData, match=r"no split 'val_3'\. Splits: train, val_1, val_2"):
        sample.annotations("val_3")


def test_the_pool_is_about_ids_and_sentences_only(own, tmp_path):
    before = open_dataset(own)
    captions = json.loads((tmp_path / "captions.json").read_text())
    for entry in captions.values():
        entry["timestamps"] = [[1, 2], [2, 3]]
    other = tmp_path / "other"
    other.mkdir()
    (other / "captions.json").write_text(json.dumps(captions))
    moved = replace(declare(other), features=FeatureDeclaration("simulated", "simulated"), name="else")
    after = open_dataset(moved)
    assert after.annotations("test").pool == before.annotations("test").pool
    assert after.annotation_digest("test") != before.annotation_digest("test")
    captions["v25"]["sentences"][0] = "changed"
    (other / "captions.json").write_text(json.dumps(captions))
    assert open_dataset(moved).annotations("test").pool != before.annotations("test").pool


def told(dataset: Dataset, view: View) -> TrainingSet:
    return training_set(dataset, "paragraphs", view)


def test_training_holds_out_a_tenth_chosen_by_id(sample):
    data = sample.training(told(sample, View()), max_rows=80)
    assert (len(data), len(data.heldout), data.aligned) == (600, 60, True)
    assert data.heldout == sample.training(told(sample, View("none")), max_rows=80).heldout
    fit, held = data.split()
    assert len(fit) == 540
    assert set(held.videos.ids).isdisjoint(fit.videos.ids)


def test_the_held_out_tenth_depends_on_ids_and_not_on_their_order():
    ids = [f"v{i}" for i in range(50)]
    held = {ids[i] for i in heldout_indices(ids, {})}
    assert {ids[::-1][i] for i in heldout_indices(ids[::-1], {})} == held
    assert len(held) == 5


def test_groups_are_held_out_whole_until_a_tenth_of_the_videos_is_reached():
    ids = [f"v{i}" for i in range(60)] * 2  # each has two captions
    groups = {video_id: video_id[:-1] for video_id in ids}  # v, v1 … v5 of ten each
    held = {ids[i] for i in heldout_indices(ids, groups)}
    assert len(held) == 10
    assert {groups[v] for v in ids if v not in held}.isdisjoint({groups[v] for v in held})
    assert held == {ids[::-1][i] for i in heldout_indices(ids[::-1], groups)}


@pytest.mark.parametrize("large", ["a", "b", "c", "d", "e"])
def test_a_group_of_more_than_half_of_the_videos_is_never_the_held_out_one(large):
    groups = {f"v{i}": large if i < 30 else f"{large}2" for i in range(40)}
    assert {groups[list(groups)[i]] for i in heldout_indices(list(groups), groups)} == {f"{large}2"}


def test_a_training_limit_keeps_the_first_videos_of_the_file(own):
    dataset = open_dataset(own)
    data = dataset.training(told(dataset, View()), max_rows=80, limit=4)
    assert data.paragraphs == tuple((f"one {i}", f"two {i}") for i in range(4))
    assert len(data.heldout) == 1
    assert not dataset.training(told(dataset, View("uniform-2")), max_rows=80).aligned


def test_the_training_digest_changes_with_what_training_depends_on(own):
    dataset = open_dataset(own)
    usual = told(dataset, View())
    simulated = open_dataset(replace(own, features=FeatureDeclaration("simulated", "simulated")))
    digests = {
        dataset.training_digest(usual),
        dataset.training_digest(told(dataset, View("none"))),
        dataset.training_digest(usual, limit=4),
        simulated.training_digest(usual),
    }
    assert len(digests) == 4
    assert open_dataset(replace(own, name="renamed")).training_digest(usual) in digests


def test_the_digest_of_training_on_the_sample_stays_what_it_was(sample):
    """It is part of every checkpoint's key: another digest fits all models of all users anew."""
    digest = sample.training_digest(told(sample, View()), limit=40)
    assert digest == "adbd17bb60f378dcf43d270567b1d66c9e1897386558df6b09bd46a420229ae3"


def test_training_on_test_videos_is_refused(tmp_path, own):
    dataset = open_dataset(declare(tmp_path, test=(15, 30)))
    with pytest.raises(InvalidData, match="5 videos of train are also in test"):
        dataset.check_disjoint("test")
    assert "5 videos of train are also in test" in str(verify(dataset).problems[0])


def test_the_report_counts_what_there_is(own, tmp_path):
    captions = json.loads((tmp_path / "captions.json").read_text())
    captions["v03"]["sentences"] = captions["v02"]["sentences"]
    captions["v04"]["timestamps"][0] = [5, 0]
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    report = "\n".join(verify(open_dataset(own)).facts)
    assert "train: 20 videos, 40 sentences, 40 segments" in report
    assert "train: 1 times a paragraph that occurred before" in report
    assert "train: 1 reversed segments" in report
    assert "features: toy, 6-d" in report


def test_the_report_of_the_sample_says_that_it_is_generated(sample):
    report = verify(sample).facts
    assert report[0] == "sample (generated): kind generated"
    assert "val_2: 500 videos" in "\n".join(report)


def test_videos_without_features_are_counted_and_named(own, tmp_path):
    np.savez(tmp_path / "f.npz", ids=np.array([f"v{i:02d}" for i in range(25)]), features=np.ones((25, 4, 6)))
    dataset = open_dataset(own)
    with pytest.raises(MissingData, match=r"5 of 10 videos have no features: v.., v.., v.., …"):
        dataset.inputs("test", View(), max_rows=80)
    report = verify(dataset)
    assert "5 of 10 videos" in str(report.problems[0])
    assert report.missing == {"train": (), "test": tuple(f"v{i}" for i in range(25, 30))}


def test_sample_features_belong_to_the_sample(own):
    with pytest.raises(ConfigError, match="'sample' are features of the generated sample"):
        open_dataset(replace(own, features=FeatureDeclaration("sample", "sample")))


def test_the_sample_takes_no_other_features(own):
    with pytest.raises(ConfigError, match="has its own features"):
        open_dataset(replace(SAMPLE, features=own.features))
