"""`bench examples` of a retrieval run: queries with the best five of what was found, as their model scored them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import install
from safetensors.numpy import load_file

N = 7
HOSTILE = 'it is number 0 <img src=x onerror=alert(1)> [link](http://example.org) | <b onclick="f()">'
CONFIG = """
version: 1
datasets:
  mine:
    reader: captions
    root: .
    features: rows
    captions: {captions}
    {more}
    splits: {{test: {{file: captions.json}}}}
features:
  rows: {{reader: npy-folder, path: rows, extractor: toy}}
"""
MODEL = '''
import math
import re

import torch
from bench.api import ModelSpec, VideoTextEncoder, hookimpl


class Dial:
    """Video i points at i degrees; a text at the degrees it names, read from "number 2.5"."""

    def __init__(self, settings, execution):
        pass

    def embed_videos(self, videos):
        first = videos.frames.values[videos.frames.offsets(), 0]
        return pointing(first)

    def embed_paragraphs(self, paragraphs):
        named = [float(re.search(r"number ([\\\\d.]+)", paragraph[0])[1]) for paragraph in paragraphs]
        return pointing(torch.tensor(named))


def pointing(degrees):
    angle = degrees * math.pi / 180
    return torch.stack([angle.cos(), angle.sin()], dim=1).float()


@hookimpl
def bench_models():
    return [ModelSpec("dial", "points", "dial:Dial", (VideoTextEncoder,))]
'''.replace("\\\\", "\\")


@pytest.fixture
def mine(bench_command, tmp_path):
    """Returns a function that runs the model `dial` on captions by video, and returns the pages of its examples."""
    folder = bench_command.folder
    (folder / "dial.py").write_text(MODEL)
    site = install(tmp_path / "site", folder / "dial.py", "dial-models")
    (folder / "rows").mkdir()
    for i in range(N):
        np.save(folder / "rows" / f"v{i}.npy", np.array([[10.0 * i, 1.0]], dtype=np.float32))

    def pages(captions, *options, how="each", more="", model="dial", exit_code=0):
        (folder / "captions.json").write_text(json.dumps(captions))
        (folder / "bench.yaml").write_text(CONFIG.format(captions=how, more=more))
        run = json.loads(bench_command("run", "-m", model, "-t", "mine-retrieval", "--json", path=site).stdout)[0][
            "run"
        ]
        done = bench_command("examples", f"runs/{run}", *options, path=site, exit_code=exit_code)
        if exit_code:
            return done.stderr
        html, markdown = (folder / line for line in done.stdout.splitlines())
        return html.read_text("utf-8"), markdown.read_text("utf-8")

    return pages


def queries(markdown, heading):
    """Returns (head, [(place, score, name, right)]) of each query below a heading, best ones first."""
    below = markdown.split(f"## {heading}\n")[1].split("\n## ")[0]
    found = []
    for part in re.split(r"\n(?=\*\*)", below)[1:]:
        head, *lines = part.splitlines()
        cells = [line.strip("| ").split(" | ") for line in lines if re.match(r"\| \d", line)]
        rows = [(int(c[0]), c[1], c[2].split("<br>")[0], len(c) > 3 and c[3] == "right") for c in cells]
        found.append((head, rows))
    return found


def said(numbers):
    return {f"v{i}": [f"it is number {number}" for number in own] for i, own in enumerate(numbers)}


def test_each_query_stands_with_the_five_best_and_its_own_place(mine):
    html, markdown = mine(said([[0.0], [10.0], [20.0], [30.0], [40.0], [50.0], [4.0]]), "--count", "1")

    best, middle, worst = queries(markdown, "Caption → video")
    assert "rank 1 of 7" in best[0]
    assert "rank 1 of 7" in middle[0]
    assert "**v6#0**" in worst[0].replace("\\", "")
    assert "rank 7 of 7" in worst[0]
    cosines = [f"{np.cos(np.radians(abs(4 - 10 * i))):.3f}" for i in range(N)]
    expected = [(i + 1, cosines[i], f"v{i}", False) for i in range(5)]
    assert worst[1] == [*expected, (7, cosines[6], "v6", True)]
    _, _, back = queries(markdown, "Video → caption")
    assert "rank 6 of 7" in back[0]
    assert [row[2].replace("\\", "") for row in back[1]] == ["v5#0", "v4#0", "v3#0", "v2#0", "v1#0", "v6#0"]
    assert html.count("✓ right") == markdown.count("| right |") == 6


def test_a_query_whose_right_answer_ties_says_between_which_ranks_it_is(mine):
    _, markdown = mine(said([[20.0], [20.0], [20.0], [20.0], [20.0], [20.0], [20.0]]), "--count", "7")

    heads = [head for head, _ in queries(markdown, "Video → caption")]
    assert all("rank 1 to 7 of 7, tied" in head for head in heads)


def test_several_captions_of_a_video_are_all_right(mine):
    _, markdown = mine(said([[0, 1, 2], [10], [20, 21], [30], [40], [50], [60]]), "--count", "10")

    first = next(rows for head, rows in queries(markdown, "Video → caption") if head.startswith("**v0**"))
    assert [(name.replace("\\", ""), right) for _, _, name, right in first] == [
        ("v0#0", True), ("v0#1", True), ("v0#2", True), ("v1#0", False), ("v2#0", False)
    ]  # fmt: skip
    assert "3 in all" in markdown


def test_captions_together_are_one_text(mine):
    _, markdown = mine(said([[0, 1, 2], [10], [20, 21], [30], [40], [50], [60]]), how="together")

    assert "## Captions together → video" in markdown
    assert "7 queries, each among 7; t2v/R@1 100.0." in markdown


def test_a_video_without_features_is_counted_as_last(mine, bench_command):
    (bench_command.folder / "rows" / "v3.npy").unlink()

    html, markdown = mine(said([[10 * i] for i in range(N)]), "--count", "1", more="missing: penalise")

    for way in ("Caption → video", "Video → caption"):
        assert "no features: counted as last of 7" in queries(markdown, way)[-1][0]
    assert "no features: counted as last of 7" in html


def test_ids_and_captions_can_make_no_tag_and_no_link(mine):
    html, markdown = mine({**said([[10 * i] for i in range(N)]), "v0": [HOSTILE]})

    assert "number 0 &lt;img src=x" in html
    for page in (html, markdown):
        assert "<img" not in page
        assert "<b onclick" not in page
    assert not re.search(r"(?<!\\)\]\(", markdown)
    assert "img-src data:" in html


def test_scores_of_pairs_are_shown_as_the_model_gave_them(bench_command, tmp_path):
    site = install(tmp_path / "scorers", Path(__file__).with_name("scoring_models.py"), "scoring-models")
    bench_command("run", "-m", "Counts", "-t", "anet-retrieval", "--limit", "6", path=site)
    (run,) = (bench_command.folder / "runs").glob("Counts--*")

    bench_command("examples", run, "--count", "6", path=site)

    markdown = next(run.glob("*.examples.md")).read_text("utf-8")
    saved = load_file(run / "predictions.safetensors")["scores"]
    for heading, axis in (("Paragraph → video", 1), ("Video → paragraph", 0)):
        assert "6 queries, each among 6" in markdown.split(f"## {heading}")[1]
        shown = sorted(rows[0][1] for _, rows in queries(markdown, heading)[:6])
        assert shown == sorted(f"{score:.3f}" for score in saved.max(axis=axis))


def test_what_cannot_be_shown_is_one_line(mine, bench_command):
    captions = said([[10 * i] for i in range(N)])

    assert "--metric CIDEr: queries are ordered by" in mine(captions, "--metric", "CIDEr", exit_code=2)
    assert "--count 0" in mine(captions, "--count", "0", exit_code=2)
    (run,) = (bench_command.folder / "runs").glob("dial--*")
    (bench_command.folder / "captions.json").write_text(json.dumps(said([[10 * i + 1] for i in range(N)])))
    assert "the record is of another test set" in bench_command("examples", run, exit_code=6).stderr
