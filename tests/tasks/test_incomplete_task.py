"""The incomplete task: what is cut, what is embedded how often, and that whole is plain retrieval."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from bench.data.declared import DatasetDeclaration, FeatureDeclaration
from bench.data.readers.activitynet import open_dataset
from bench.errors import UsageError, VerificationError
from bench.evidence.verification import verify
from bench.execution import Execution
from bench.inputs import View
from bench.metrics.curves import FRACTIONS
from bench.predictions import EmbeddingCurve, load_predictions
from bench.tasks.incomplete import IncompleteRetrieval
from bench.tasks.retrieval import ParagraphVideoRetrieval
from bench.tasks.task import Task

TASK = IncompleteRetrieval("anet-retrieval-incomplete", "anet", "val_1")
PLAIN = ParagraphVideoRetrieval("anet-retrieval", "anet", "val_1")
LIMIT = 40


@pytest.fixture(scope="module")
def sample():
    return open_dataset(DatasetDeclaration("anet", "activitynet", None, FeatureDeclaration("sample", "sample")))


class Sizes:
    """Embeds what it can count: rows, segments and seconds of a video; sentences and letters of a paragraph."""

    def __init__(self):
        self.calls = {"videos": 0, "paragraphs": 0}

    def embed_videos(self, videos):
        self.calls["videos"] += len(videos)
        parts = [videos.frames.lengths, videos.segments.lengths, videos.durations]
        return torch.stack([part.float() for part in parts], dim=1)

    def embed_paragraphs(self, paragraphs):
        self.calls["paragraphs"] += len(paragraphs)
        return torch.tensor([[len(p), 1.0, sum(map(len, p))] for p in paragraphs])


def predict(sample, task, view=None, model=None):
    inputs = sample.inputs("val_1", view or task.view, max_rows=200, limit=LIMIT)
    return task.predict(model or Sizes(), inputs, Execution(batch_size=16), lambda *_: None)


def test_it_is_a_task():
    task: Task = TASK
    assert task.primary == "t2v/R@1/AUC"
    assert task.rules()["keep"] == "0.2-1.0"


def test_the_name_shows_parameters_that_differ_from_the_default():
    assert TASK.name == "anet-retrieval-incomplete"
    other = TASK.with_parameters({"cut": "both", "order": "random", "segments": "uniform-4"})
    assert other.name == "anet-retrieval-incomplete:segments=uniform-4,cut=both,order=random"
    assert other.with_parameters({"cut": "video", "order": "prefix", "segments": "gt"}) == TASK
    assert other.rules()["cut"] == "both"


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"cut": "audio"}, "use video, text, both"),
        ({"order": "suffix"}, "use prefix, random"),
        ({"segments": "ssn"}, "not a segment source"),
        ({"fractions": "0.5"}, "no parameter 'fractions'"),
    ],
)
def test_unknown_parameters_and_values_are_refused(chosen, says):
    with pytest.raises(UsageError, match=says):
        TASK.with_parameters(chosen)


@pytest.mark.parametrize(("cut", "videos", "texts"), [("video", 5, 1), ("text", 1, 5), ("both", 5, 5)])
def test_a_side_that_is_not_cut_is_embedded_once(sample, cut, videos, texts):
    model = Sizes()
    found = predict(sample, TASK.with_parameters({"cut": cut}), model=model)
    assert model.calls == {"videos": videos * LIMIT, "paragraphs": texts * LIMIT}
    assert (len(found.videos), len(found.paragraphs)) == (videos, texts)
    assert found.fractions == FRACTIONS


@pytest.mark.parametrize("order", ["prefix", "random"])
def test_more_is_left_at_larger_fractions(sample, order):
    found = predict(sample, TASK.with_parameters({"cut": "both", "order": order}))
    for small, large in pairwise(FRACTIONS):
        assert (found.videos[small] <= found.videos[large]).all()
        assert (found.paragraphs[small] <= found.paragraphs[large]).all()
    assert (found.videos[0.2][:, 0] < found.videos[1.0][:, 0]).all()


@pytest.mark.parametrize("cut", ["video", "text", "both"])
def test_the_whole_is_plain_retrieval(sample, cut):
    found, plain = predict(sample, TASK.with_parameters({"cut": cut})), predict(sample, PLAIN)
    assert (found.at(1.0).videos == plain.videos).all()
    assert (found.at(1.0).paragraphs == plain.paragraphs).all()
    annotations = sample.annotations("val_1", limit=LIMIT)
    curve = {m.name: m for m in TASK.score(found, annotations, "cpu").measurements}
    for measurement in PLAIN.score(plain, annotations, "cpu").measurements:
        name = f"{measurement.name}[keep=1.0]"
        if name in curve:
            assert (curve[name].value, curve[name].ci95) == (measurement.value, measurement.ci95)


def test_models_without_segments_see_the_same_incomplete_videos(sample):
    with_clips, without = predict(sample, TASK), predict(sample, TASK, view=View("none"))
    for fraction in FRACTIONS:
        assert (with_clips.videos[fraction][:, 0] == without.videos[fraction][:, 0]).all()
        assert (with_clips.videos[fraction][:, 2] == without.videos[fraction][:, 2]).all()
        assert (without.videos[fraction][:, 1] == 1).all()


def test_what_is_scored_verifies(sample):
    scored = TASK.score(predict(sample, TASK), sample.annotations("val_1", limit=LIMIT), "cpu")
    verify(scored.evidence, scored.measurements)
    assert TASK.primary in {m.name for m in scored.measurements}


def test_predictions_survive_their_file(sample, tmp_path):
    found = predict(sample, TASK)
    found.save(tmp_path / "a.safetensors")
    read = load_predictions(tmp_path / "a.safetensors", (EmbeddingCurve,))
    assert isinstance(read, EmbeddingCurve)
    assert read.fractions == FRACTIONS
    assert (read.video_ids, read.paragraph_ids) == (found.video_ids, found.paragraph_ids)
    for fraction in FRACTIONS:
        assert (read.at(fraction).videos == found.at(fraction).videos).all()
        assert (read.at(fraction).paragraphs == found.at(fraction).paragraphs).all()
    read.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_predictions_of_another_task_are_refused(sample):
    annotations = sample.annotations("val_1", limit=LIMIT)
    curve, plain = predict(sample, TASK), predict(sample, PLAIN)
    with pytest.raises(VerificationError, match="another task"):
        TASK.score(plain, annotations, "cpu")
    with pytest.raises(VerificationError, match="embedding curve"):
        PLAIN.score(curve, annotations, "cpu")


def test_nan_at_one_fraction_is_never_ranked(sample):
    found = predict(sample, TASK)
    found.videos[0.4][3, 0] = np.nan
    with pytest.raises(Exception, match="NaN or infinity"):
        found.check("sizes")
