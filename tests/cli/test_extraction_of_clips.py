"""`bench features extract` of clips: which frames become rows, by the numbers that frames carry; and of real videos."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import install

from bench.catalogue import config as configuration
from bench.catalogue.lookup import Session
from bench.data.features.pack_format import Index
from bench.inputs import View

CONFIG = """
version: 1
features:
  frames: {{videos: "{videos}", encoder: {encoder}, sampler: {sampler}}}
  given: {{reader: npz, path: "{given}", extractor: given}}
"""


def declare(folder, videos, encoder, sampler, given="none.npz"):
    text = CONFIG.format(videos=videos, encoder=encoder, sampler=sampler, given=given)
    (folder / "bench.yaml").write_text(text)


def pack(folder, name="frames"):
    place = folder / "packs" / name
    header, index = json.loads((place / "pack.json").read_text()), Index.load(place / "index.safetensors")
    rows = np.fromfile(place / "rows.bin", dtype="<f4").reshape(-1, header["dim"])
    ends = np.cumsum(index.lengths)
    by_video = dict(zip(index.ids, np.split(rows, ends[:-1]), strict=True))
    return header, index, by_video


@pytest.fixture
def clips(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "video"))
    import clips

    yield clips
    del sys.modules["clips"]


@pytest.fixture
def site(tmp_path):
    return install(tmp_path / "site", Path(__file__).with_name("outside_encoders.py"), "outside-encoders")


@pytest.fixture
def extract(bench_command, clips, site, tmp_path):
    """Returns a function that writes clips by their names and extracts from them."""
    (tmp_path / "videos").mkdir()

    def extract(*names, encoder="numbers", sampler="frames=4", exit_code=0):
        known = {clip.name: clip for clip in clips.CLIPS}
        for name in names:
            clips.write(known[name], tmp_path / "videos")
        declare(tmp_path, "videos", encoder, sampler)
        return bench_command("features", "extract", "frames", "--jobs", "2", path=site, exit_code=exit_code)

    return extract


@pytest.mark.extra("video")
def test_rows_are_the_frames_that_the_sampler_takes(bench_command, extract):
    extract("steady.mp4", "with B-frames.mp4", "varying.mkv", "stream.ts")

    header, index, rows = pack(bench_command.folder)
    assert index.ids == ("steady", "stream", "varying", "with B-frames")
    for video_id, found in rows.items():
        assert found.ravel().tolist() == [10, 30, 50, 70], video_id
    assert "PyAV" in header["made"]["reader"]
    assert "FFmpeg" in header["made"]["reader"]
    assert index.taken is not None
    assert index.taken.counts.tolist() == [4, 4, 4, 4]
    seconds = index.taken.times[:4] * (index.taken.bases[0, 0] / index.taken.bases[0, 1])
    np.testing.assert_allclose(seconds, [0.4, 1.2, 2.0, 2.8], atol=1e-3)
    assert index.taken.sha256[0] != index.taken.sha256[1]


@pytest.mark.extra("video")
@pytest.mark.parametrize(("sampler", "frames"), [("fps=1", [0, 25, 50, 75]), ("linspace-round frames=3", [0, 40, 79])])
def test_other_samplers_take_other_frames(bench_command, extract, sampler, frames):
    extract("steady.mp4", sampler=sampler)
    assert pack(bench_command.folder)[2]["steady"].ravel().tolist() == frames


@pytest.mark.extra("video")
def test_a_pack_of_another_backend_is_not_taken_for_what_is_declared(bench_command, extract):
    extract("steady.mp4")
    text = (bench_command.folder / "bench.yaml").read_text()
    (bench_command.folder / "bench.yaml").write_text(text.replace("encoder:", "backend: opencv, encoder:"))

    said = bench_command("features", "compare", "frames", "packs/frames", exit_code=4).stderr

    assert "made with backend 'pyav', and bench.yaml asks for 'opencv'" in said


@pytest.mark.extra("video")
def test_windows_become_rows(bench_command, extract):
    extract("steady.mp4", encoder="windows", sampler="windows=2 stride 20")

    _, index, rows = pack(bench_command.folder)
    assert rows["steady"].shape == (4, 4)
    assert index.taken is not None
    assert index.taken.counts.tolist() == [8]


SEGMENTED = """
version: 1
datasets:
  mine: {reader: activitynet, root: ., features: frames, splits: {test: {file: captions.json}}}
