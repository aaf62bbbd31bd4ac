"""`bench features extract`: from a folder of images to a pack and a row, refused, stopped, killed, unreadable."""

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path

import forking
import numpy as np
import pytest
import torch
from cli.conftest import install
from cli.small_runs import left_over
from PIL import Image

N = 12
CONFIG = """
version: 1
datasets:
  mine:
    reader: captions
    root: .
    features: frames
    splits: {{test: {{file: captions.json}}}}
features:
  frames: {{videos: videos, encoder: means, sampler: frames=1{more}}}
"""


def paint(path, seed, size=(5, 4)):
    """Writes a PNG of random colours, and returns what the encoder `means` makes of it."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)
    return [*pixels.mean(axis=(0, 1)).tolist(), float(pixels[:, : size[0] // 2].mean())]


def declare(folder, more=""):
    (folder / "bench.yaml").write_text(CONFIG.format(more=more))


def prepare(folder, count=N):
    declare(folder)
    (folder / "captions.json").write_text(json.dumps({f"v {i:03}": [f"thing {i}"] for i in range(count)}))
    return {f"v {i:03}": paint(folder / "videos" / f"v {i:03}.png", i) for i in range(count)}


def header(folder, name="frames"):
    return json.loads((folder / "packs" / name / "pack.json").read_text())


def rows(folder, name="frames"):
    said = header(folder, name)
    return np.fromfile(folder / "packs" / name / "rows.bin", dtype="<f4").reshape(said["rows"], said["dim"])


@pytest.fixture
def site(tmp_path):
    return install(tmp_path / "site", Path(__file__).with_name("outside_encoders.py"), "outside-encoders")


@pytest.fixture
def extract(bench_command, site):
    """Returns a function that extracts, in a folder of 12 images."""
    bench_command.truth = prepare(bench_command.folder)
    return lambda *arguments, **options: bench_command("features", "extract", *arguments, path=site, **options)


def test_images_become_a_pack_that_says_what_made_it(bench_command, extract):
    done = extract("frames")

    said = header(bench_command.folder)
    np.testing.assert_allclose(rows(bench_command.folder), list(bench_command.truth.values()), rtol=1e-6)
    assert f"packs/frames: {N} videos, {N} rows of 4" in done.stdout
    assert said["digest"] in done.stdout
    assert (said["format"], said["extractor"], said["stride"]) == ("bench-pack/2", "means", "tsn-centre frames=1")
    made = said["made"]
    assert made["preprocessing"] == "means of colours"
    assert made["settings"] == {"scale": 1.0}
    assert "Pillow" in made["reader"]


def test_the_digest_covers_settings_frames_and_rows(bench_command, extract):
    extract("frames", "--batch-size", "2")
    digests = {header(bench_command.folder)["digest"]}
    for number, change in enumerate(
        (
            lambda: declare(bench_command.folder, ", pack: packs/p0, settings: {scale: 2.0}"),
            lambda: paint(bench_command.folder / "videos" / "v 003.png", 77),
        )
    ):
        declare(bench_command.folder, f", pack: packs/p{number}")
        change()
        extract("frames", "--batch-size", "2")
        digests.add(header(bench_command.folder, f"p{number}")["digest"])
    declare(bench_command.folder, ", pack: packs/again")
    extract("frames", "--batch-size", "2")

    assert len(digests) == 3
    assert header(bench_command.folder, "again")["digest"] == header(bench_command.folder, "p1")["digest"]


@pytest.mark.parametrize(("allowed", "jobs"), [(64, 1), (64, 200), (1, 1)])
def test_a_cpu_encodes_on_the_cores_that_do_not_decode(bench_command, extract, allowed, jobs):
    """The pack says on how many; afterwards PyTorch has as many threads as before."""
    text = (bench_command.folder / "bench.yaml").read_text()
    (bench_command.folder / "bench.yaml").write_text(text.replace("encoder: means", "encoder: threads"))
    before = torch.get_num_threads()
    torch.set_num_threads(allowed)
    try:
        extract("frames", "--batch-size", "4", "--jobs", str(jobs), "--device", "cpu")
        after = torch.get_num_threads()
    finally:
        torch.set_num_threads(before)

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = max(1, min(allowed, cores - min(jobs, N)))
    assert after == allowed
    assert np.unique(rows(bench_command.folder)).tolist() == [threads]
    said = f"cpu, {threads} thread{'s' if threads > 1 else ''}, batches of 4"
    assert header(bench_command.folder)["made"]["computed"] == said


@pytest.mark.parametrize("jobs", ["0", "257", "two"])
def test_a_number_of_jobs_that_cannot_be_is_a_mistake_in_one_line(bench_command, extract, jobs):
    said = extract("frames", "--jobs", jobs, exit_code=2).stderr

    assert "--jobs" in said
    assert "cannot write" not in said


def test_what_is_extracted_is_used_again(bench_command, extract):
    extract("frames")
    before = (bench_command.folder / "packs" / "frames" / "rows.bin").stat().st_mtime_ns

    assert "was there already" in extract("frames").stderr
    assert (bench_command.folder / "packs" / "frames" / "rows.bin").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (", settings: {scale: 3.0}", "made with scale '1.0', and bench.yaml asks for '3.0'"),
        ("", "made with sampler 'tsn-centre frames=1', and bench.yaml asks for 'hf-arange frames=1'"),
    ],
)
def test_a_pack_that_was_made_otherwise_is_not_taken_for_what_is_declared(bench_command, extract, site, more, says):
    extract("frames")
    declare(bench_command.folder, more)
    if not more:
        text = (bench_command.folder / "bench.yaml").read_text()
        (bench_command.folder / "bench.yaml").write_text(text.replace("frames=1", "hf-arange frames=1"))

    assert says in extract("frames", exit_code=4).stderr
    run = bench_command("run", "-m", "random", "-t", "mine-retrieval", exit_code=4, path=site)
    assert says in run.stderr


def test_a_limit_makes_a_pack_beside_that_of_all(bench_command, extract):
    done = extract("frames", "--limit", "5")

    assert header(bench_command.folder, "frames-first-5")["videos"] == 5
    assert "frames-5: {pack:" in done.stdout
    assert not (bench_command.folder / "packs" / "frames").exists()


def test_a_run_without_its_features_says_the_command_and_does_it_when_asked(bench_command, extract, site):
    run = ("run", "-m", "random", "-t", "mine-retrieval")

    said = bench_command(*run, exit_code=4, path=site).stderr
    record = json.loads(bench_command(*run, "--extract", "--json", path=site).stdout)[0]

    assert "bench features extract frames" in said
    assert said.count("\n") == 1
    features = record["data"]["features"]
    assert features["digest"] == header(bench_command.folder)["digest"]
    assert features["made"]["sampler"] == "tsn-centre frames=1"
    assert "|frames=tsn-centre+frames:1|" in record["signature"]


def test_features_are_listed_told_and_verified(bench_command, extract):
    def listed():
        return json.loads(bench_command("list", "features", "--json").stdout)

    before = listed()
    unverified = bench_command("data", "verify", "mine", exit_code=4).stderr
    extract("frames")

    assert before[0]["state"] == "not extracted: bench features extract frames"
    assert "bench features extract frames" in unverified
    assert listed()[0]["state"] == "extracted"
    assert "preprocessing: means of colours" in bench_command("info", "frames").stdout
    assert "made from videos: encoder means" in bench_command("data", "verify", "mine").stdout


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(bench_command, extract):
    videos = bench_command.folder / "videos"
    (videos / "v 004.png").write_bytes((videos / "v 004.png").read_bytes()[:60])
    (videos / "v 005.png").unlink()
    (videos / "v 005.png").symlink_to(videos / "nowhere.png")

    done = extract("frames", exit_code=5)

    told = json.loads((bench_command.folder / "packs" / "frames" / "unreadable.json").read_text())
    assert set(told) == {"v 004", "v 005"}
    assert all("\n" not in reason for reason in told.values())
    assert "2 of 12 videos could not be read, such as v 004" in done.stderr
    assert header(bench_command.folder)["videos"] == N - 2
    left = [row for video_id, row in bench_command.truth.items() if video_id not in told]
    np.testing.assert_allclose(rows(bench_command.folder), left, rtol=1e-6)
    extract("frames", exit_code=5)  # the same again: nothing is tried anew, and it is not forgotten either


def test_where_nothing_can_be_read_there_is_no_pack(bench_command, extract):
    for path in (bench_command.folder / "videos").iterdir():
        path.write_bytes(b"\x89PNG\r\n\x1a\n")

    said = extract("frames", exit_code=4).stderr

    assert "none of 12 videos can be read" in said
    assert not (bench_command.folder / "packs" / "frames").exists()


def test_two_files_of_one_video_are_named(bench_command, extract):
    paint(bench_command.folder / "videos" / "v 003.jpg", 1)

    said = extract("frames", exit_code=4).stderr

    assert "'v 003': v 003.jpg and v 003.png" in said
    declare(bench_command.folder, ", id: '{id}.png'")
    extract("frames")  # what the message advises


@pytest.mark.parametrize("pattern", ["clip_{id}.png", "{id}/*.png", "of {id}/frame.*"])
def test_ids_are_found_by_a_pattern_also_those_that_elsewhere_are_splits(bench_command, extract, pattern):
    folder = bench_command.folder
    declare(folder, f", id: '{pattern}'")
    name = pattern.replace("*.png", "any.png").replace(".*", ".png")
    for video_id in ("a.b", "c d", "train", "crash-test"):
        path = folder / "videos" / name.replace("{id}", video_id)
        path.parent.mkdir(exist_ok=True)
        paint(path, 1)

    extract("frames")

    assert header(folder)["videos"] == 4
    compared = json.loads(bench_command("features", "compare", "frames", "packs/frames", "--json").stdout)
    assert compared["videos"] == 4


@pytest.mark.parametrize(
    ("encoder", "sampler", "exit_code", "says"),
    [
        ("nobody", "frames=1", 3, "unknown encoder 'nobody'"),
        ("means", "some=1", 2, "sampler 'some=1' cannot be read"),
        ("means", "windows=4 stride 2", 2, "looks at single frames"),
        ("windows", "frames=1", 2, "Write sampler: windows=2 stride 1"),
        ("breaks", "frames=1", 3, "encoder 'breaks' failed on frames: ValueError: no such kernel here"),
        ("infinite", "frames=1", 3, "expected (1, 4), finite"),
        ("wide", "frames=1", 3, "made an array (1, 5) of 1 input,"),
    ],
)
def test_what_cannot_be_extracted_is_one_line(bench_command, extract, encoder, sampler, exit_code, says):
    text = (bench_command.folder / "bench.yaml").read_text()
    text = text.replace("encoder: means", f"encoder: {encoder}").replace("frames=1", sampler)
    (bench_command.folder / "bench.yaml").write_text(text)

    said = extract("frames", "--batch-size", "1", exit_code=exit_code).stderr

    assert says in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("entry", "exit_code", "says"),
    [
        ("videos: nowhere, encoder: means, sampler: frames=1", 4, "no such folder of videos"),
        ("videos: ., encoder: means, sampler: frames=1", 4, "the folder holds"),
        ("videos: videos, sampler: frames=1", 2, "features.frames.encoder: missing"),
        ("videos: videos, encoder: means", 2, "features.frames.sampler: missing"),
        ("encoder: means, sampler: frames=1", 2, "without 'videos'"),
        ("videos: videos, encoder: means, sampler: frames=1, dim: 4", 2, "dim beside 'videos'"),
        ("videos: videos, encoder: means, sampler: frames=1, id: clip", 2, "does not say where the id stands"),
        ("videos: videos, encoder: means, sampler: frames=1, id: '../{id}'", 2, "does not say where the id stands"),
        ("videos: videos, encoder: means, sampler: frames=1, backend: pyva", 3, "Did you mean 'pyav'?"),
        ("videos: videos, encoder: means, sampler: frames=1, settings: {size: 3}", 2, "has no setting 'size'"),
        ("videos: videos, encoder: means, sampler: frames=1, set: {size: 3}", 2, "has no setting 'size'"),
        (
            "videos: videos, encoder: means, sampler: frames=1, set: {scale: 3.0}, settings: {scale: 3.0}",
            2,
            "settings and set both hold settings of the encoder. Keep them in settings",
        ),
        ("reader: npy-folder, path: videos", 2, "are not made from videos"),
    ],
)
def test_a_declaration_that_cannot_be_is_one_line(bench_command, extract, entry, exit_code, says):
    (bench_command.folder / "bench.yaml").write_text(f"version: 1\nfeatures: {{frames: {{{entry}}}}}\n")

    said = extract("frames", exit_code=exit_code).stderr

    assert says in said
    assert said.count("\n") == 1


def test_an_unknown_name_is_one_line(extract):
    assert "unknown feature source 'frame'" in extract("frame", exit_code=3).stderr


def test_a_folder_that_changes_meanwhile_is_noticed(bench_command, site):
    """A pack is begun and killed; then a video is replaced."""
    prepare(bench_command.folder, 60)
    kill_soon_after_it_began(bench_command.folder, site)
    paint(bench_command.folder / "videos" / "v 030.png", 99)

    said = bench_command("features", "extract", "frames", "--batch-size", "1", exit_code=4, path=site).stderr

    assert "videos has changed since extracting began (files)" in said


def start(folder, site, batch=1):
    def with_encoders():
        import sys

        sys.path.insert(0, str(site))

    return forking.start(folder, "features", "extract", "frames", "--batch-size", str(batch), first=with_encoders)


def kill_soon_after_it_began(folder, site):
    fork = start(folder, site)
    journal = folder / "packs" / "frames.part" / "journal"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not journal.exists():
        time.sleep(0.002)
    assert fork.kill(0) < 0, fork.said


def test_killed_while_extracting_the_pack_is_that_of_an_undisturbed_run(tmp_path, site, monkeypatch):
    """Kills come at random moments. What the encoder makes of a frame depends on what else is in its batch."""
    monkeypatch.setattr("bench.data.features.packing.COMMIT", 4)
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    for place in (whole, folder):
        place.mkdir()
        prepare(place, 151)
        text = (place / "bench.yaml").read_text()
        (place / "bench.yaml").write_text(text.replace("encoder: means", "encoder: crowd"))
    clock = time.monotonic()
    fork = start(whole, site, 3)
    assert fork.wait() == 0, fork.said
    seconds, seed = time.monotonic() - clock, random.randrange(2**32)
    moments = random.Random(seed)
    killed = 0
    while killed < 2:
        fork = start(folder, site, 3)
        code = fork.kill(moments.uniform(0, seconds))
        killed += code < 0
        assert code <= 0, f"seed {seed}: {fork.said}"
        if code == 0:
            check_equal(whole, folder, seed)
            shutil.rmtree(folder / "packs")

    fork = start(folder, site, 3)
    assert fork.wait() == 0, f"seed {seed}: {fork.said}"
    check_equal(whole, folder, seed)
    assert left_over(folder) == []


def check_equal(whole, folder, seed):
    assert header(folder)["digest"] == header(whole)["digest"], f"seed {seed}"
    for name in ("rows.bin", "index.safetensors"):
        content = (folder / "packs" / "frames" / name).read_bytes()
        assert content == (whole / "packs" / "frames" / name).read_bytes(), f"seed {seed}: {name}"


def test_a_stopped_extraction_says_what_to_do_next(bench_command, site):
    prepare(bench_command.folder, 400)
    fork = start(bench_command.folder, site)
    journal = bench_command.folder / "packs" / "frames.part" / "journal"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not journal.exists():
        time.sleep(0.002)
    assert fork.kill(0, signal.SIGINT) == 130, fork.said
    assert "The same command goes on from there" in fork.said
    assert "Traceback" not in fork.said
    done = bench_command("features", "extract", "frames", "--batch-size", "1", path=site)
    assert header(bench_command.folder)["videos"] == 400
    assert "going on after" in done.stderr or "400 videos" in done.stderr
