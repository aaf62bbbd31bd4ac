"""`bench browse` of captioning runs: captions beside their references, matched words marked, scores one by one."""

import json
import re

import pytest
from cli.test_captioning import SECOND as TWICE
from cli.test_captioning import Mine

from bench.evidence.verified import read_record
from bench.metrics.captions.evidence import item_values

TOLD = {
    "v_a": {
        "duration": 20.0,
        "timestamps": [[0.0, 2.0], [8.0, 11.5]],
        "sentences": ["It lasts, it lasts!", "He doesn't last 3.5 seconds."],
    },
    "v_b": {"duration": 10.0, "timestamps": [[5.0, 8.0]], "sentences": ["Nothing alike"]},
}
AGAIN = {"v_a": {"duration": 20.0, "timestamps": [[0.0, 2.1]], "sentences": ["Two seconds"]}}


@pytest.fixture(scope="module")
def mine(tmp_path_factory, bench_in):
    """Returns the command in a folder with runs of two captioners, of sentences and of paragraphs."""
    mine = Mine(bench_in(tmp_path_factory.mktemp("captions")))
    rows = mine.folder / "frames" / "v_0.npy"
    for name in TOLD:
        rows.with_name(f"{name}.npy").write_bytes(rows.read_bytes())
    mine.write("val_1", TOLD)
    mine.write("val_2", AGAIN)
    mine.declare(more=TWICE)
    models = ("-m", "Counting", "-m", "Empty", "--json")
    tasks = ("-t", "mine-captioning", "-t", "mine-paragraph-captioning", "-t", "mine-captioning:protocol=densevid")
    records = json.loads(mine("run", *models, *tasks).stdout)
    mine.runs = {(one["model"]["name"], one["task"]["name"]): f"runs/{one['run']}" for one in records}
    return mine


def listed(mine, name):
    text = (mine.folder / name / "captions.html").read_text("utf-8")
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', text)[1])


def captions(mine, name):
    """Returns id of each caption -> its HTML."""
    text = (mine.folder / name / "captions-1.html").read_text("utf-8")
    return dict(re.findall(r'<section class="caption" id="(q\d+)">(.*?)</section>', text, re.DOTALL))


def marked(part):
    return re.findall("<mark>(.*?)</mark>", part)


def test_captions_stand_beside_their_references_with_matched_words_marked(mine):
    run = mine.runs["Counting", "mine-captioning"]

    mine("browse", run, "-o", "one")

    evidence = read_record(mine.folder / run).evidence
    found = captions(mine, "one")
    by_name = {row[0]: (place, row) for place, row in enumerate(listed(mine, "one")["rows"], 1)}
    names = ["v_a 0.0–2.0 s", "v_a 0.0–2.1 s", "v_a 8.0–11.5 s", "v_b 5.0–8.0 s"]
    assert sorted(by_name) == names
    # evidence is ordered by opaque id, then time: which video is first is told by how many items it has
    order = names if (evidence.counts["video"] == [0, 0, 0, 1]).all() else [names[3], *names[:3]]
    scores = item_values(evidence, "CIDEr")
    for i, name in enumerate(order):
        place, row = by_name[name]
        html = found[f"q{place}"]
        assert row[3] == [pytest.approx(scores[i], abs=0.005)]
        caption = html.split("<dt>reference")[0]
        assert f"CIDEr {scores[i]:.1f} · METEOR" in caption
        assert len(marked(caption)) == evidence.counts["bleu"][i, 0], name
    first = found[f"q{by_name['v_a 0.0–2.0 s'][0]}"]
    said, told = first.split("<dt>reference")[:2]
    assert (
        "".join(re.findall(r"<dd>(.*?)<small>", said, re.S)).strip() == "<mark>it</mark> <mark>lasts</mark> 2.0 seconds"
    )
    assert "<mark>It</mark> <mark>lasts</mark>, it lasts!" in told
    last = found[f"q{by_name['v_a 8.0–11.5 s'][0]}"]
    assert marked(last.split("<dt>reference")[1]) == ["3.5", "seconds"]
    assert '<path d="M40 4H58"/>' in last
    assert "8.0–11.5 s" in last


def test_two_runs_stand_beside_each_other_and_reference_words_are_marked_for_both(mine):
    mine("browse", mine.runs["Counting", "mine-captioning"], mine.runs["Empty", "mine-captioning"], "-o", "two")

    data = listed(mine, "two")
    assert data["higher"]
    assert data["nouns"] == ["caption", "captions"]
    assert {row[1][1] for row in data["rows"]} == {""}
    assert all(row[2][1] == 0 and row[3][1] == 0 for row in data["rows"])
    html = captions(mine, "two")["q1"]
    assert html.index("<dt>A</dt>") < html.index("<dt>B</dt>") < html.index("<dt>reference")
    assert "0 of 0 words in a reference" in html
    index = (mine.folder / "two" / "index.html").read_text("utf-8")
    assert re.search(r"that score 0</th>\s*<td>\d</td><td>4</td>", index)
    assert "4 captions, scored one by one, protocol corpus" in index


def test_a_paragraph_is_read_sentence_by_sentence_on_the_time_line(mine):
    mine("browse", mine.runs["Counting", "mine-paragraph-captioning"], "-o", "paragraphs")

    assert len(listed(mine, "paragraphs")["rows"]) == 2
    both = captions(mine, "paragraphs")
    (html,) = [one for one in both.values() if "3.5" in one]
    caption, first, *_ = html.split("<dt>reference")
    assert re.findall(r"(\d+\.\d–\d+\.\d) s", caption) == ["0.0–2.0", "8.0–11.5"]
    assert re.findall(r"(\d+\.\d–\d+\.\d) s", first) == ["0.0–2.0", "8.0–11.5"]
    assert caption.count("<path d=") == 2


def test_a_run_of_densevid_is_shown_caption_by_caption_as_one_corpus(mine):
    done = mine("browse", mine.runs["Counting", "mine-captioning:protocol=densevid"], "-o", "dense")

    assert done.stdout.strip() == "dense/index.html"
    assert "protocol corpus" in (mine.folder / "dense" / "index.html").read_text("utf-8")


def test_what_is_missing_is_one_line(mine):
    run, paragraphs = mine.runs["Counting", "mine-captioning"], mine.runs["Counting", "mine-paragraph-captioning"]
    (mine.folder / "elsewhere.yaml").write_text("version: 1\ndatasets: {}\n")

    alone = mine("browse", run, "-o", "no", "--config", "elsewhere.yaml", exit_code=4).stderr
    mixed = mine("browse", run, paragraphs, "-o", "no", exit_code=2).stderr

    assert "references, and those are in the dataset, which is not at hand" in alone
    assert len(alone.strip().splitlines()) == 1
    assert "scored against other segments or references" in mixed
    assert not (mine.folder / "no").exists()
