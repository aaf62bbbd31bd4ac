"""Which video a text belongs to: handed to tasks that ask inside one video, never to one that asks for it."""

from __future__ import annotations

import pytest

from bench.catalogue.config import PACKAGED, load
from bench.catalogue.lookup import Session
from bench.inputs import View

CONFIG = """
version: 1
datasets:
  plain: {reader: activitynet, root: ., features: simulated, splits: {train: {file: a.json}, test: {file: b.json}}}
  each:
    {reader: activitynet, root: ., features: simulated, segments: none, captions: each,
     splits: {train: {file: a.json}, test: {file: b.json}}}
  together:
    {reader: activitynet, root: ., features: simulated, segments: none, captions: together,
     splits: {train: {file: a.json}, test: {file: b.json}}}
  asked:
    {reader: activitynet, root: ., features: simulated, segments: none, captions: together,
     queries: queries.json, relevance: relevant.txt,
     splits: {train: {file: a.json}, test: {file: b.json}}}
"""


@pytest.fixture
def session(tmp_path):
    for name, letters in (("a.json", "abcdef"), ("b.json", "uvwxyz")):
        videos = [
            f'"{v}": {{"duration": 9, "timestamps": [[0, 4], [4, 9]], "sentences": ["{v} one", "{v} two"]}}'
            for v in letters
        ]
        (tmp_path / name).write_text("{" + ", ".join(videos) + "}")
    (tmp_path / "queries.json").write_text('{"q1": "u one", "q2": "v two"}')
    (tmp_path / "relevant.txt").write_text("q1 0 u 1\nq2 0 v 1\n")
    (tmp_path / "bench.yaml").write_text(CONFIG)
    return Session(load(tmp_path / "bench.yaml"))


def handed(session):
    """Returns what every task of a session is handed of the pairing, by name."""
    found = {}
    for name, task in session.catalogue.tasks.items():
        dataset = session.dataset(task.dataset)
        inputs = dataset.inputs(task.split, task.view, max_rows=8, support=task.support)
        under = inputs.under(View("none", text=task.view.text))
        found[name] = (inputs.pairing, under.pairing)
    return found


def test_no_bundled_task_is_handed_the_pairing_whatever_the_dataset(session):
    found = handed(session)

    assert {name.partition("-")[0] for name in found} == {"plain", "each", "together", "asked"}
    assert sum(name.endswith("-retrieval") for name in found) == 4
    assert set(found.values()) == {((), ())}


def test_nor_on_the_sample():
    found = handed(Session(load(PACKAGED if PACKAGED.exists() else None)))

    assert {"anet-retrieval", "anet-retrieval-incomplete", "anet-captioning", "anet-zero-shot"} <= set(found)
    assert set(found.values()) == {((), ())}


@pytest.mark.parametrize(("name", "text"), [("plain", "paragraph"), ("plain", "caption"), ("each", "caption")])
def test_who_asks_for_it_is_told_the_video_of_each_text(session, name, text):
    dataset = session.dataset(name)
    inputs = dataset.inputs("test", View("none", text=text), max_rows=8, support=("pairing",))

    own = dataset.annotations("test", text=text).matching.own
    assert [inputs.videos.ids[place] for place in inputs.pairing] == [own[text] for text in inputs.paragraph_ids]
    assert inputs.under(View("uniform-2", text=text)).pairing == inputs.pairing


def test_queries_of_their_own_have_no_video_to_ask_in(session):
    from bench.errors import InvalidData

    with pytest.raises(InvalidData, match="queries belong to no video"):
        session.dataset("asked").inputs("test", View("none"), max_rows=8, support=("pairing",))