features:
  frames: {videos: videos, encoder: numbers, sampler: frames=2, segments: mine}
"""
TOLD = {"sentences": ["one", "two"], "duration": 3.2}


@pytest.mark.extra("video")
def test_segments_are_sampled_one_by_one_and_stay_together(bench_command, clips, extract, site):
    folder = bench_command.folder
    for name in ("steady.mp4", "varying.mkv", "late.mp4"):
        clips.write({clip.name: clip for clip in clips.CLIPS}[name], folder / "videos")
    (folder / "bench.yaml").write_text(SEGMENTED)
    captions = {"steady": {**TOLD, "timestamps": [[0, 1], [1, 3]]}, "varying": {**TOLD, "timestamps": [[2, 3], [0, 2]]}}
    (folder / "captions.json").write_text(json.dumps(captions))

    bench_command("features", "extract", "frames", path=site)

    header, index, rows = pack(folder)
    assert index.ids == ("steady", "varying")  # no other video has segments
    assert header["made"]["segments"] == "mine"
    assert rows["steady"].ravel().tolist() == [6, 18, 37, 62]
    assert rows["varying"].ravel().tolist()[2:] == [12, 37]
    assert index.taken is not None
    assert index.taken.segment_rows.tolist() == [2, 2, 2, 2]
    dataset = Session(configuration.load(folder / "bench.yaml")).dataset("mine")
    shown = dataset.inputs("test", View("gt"), max_rows=80).videos.batch([0, 1])
    assert shown.clip_frames.lengths.tolist() == [2, 2, 2, 2]
    numbers = shown.clip_frames.values.ravel().tolist()
    assert sorted([numbers[:4], numbers[4:]]) == sorted(found.ravel().tolist() for found in rows.values())


@pytest.mark.extra("video")
def test_segments_that_cannot_be_sampled_are_one_line(bench_command, extract, site):
    folder = bench_command.folder
    extract("steady.mp4")
    (folder / "bench.yaml").write_text(SEGMENTED)
    for video_id, says in (("other", "holds no video of dataset 'mine'"), ("steady", "were made with")):
        (folder / "captions.json").write_text(json.dumps({video_id: {**TOLD, "timestamps": [[0, 1], [1, 3]]}}))
        assert says in bench_command("features", "extract", "frames", path=site, exit_code=4).stderr


@pytest.mark.extra("video")
def test_a_clip_that_is_damaged_or_too_short_costs_itself_alone(bench_command, extract):
    videos = bench_command.folder / "videos"
    extract("steady.mp4", "one frame.mp4", exit_code=5)
    told = json.loads((bench_command.folder / "packs" / "frames" / "unreadable.json").read_text())
    assert list(told) == ["one frame"]
    assert "asks for 4 frames, there is 1" in told["one frame"]

    content = (videos / "steady.mp4").read_bytes()
    (videos / "broken.mp4").write_bytes(content[: len(content) // 3])
    (videos / "sound.mp4").write_text("no video at all")
    said = extract(exit_code=4).stderr  # a pack of other videos is there
    assert "2 videos" in said
    assert "delete" in said


@pytest.mark.extra("encoders")
@pytest.mark.parametrize(
    ("videos", "given", "sampler"),
    [
        ("msvd_clips", "msvd_clips/lite0_16.npz", "linspace-round frames=16"),
        ("flickr8k_1000/images", "flickr8k_1000/lite0.npz", "frames=1"),
    ],
)
def test_features_of_real_videos_are_those_that_others_made(bench_command, shared, videos, given, sampler):
    folder = bench_command.folder
    declare(folder, shared(f"data/{videos}"), "efficientnet-lite0", sampler, shared(f"data/{given}"))

    bench_command("features", "extract", "frames", "--limit", "4")
    found = json.loads(bench_command("features", "compare", "packs/frames-first-4", "given", "--json").stdout)

    assert found["videos"] == 4
    assert found["other_rows"] == []
    assert min(one["cosine"] for one in found["most"].values()) > 0.99
