"""`bench clipscore`: captions beside the frames of their own segments, by a tiny dual encoder of four colours."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import install
from pretend_device import pretending

from bench.data.features.growing import FramesOfRows, PackEntry, index_of
from bench.data.features.pack_format import EXTRACTED, HEADER, INDEX, ROWS, Header, Made, pack_digest, video_digest
from bench.files import write_json

CONFIG = """
version: 1
datasets:
  told:
    reader: activitynet
    root: .
    features: given
    missing: {missing}
    test: val_1
    splits: {{val_1: {{file: val_1.json}}, val_2: {{file: val_2.json}}}}
  whole:
    reader: captions
    root: .
    features: given
    segments: none
    captions: each
    splits: {{test: {{file: whole.json}}}}
features:
  given: {{reader: npz, path: given.npz, extractor: given}}
  seen: {{pack: packs/seen}}
  fewer: {{pack: packs/fewer}}
  otherwise: {{pack: packs/otherwise}}
  blind: {{pack: packs/blind}}
"""
RED, GREEN, BLUE = np.eye(3, dtype=np.float32)
SHOWN = {
    "v_0": [RED, RED, GREEN, GREEN],
    "v_1": [BLUE, BLUE, RED, RED],
    "v_2": [GREEN, GREEN, GREEN + RED, GREEN + BLUE / 2],
}
HALVES = [[0.0, 1.0], [2.0, 4.0]]
FIRST = {
    "v_0": ["a red door", "white on green"],
    "v_1": ["the blue sea", "a blue boat"],
    "v_2": ["green grass", "green again"],
}
SECOND = {"v_0": ["some green", "just green"]}
"""Of v_0 others said something else of its first half, and the same of its second."""


def lasting(sentences):
    return {"duration": 4.0, "timestamps": HALVES, "sentences": sentences}


def write_pack(folder, encoder, rows, **settings):
    """Writes rows (T, 3) of videos as a pack that `encoder` is said to have made."""
    made = Made(
        encoder=encoder, revision=1, settings=settings, weights="", preprocessing="mean colour", sampler="fps=1",
        segments="", reader="Pillow 1", computed="cpu",
    )  # fmt: skip
    folder.mkdir(parents=True)
    stacked = {name: np.stack(rows[name]) for name in sorted(rows)}
    entries = [
        PackEntry(len(one), video_digest(one), FramesOfRows("0" * 64, (1, 1), np.arange(len(one))))
        for one in stacked.values()
    ]
    index = index_of(list(stacked), entries)
    (folder / ROWS).write_bytes(b"".join(one.tobytes() for one in stacked.values()))
    index.save(folder / INDEX)
    head = Header(
        format=EXTRACTED, extractor=encoder, dim=3, dtype="float32", stride="1 s", kind="real", source="made up",
        videos=len(rows), rows=sum(map(len, rows.values())), digest="0" * 64, made=made,
    )  # fmt: skip
    write_json(folder / HEADER, head.model_copy(update={"digest": pack_digest(head, index)}).model_dump())


class Clips:
    """A folder with two datasets on the same three videos, packs of several encoders, and captioners."""

    def __init__(self, bench):
        self.bench, self.folder = bench, bench.folder
        here = Path(__file__)
        self.site = install(self.folder / "site", here.with_name("text_encoders.py"), "tiny-encoders")
        install(self.site, here.with_name("colour_captioners.py"), "colour-captioners")
        self.declare()
        texts = {name: [*FIRST[name], "a thing"] for name in FIRST}
        for name, content in {
            "val_1": {name: lasting(said) for name, said in FIRST.items()},
            "val_2": {name: lasting(said) for name, said in SECOND.items()},
            "whole": texts,
        }.items():
            (self.folder / f"{name}.json").write_text(json.dumps(content))
        rows = np.stack([np.stack(shown) for shown in SHOWN.values()])
        np.savez(self.folder / "given.npz", video_id=list(SHOWN), features=rows)
        packs = self.folder / "packs"
        write_pack(packs / "seen", "colours", SHOWN, gain=1.0)
        write_pack(packs / "fewer", "colours", {"v_0": SHOWN["v_0"]}, gain=1.0)
        write_pack(packs / "otherwise", "colours", SHOWN, gain=2.0)
        write_pack(packs / "blind", "blind", SHOWN)

    def declare(self, missing="fail"):
        (self.folder / "bench.yaml").write_text(CONFIG.format(missing=missing))

    def run(self, model, task):
        done = self.bench("run", "-m", model, "-t", task, "--json", path=self.site)
        return json.loads(done.stdout)[0]["run"]

    def score(self, run, *flags, exit_code=0):
        return self.bench("clipscore", f"runs/{run}", *flags, path=self.site, exit_code=exit_code)

    def told(self, run, *flags):
        return json.loads(self.score(run, "--features", "seen", "--json", *flags).stdout)


@pytest.fixture(scope="module")
def clips(tmp_path_factory, bench_in):
    """Returns the folder; tests only read it, but for the files of scores."""
    return Clips(bench_in(tmp_path_factory.mktemp("clips")))


@pytest.fixture(scope="module")
def described(clips):
    """Returns a run that captioned every segment by its colour, under two annotations."""
    return clips.run("Painter", "told-captioning")


def of(told, name):
    return {(one["video"], (one["segment"] or [None])[0]): one[name] for one in told["captions"]}


def test_a_caption_stands_beside_the_frames_of_its_own_segment(clips, described):
    told = clips.told(described)

    mixed = np.array([GREEN + RED, GREEN + BLUE / 2])
    mean = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).mean(axis=0)
    clip = of(told, "CLIPScore")
    assert clip[("v_0", 0.0)] == pytest.approx(2.5)  # all of its video is half red and half green
    assert clip[("v_0", 2.0)] == pytest.approx(2.5)
    assert clip[("v_1", 0.0)] == 0.0  # nothing was said
    assert clip[("v_1", 2.0)] == pytest.approx(2.5)
    assert clip[("v_2", 2.0)] == pytest.approx(2.5 * mean[1] / np.linalg.norm(mean))
    ref = of(told, "RefCLIPScore")
    assert ref[("v_0", 0.0)] == pytest.approx(2 * 2.5 / 3.5)
    assert ref[("v_0", 2.0)] == pytest.approx(2 * 2.5 / 3.5)  # the second annotation says the same
    assert ref[("v_1", 2.0)] == 0.0  # red is none of blue
    first, second = told["measurements"]
    assert first["value"] == pytest.approx(np.mean(list(clip.values())))
    assert second["value"] == pytest.approx(np.mean(list(ref.values())))
    assert first["ci95"] is None  # too few videos
    assert first["n"] == 6
    assert told["empty"] == 1


def test_its_figures_lie_beside_the_record_with_a_signature_of_their_own(clips, described):
    folder = clips.folder / "runs" / described
    before = (folder / "result.json").read_bytes()

    said = clips.score(described, "--features", "seen").stdout

    (written,) = folder.glob("captions-clipscore-*.json")
    told = json.loads(written.read_text())
    assert "1 of 6 captions are empty and count 0" in said
    assert said.rstrip().endswith(written.name)
    assert re.fullmatch(
        r"clipscore/1\|run=.*\|captions=[0-9a-f]{8}\|segments=gt\|encoder=colours\|weights=[0-9a-f]{8}"
        r"\|features=colours-3:[0-9a-f]{8}\|frames=fps:1\|pooling=mean-of-directions\|template=A_photo_depicts_\{\}"
        r"\|w=2.5\|references=all\|empty=zero",
        told["signature"],
    )
    assert (folder / "result.json").read_bytes() == before
    written.unlink()
    written.mkdir()  # stands in the way
    failed = clips.score(f"{described}/result.json", "--features", "seen", exit_code=1)
    assert failed.stdout == said.rpartition(str(written.name))[0].rpartition("\n")[0] + "\n"
    assert "SaveError: " in failed.stderr
    assert f"{described}/{written.name}" in failed.stderr
    written.rmdir()
    clips.score(f"{described}/result.json", "--features", "seen")
    assert json.loads(written.read_text()) == told
    other = clips.told(described, "--template", "{} and blue _")
    assert other["measurements"] != told["measurements"]
    assert "|template={}_and_blue_%5F|" in other["signature"]


def test_paragraphs_are_scored_sentence_by_sentence(clips, described):
    paragraphs = clips.told(clips.run("Painter", "told-paragraph-captioning"))

    assert of(paragraphs, "CLIPScore") == of(clips.told(described), "CLIPScore")


def test_a_pretended_gpu_counts_the_same(clips, described):
    with pretending() as counted:
        told = clips.told(described, "--device", "cuda")

    assert counted.launches.total() > 0
    assert told == clips.told(described, "--device", "cpu")


def test_whole_videos_have_all_captions_as_references(clips):
    told = clips.told(clips.run("Painter", "whole-captioning"))

    clip, ref = of(told, "CLIPScore"), of(told, "RefCLIPScore")
    assert clip[("v_0", None)] == pytest.approx(2.5 / np.sqrt(2))  # green, of a video that is half red
    nearest = 2 / np.sqrt(1 + 4 + 1)  # "white on green" is (1, 2, 1)
    assert ref[("v_0", None)] == pytest.approx(2 * clip[("v_0", None)] * nearest / (clip[("v_0", None)] + nearest))


def label(video, caption, value, **more):
    return json.dumps({"video": video, "caption": caption, "references": ["green"], "label": value, **more})


def test_agreement_with_people_is_measured_on_captions_of_whole_videos(clips, described, tmp_path):
    labels = tmp_path / "labels.jsonl"
    lines = [label("v_0", "red", 3), label("v_0", "blue", 1), label("v_1", "blue", 5), label("v_1", "blue", 4)]
    labels.write_text("\n".join([*lines, label("v_2", "", 0)]))
    run = clips.run("Painter", "whole-captioning")

    told = clips.told(run, "--labels", labels)

    assert [one["agreement"]["n"] for one in told["measurements"]] == [4, 4]
    first, second = (one["agreement"]["tau"] for one in told["measurements"])
    assert first == pytest.approx(4 / np.sqrt(4 * 6))  # the cosines are 0.71, 0, 0.71 and none: of 6 pairs 2 are ties
    assert second is None  # none is near a reference
    assert "|labels=" in told["signature"]
    said = clips.score(run, "--features", "seen", "--labels", labels).stdout
    assert "RefCLIPScore, agreement with people: none can be said of 4 labelled captions that are all alike" in said
    refused = clips.score(described, "--features", "seen", "--labels", labels, exit_code=2).stderr
    assert "told has segments, and a label does not say of which" in refused
    labels.write_text(label("v_9", "red", 3))
    refused = clips.score(run, "--features", "seen", "--labels", labels, exit_code=2).stderr
    assert "labels.jsonl:1: 'v_9' is no video of whole test. Every line of --labels names the video" in refused
    labels.write_text("\n" + json.dumps({"caption": "red", "references": ["red"], "label": 3}))
    refused = clips.score(run, "--features", "seen", "--labels", labels, exit_code=2).stderr
    assert "labels.jsonl:2: no video is named. Every line of --labels names the video" in refused


@pytest.mark.parametrize(
    ("flags", "exit_code", "says"),
    [
        ((), 3, "'given' were made by others. Such encoders: colours"),
        (("--features", "blind"), 3, "'blind' were made by encoder 'blind', which reads no text. Such encoders:"),
        (("--features", "otherwise"), 3, "encoder 'colours' with other weights or settings"),
        (("--features", "sen"), 3, "unknown feature source 'sen'. Did you mean 'seen'?"),
        (("--features", "fewer"), 4, "2 of 3 videos have no features: v_1, v_2."),
        (("--features", "seen", "--template", "a photo"), 2, "write {} once, where the caption stands"),
    ],
)
def test_what_cannot_be_scored_says_why_in_one_line(clips, described, flags, exit_code, says):
    said = clips.score(described, *flags, exit_code=exit_code).stderr

    assert says in said
    assert "Traceback" not in said
    assert said.count("\n") == 1


def test_videos_that_may_be_missing_need_features_where_they_have_captions(clips, described):
    clips.declare("penalise")
    try:
        said = clips.score(described, "--features", "fewer", exit_code=4).stderr
    finally:
        clips.declare()

    assert "features 'fewer' lack 2 of 3 videos that have captions, such as 'v_" in said


def test_captions_without_a_word_are_no_score(clips):
    said = clips.score(clips.run("Mute", "told-captioning"), "--features", "seen", exit_code=4).stderr

    assert "not one of 6 captions has a word" in said
