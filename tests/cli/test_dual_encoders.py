"""From pictures to a row: features by a tiny dual encoder, the encoder itself as a model, a page with film strips."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import install
from PIL import Image

CONFIG = """
version: 1
datasets:
  mine:
    reader: captions
    root: .
    features: {features}
    captions: each
    labels: labels.csv
    splits: {{test: {{file: captions.json}}}}
features:
  seen: {{videos: pictures, encoder: colours, sampler: frames=1{more}}}
  other: {{videos: pictures, encoder: blind, sampler: frames=1}}
  rows: {{reader: npy-folder, path: rows, extractor: colours}}
"""
PAINTED = {"a": (250, 10, 5), "b": (5, 240, 10), "c": (8, 3, 245), "d": (240, 250, 245)}
SAID = {"a": "a red barn", "b": "green grass", "c": "the blue sea", "d": "white snow"}


@pytest.fixture
def mine(bench_command, tmp_path):
    """Returns a function that runs `bench` in a folder of pictures, beside tiny encoders."""
    folder = bench_command.folder
    (folder / "pictures").mkdir()
    (folder / "rows").mkdir()
    for name, colour in PAINTED.items():
        Image.new("RGB", (40, 20), colour).save(folder / "pictures" / f"{name}.png")
        np.save(folder / "rows" / f"{name}.npy", np.array([colour], dtype=np.float32))
    (folder / "captions.json").write_text(json.dumps({name: [said, f"{said} again"] for name, said in SAID.items()}))
    classes = {"a": "red", "b": "green", "c": "blue", "d": "white"}
    rows = [f"{name},test,{label}" for name, label in classes.items()]
    (folder / "labels.csv").write_text("\n".join(["video_id,subset,labels", *rows]))
    site = install(tmp_path / "site", Path(__file__).with_name("text_encoders.py"), "tiny-encoders")

    def run(*arguments, features="seen", more="", exit_code=0):
        (folder / "bench.yaml").write_text(CONFIG.format(features=features, more=more))
        return bench_command(*arguments, path=site, exit_code=exit_code)

    run.folder = folder
    return run


def record(mine, task, *more, **options):
    return json.loads(mine("run", "-m", "colours", "-t", task, "--json", *more, **options).stdout)[0]


def test_film_strips_stand_beside_what_was_found(mine):
    mine("features", "extract", "seen")
    run = json.loads(mine("run", "-m", "random", "-t", "mine-retrieval", "--json").stdout)[0]["run"]

    mine("examples", f"runs/{run}", "--count", "8")

    page = (mine.folder / "runs" / run / f"{run}.examples.html").read_text("utf-8")
    strips = re.findall(r"\.s(\d+) \{ background-image: url\(data:image/jpeg;base64,([^)]+)\); \}", page)
    assert len(strips) == len(PAINTED)  # each once, however often it is shown
    assert page.count('class="strip s0"') > 1
    centres = [Image.open(io.BytesIO(base64.b64decode(data))).getpixel((80, 60)) for _, data in strips]
    for colour in PAINTED.values():
        assert min(np.abs(np.subtract(centre, colour)).max() for centre in centres) < 12
    assert "img-src data:" in page
    assert "http" not in page.split("<body>")[1]
    mine("browse", f"runs/{run}", "--output", "pages", "--film-strips")
    assert len(list((mine.folder / "pages" / "strips").glob("*.jpg"))) == len(PAINTED)
    browsed = (mine.folder / "pages" / "t2v-1.html").read_text("utf-8")
    assert browsed.count('src="strips/0.jpg"') > 1
    assert '<a href="../' in browsed  # the declared videos play


def test_a_video_that_cannot_be_read_has_no_strip_and_a_line(mine):
    mine("features", "extract", "seen")
    run = json.loads(mine("run", "-m", "random", "-t", "mine-retrieval", "--json").stdout)[0]["run"]
    (mine.folder / "pictures" / "a.png").write_bytes(b"no picture")

    said = mine("examples", f"runs/{run}", "--count", "8").stderr

    assert said.count("no film strip: ") == 1
    page = (mine.folder / "runs" / run / f"{run}.examples.html").read_text("utf-8")
    assert page.count("data:image/jpeg") == len(PAINTED) - 1


def test_a_dual_encoder_is_a_model_without_a_word_from_its_plugin(mine):
    mine("features", "extract", "seen")

    found = record(mine, "mine-retrieval")

    assert found["measurements"][0]["value"] == 100.0
    assert found["model"]["settings"]["encoder"].startswith("colours@sha256:")
    assert found["model"]["distribution"].startswith("tiny-encoders ")
    assert "weights=" in found["signature"]
    again = mine("rerun", f"runs/{found['run']}", "--output", "again")
    assert "bit-equal" in again.stdout + again.stderr


def test_a_record_of_weights_named_by_their_place_says_what_they_hold_and_not_where_they_lie(mine):
    weights = mine.folder / "private" / "weights"
    weights.mkdir(parents=True)
    (weights / "rows.txt").write_text("1")
    named = f"stored:{weights}"
    more = f"}}\n  own: {{videos: pictures, encoder: '{named}', sampler: frames=1"
    mine("features", "extract", "own", features="own", more=more)

    said = mine("run", "-m", named, "-t", "mine-retrieval", "--json", features="own", more=more)

    found = json.loads(said.stdout)[0]
    assert found["measurements"][0]["value"] == 100.0
    assert found["model"]["name"].startswith("stored:weights@sha256:")
    told = {key: value for key, value in found.items() if key != "provenance"}
    assert "private" not in json.dumps(told)


@pytest.mark.parametrize("more", [("frames=max",), ("paragraphs=whole",), ("frames=max", "paragraphs=whole")])
def test_frames_and_paragraphs_are_put_together_in_several_ways(mine, more):
    mine("features", "extract", "seen")

    found = record(mine, "mine-retrieval:captions=together", *(part for one in more for part in ("--set", one)))

    assert found["measurements"][0]["value"] == 100.0
    assert found["predictions"]["kind"] == ("pair scores" if "frames=max" in more else "embeddings")


def test_classes_are_recognised_from_prompts(mine):
    mine("features", "extract", "seen")

    assert record(mine, "mine-zero-shot:template=a_picture_of_{}")["measurements"][0]["value"] == 100.0


def test_settings_of_the_encoder_are_those_that_the_features_were_made_with(mine):
    mine("features", "extract", "seen", more=", settings: {gain: 2.0}")

    found = record(mine, "mine-retrieval", more=", settings: {gain: 2.0}")

    assert found["measurements"][0]["value"] == 100.0
    assert found["model"]["settings"]["encoder"] != "colours"


@pytest.mark.parametrize(
    ("features", "who"),
    [("other", "made by encoder 'blind'"), ("rows", "made by others"), ("simulated", "made by others")],
)
def test_features_that_it_did_not_make_are_refused_with_what_to_do(mine, features, who):
    if features == "other":
        mine("features", "extract", "other")

    said = mine("run", "-m", "colours", "-t", "mine-retrieval", features=features, exit_code=3).stderr

    assert who in said
    assert "encoder: 'colours'" in said
    assert "bench features extract NAME" in said
    assert "Traceback" not in said


def test_an_encoder_of_one_side_is_no_model(mine):
    said = mine("run", "-m", "blind", "-t", "mine-retrieval", features="rows", exit_code=2).stderr

    assert "encoder 'blind' is no model: it provides FrameEncoder, and a model needs frames and text" in said


def test_samplers_are_set_against_one_another(mine):
    done = mine("sensitivity", "-m", "random", "-t", "mine-retrieval", "--samplers", "frames=1,frames=3 repeat",
                "--seeds", "0,1", "--json")  # fmt: skip

    told = json.loads(done.stdout)
    first, second = told["samplers"]
    assert told["metric"] == "t2v/R@1"
    assert [first["sampler"], second["sampler"]] == ["tsn-centre frames=1", "tsn-centre frames=3 repeat"]
    assert len(set(first["runs"] + second["runs"])) == 4
    assert first["values"] == second["values"]  # one picture is the same picture three times
    assert first["against_first"] is None
    assert second["against_first"]["difference"] == 0.0
    assert (mine.folder / "packs" / "seen-tsn-centre-frames-3-repeat" / "pack.json").exists()
    shown = mine("sensitivity", "-m", "random", "-t", "mine-retrieval", "--samplers", "frames=1,frames=3 repeat").stdout
    assert "Frames alone move it by 0.00" in shown


@pytest.mark.parametrize(
    ("features", "samplers", "exit_code", "says"),
    [
        ("rows", "frames=1,fps=1", 2, "features 'rows' are not made from videos"),
        ("seen", "frames=1", 2, "name at least two"),
        ("seen", "frames=1,often", 3, "unknown sampler 'often'"),
    ],
)
def test_samplers_that_cannot_be_compared_are_one_line(mine, features, samplers, exit_code, says):
    asked = ("-m", "random", "-t", "mine-retrieval", "--samplers", samplers)
    said = mine("sensitivity", *asked, features=features, exit_code=exit_code).stderr

    assert says in said
    assert "Traceback" not in said
