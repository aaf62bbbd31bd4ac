"""`bench reproduce hse2018 tsne`: a figure of embeddings from runs that are there or made now."""

import csv
import json
import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest

SMALL = ("--limit", "60", "--set", "hidden=8", "--set", "word_dim=8", "--set", "epochs=1")


@pytest.fixture(scope="module")
def figure(tmp_path_factory, bench_in):
    """Returns the command's folder and the record that it printed."""
    command = bench_in(tmp_path_factory.mktemp("figure"))
    return command, json.loads(command("reproduce", "hse2018", "tsne", *SMALL, "--json").stdout)


def test_the_record_says_how_the_figure_was_made(figure):
    command, record = figure
    assert record["schema"] == "bench-tsne/1"
    assert record["data"] == "generated"
    assert record["method"] == {
        "name": "t-SNE",
        "implementation": record["method"]["implementation"],
        "embeddings": "scaled to length 1",
        "start": "principal components",
        "learning_rate": "auto",
        "seed": 0,
    }
    assert len(record["classes"]) == 12
    counts = [found["videos"] for found in record["classes"]]
    assert counts == sorted(counts, reverse=True)
    for panel, system in zip(record["panels"], ("FSE", "HSE"), strict=True):
        assert (panel["system"], panel["seed"], panel["videos_of_run"]) == (system, 0, 60)
        assert panel["videos"] == sum(counts)
        assert panel["perplexity"] == pytest.approx(min(30, (sum(counts) - 1) / 3))
        result = json.loads((command.folder / "runs" / panel["run"] / "result.json").read_text())
        assert panel["predictions"] == result["predictions"]["sha256"]
        assert panel["signature"] == result["signature"]
    written = (command.folder / "runs/reproduce/hse2018-tsne.json").read_text()
    assert json.loads(written) == record


def test_coordinates_and_points_are_those_of_the_record(figure):
    command, record = figure
    folder = command.folder / "runs" / "reproduce"
    rows = list(csv.DictReader((folder / "hse2018-tsne.csv").read_text().splitlines()))
    assert list(rows[0]) == ["system", "run", "seed", "video_id", "class", "x", "y"]
    classes = {found["name"]: found["videos"] for found in record["classes"]}
    for panel in record["panels"]:
        own = [row for row in rows if row["run"] == panel["run"]]
        assert Counter(row["class"] for row in own) == classes
        assert len({(row["x"], row["y"]) for row in own}) > 50
    root = ElementTree.fromstring((folder / "hse2018-tsne.svg").read_bytes())  # noqa: S314 (made here)
    shown = [title.text for title in root.iterfind(".//{*}use/{*}title")]
    assert sorted(shown) == sorted(f"{row['class']} · {row['video_id']}" for row in rows)
    assert (folder / "hse2018-tsne.png").read_bytes()[:4] == b"\x89PNG"


def test_the_classes_are_those_of_the_videos(figure):
    """A video's class is the action of its story, under its own id, not an opaque one."""
    from bench.data.sample.splits import anet_split

    videos = anet_split("val_1").videos
    names = [videos.class_names[label[0] if isinstance(label, tuple) else label] for label in videos.labels]
    true = dict(zip(videos.ids, names, strict=True))
    rows = csv.DictReader((figure[0].folder / "runs/reproduce/hse2018-tsne.csv").read_text().splitlines())
    assert all(true[row["video_id"]] == row["class"] for row in rows)


def test_drawing_again_reuses_the_runs_and_changes_no_byte(figure):
    command, record = figure
    paths = [command.folder / f"runs/reproduce/hse2018-tsne.{kind}" for kind in ("svg", "png", "csv", "json")]
    before = [path.read_bytes() for path in paths]
    again = command("reproduce", "hse2018", "tsne", *SMALL)
    assert again.stderr.count("already complete") == 2
    assert [path.read_bytes() for path in paths] == before
    assert record["classes"][0]["name"] in again.stdout


def test_several_seeds_are_drawn_below_one_another(figure):
    command, _ = figure
    record = json.loads(command("reproduce", "hse2018", "tsne", *SMALL, "--seeds", "0,1", "--json").stdout)
    assert [(panel["system"], panel["seed"]) for panel in record["panels"]] == [
        ("FSE", 0), ("FSE", 1), ("HSE", 0), ("HSE", 1),
    ]  # fmt: skip
    command("reproduce", "hse2018", "tsne", *SMALL)  # the others draw one seed


def test_a_test_set_without_classes_says_so_before_anything_runs(bench_command):
    entries = {
        f"v_{i}": {"duration": 10.0, "timestamps": [[0.0, 4.0]], "sentences": [f"somebody does thing {i}"]}
        for i in range(8)
    }
    (bench_command.folder / "captions.json").write_text(json.dumps(entries))
    (bench_command.folder / "bench.yaml").write_text(
        "version: 1\ndatasets:\n  anet:\n    reader: activitynet\n    root: .\n    features: simulated\n"
        "    splits: {train: {file: captions.json, take: [0, 4]}, val_1: {file: captions.json, take: [4, 8]}}\n"
    )
    done = bench_command("reproduce", "hse2018", "tsne", *SMALL[2:])
    assert done.stdout.count("not run: needs classes: dataset 'anet': no video of val_1 has a class") == 2
    assert not list((bench_command.folder / "runs").iterdir())
    table = bench_command("reproduce", "hse2018", "table5")
    assert table.stdout.count("not run: needs what is not there: unknown task 'anet-") == 6


def test_too_few_videos_make_no_picture(bench_command):
    done = bench_command("reproduce", "hse2018", "tsne", "--limit", "3", *SMALL[2:], exit_code=4)
    assert "3 videos of the classes drawn make no picture" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_paper_names_its_figure(bench_command):
    facts = json.loads(bench_command("info", "hse2018", "--json").stdout)
    assert facts["tables"]["tsne"] == "Video embeddings by t-SNE, coloured by action class; 2 rows"
    planned = json.loads(bench_command("reproduce", "hse2018", "tsne", "--dry-run", "--json").stdout)
    assert [plan["run"].partition("-")[0] for plan in planned] == ["fse", "hse"]
