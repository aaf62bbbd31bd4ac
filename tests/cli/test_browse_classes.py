"""`bench browse` of recognition runs: the best five classes of each video, and confusions that lead to the videos."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import install
from cli.test_action_recognition import CLASSES, world, write

from bench.evidence.verified import read_record
from bench.metrics.classification import opened


@pytest.fixture(scope="module")
def sport(tmp_path_factory, bench_in):
    """Returns the command in a folder with a zero-shot run and a probe; two videos of the first class look wrong."""
    bench = bench_in(tmp_path_factory.mktemp("sport"))
    rows, features = world()
    rows[-1] = (rows[-1][0], rows[-1][1], f"{rows[-1][2]}|{CLASSES[0]}")
    write(bench.folder, rows, features)
    module = Path(__file__).with_name("recognition_models.py")
    site = install(tmp_path_factory.mktemp("site") / "site", module, "recognition-models")
    runs = []
    for model, task in (
        ("Named", "sport-zero-shot"),
        ("Headed", "sport-linear-probe"),
        ("Constant", "sport-zero-shot"),
    ):
        (record,) = json.loads(bench("run", "-m", model, "-t", task, "--json", path=site).stdout)
        runs.append(f"runs/{record['run']}")
    return bench, runs


def data_of(bench, name):
    text = (bench.folder / name / "videos.html").read_text("utf-8")
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', text)[1])


def test_each_video_stands_with_its_best_classes_the_worst_first(sport):
    bench, (zero_shot, *_) = sport

    bench("browse", zero_shot, "-o", "one")

    data = data_of(bench, "one")
    assert data["classes"] == sorted(CLASSES)
    assert len(data["rows"]) == 12
    ranks = [row[3][0] for row in data["rows"]]
    assert ranks == sorted(ranks, reverse=True)
    wrong = {row[0]: (row[5], row[6]) for row in data["rows"] if row[6] != [-1]}
    number = {name: i for i, name in enumerate(data["classes"])}
    assert wrong == {
        "v24": ([number["CleanAndJerk"]], [number["high_jump"]]),
        "v25": ([number["high_jump"]], [number["Tai chi"]]),
    }
    page = (bench.folder / "one" / "videos-1.html").read_text("utf-8")
    first = re.search(r'<article class="query" id="q1">(.*?)</article>', page, re.S)[1]
    places = re.findall(r"<td>(\d)</td><td>(-?[\d.]+)</td><td[^>]*>(<b>✓ right</b> )?([^<]+)", first)
    assert [place for place, *_ in places] == ["1", "2", "3", "4"]
    assert not places[0][2]
    assert sum(bool(right) for *_, right, _ in places) == 1


def test_confusions_lead_to_their_videos(sport):
    bench, (zero_shot, probe, _) = sport

    bench("browse", zero_shot, probe, "-o", "both")

    index, data = (bench.folder / "both" / "index.html").read_text("utf-8"), data_of(bench, "both")
    cells = re.findall(r'href="videos.html#class=(\d)&amp;taken(\d)=(\d)">(\d+) videos?<', index)
    for run in (0, 1):
        table = bench("confusions", (zero_shot, probe)[run]).stdout
        told = re.findall(r"(\w[\w ]+?)  +(\w[\w ]+?)  +(\d+)  +\d+", table.split("%")[1])
        of_run = [(data["classes"][int(c)], data["classes"][int(t)], n) for c, r, t, n in cells if int(r) == run]
        assert sorted(of_run) == sorted(told)
    for true, run, taken, count in cells:
        shown = [row for row in data["rows"] if row[5][0] == int(true) and row[6][int(run)] == int(taken)]
        assert len(shown) == int(count)
    assert {"A: Named, seed 0, sport-zero-shot", "B: Headed, seed 0, sport-linear-probe"} <= set(data["runs"])


def test_without_the_dataset_ids_stand_alone_and_ranks_are_the_same(sport):
    bench, (zero_shot, *_) = sport
    (bench.folder / "elsewhere.yaml").write_text("version: 1\ndatasets: {}\n")
    bench("browse", zero_shot, "-o", "with")

    done = bench("browse", zero_shot, "-o", "without", "--config", "elsewhere.yaml")

    assert "no texts, ids stand alone" in done.stderr
    named, opaque = (data_of(bench, name)["rows"] for name in ("with", "without"))
    assert [row[3:] for row in opaque] == [row[3:] for row in named]
    assert not {row[0] for row in opaque} & {row[0] for row in named}


def test_classes_that_tie_share_their_ranks(sport):
    bench, (*_, constant) = sport

    bench("browse", constant, "-o", "tied")

    evidence = read_record(bench.folder / constant).evidence
    counted = opened(evidence)
    single = np.flatnonzero(counted.videos[:, 0] == 1)
    labels = counted.labels[counted.starts[single]].astype(float)
    ranks = sorted((1 + labels[:, 1] + labels[:, 2] / 2).tolist())
    assert sorted(row[3][0] for row in data_of(bench, "tied")["rows"] if len(row[5]) == 1) == ranks
    assert any(rank % 1 for rank in ranks)
    assert ", tied" in (bench.folder / "tied" / "videos-1.html").read_text("utf-8")


def test_a_record_of_a_file_is_refused_in_one_line(sport):
    bench, _ = sport
    (bench.folder / "labels.json").write_text(json.dumps({"a": "run", "b": "swim"}))
    flags = ("--labels", "labels.json", "--output", "out", "--data-kind", "real")
    bench("score", "classification", "--predictions", "labels.json", *flags)
    (record,) = (bench.folder / "out").iterdir()

    error = bench("browse", record, "-o", "no", exit_code=4).stderr

    assert "was scored from a file that is not kept" in error
    assert len(error.strip().splitlines()) == 1
