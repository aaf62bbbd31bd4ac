"""`bench browse --judge` and `bench judge`: a sample of wrong answers, what people say of them, recall with that."""

import hashlib
import json
import re

import pytest
from cli.dialled import STEP, described, ran, site_of

from bench.analysis.browsing.opening import retrieval_run
from bench.analysis.judging.drawing import SampleDraw, drawn, pairs_of
from bench.analysis.judging.judgements import Judgements
from bench.analysis.judging.recall import judged_run
from bench.catalogue import config as configuration
from bench.catalogue.lookup import Session
from bench.evidence.verified import stored

N = 103
IDS = [f"v{i}" for i in range(N)]
TWINS = range(90, 101)
"""Texts that say where video 0 stands: it is a right answer of theirs that nobody annotated."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory, bench_in):
    """Returns the command in a folder with a run of `dial`, which errs on the 11 twins, and one of `random`."""
    bench = bench_in(tmp_path_factory.mktemp("runs"))
    points = [0.0 if i in TWINS else STEP * i for i in range(N)]
    return bench, ran(bench, site_of(tmp_path_factory.mktemp("dial") / "dial"), described(IDS, points))


def sample(bench, run, count, seed=0):
    """Returns what the judging page of texts gives its script."""
    bench("browse", run, "-o", "pages", "--judge", str(count), "--seed", str(seed))
    text = (bench.folder / "pages" / "t2v-judge.html").read_text("utf-8")
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', text)[1])


def judge(bench, data, say, name="Ada", file="said.jsonl", queries=None):
    """Writes a file as the page would; `say` gives the verdict of a text and a video, None to pass it over."""
    pairs = [(text, video) for text, videos in data["queries"][:queries] for video in videos]
    told = [(text, video, verdict) for text, video in pairs if (verdict := say(text, video))]
    lines = [
        {"text": text, "video": video, "verdict": verdict, "judge": name, "date": "2026-11-28"}
        for text, video, verdict in told
    ]
    (bench.folder / file).write_text("".join(json.dumps(line) + "\n" for line in [data["head"], *lines]))
    return file


def by_twins(text, video):
    return "right" if video == "v0" and int(text[1:]) in TWINS else "wrong"


def told(bench, *arguments):
    return json.loads(bench("judge", *arguments, "--json").stdout)


def test_false_negatives_that_were_all_judged_are_counted_exactly(runs):
    bench, (dial, _) = runs
    data = sample(bench, dial, 50)
    assert sorted(int(text[1:]) for text, _ in data["queries"]) == list(TWINS)

    found = told(bench, dial, judge(bench, data, by_twins))

    first, fifth = found["recalls"]
    assert first["annotated"] == pytest.approx(100 * 92 / N)
    assert first["judged"]["value"] == pytest.approx(100)
    assert first["judged"]["ci95"] == pytest.approx([100, 100])
    assert fifth["judged"]["value"] == pytest.approx(100)
    assert found["pairs"]["right"] == 11
    shown = bench("judge", dial, "said.jsonl").stdout
    assert re.search(r"R@1 +89\.32 +100\.00 +100\.00 to 100\.00 +100\.00 +11 of 11", shown)


def test_who_stops_early_has_judged_a_part_and_the_interval_says_so(runs):
    bench, (dial, _) = runs
    data = sample(bench, dial, 11)

    found = told(bench, dial, judge(bench, data, by_twins, queries=4))["recalls"][0]["judged"]

    assert found["judged"] == 4
    assert found["value"] == pytest.approx(100)
    assert 100 * 92 / N < found["ci95"][0] < 100 == pytest.approx(found["ci95"][1])


def test_a_query_counts_once_its_first_items_are_judged_in_order(runs):
    bench, (dial, _) = runs
    data = sample(bench, dial, 50)

    found = told(bench, dial, judge(bench, data, lambda text, video: None if video == "v0" else "wrong"))

    assert [one["judged"] for one in found["recalls"]] == [None, None]


def test_what_is_unclear_is_said_both_ways(runs):
    bench, (dial, _) = runs
    data = sample(bench, dial, 50)

    first = told(bench, dial, judge(bench, data, lambda text, video: "unclear"))["recalls"][0]

    assert first["judged"]["value"] == pytest.approx(first["annotated"])
    assert first["lenient"]["value"] == pytest.approx(100)


def test_of_several_judges_more_than_half_decide_and_kappa_says_how_far_they_agree(runs):
    bench, (dial, _) = runs
    data = sample(bench, dial, 50)
    files = [
        judge(bench, data, by_twins, "Ada", "ada.jsonl"),
        judge(bench, data, by_twins, "Ben", "ben.jsonl"),
        judge(bench, data, lambda text, video: "wrong", "Cyd", "cyd.jsonl"),
    ]

    found = told(bench, dial, *files)

    assert found["recalls"][0]["judged"]["value"] == pytest.approx(100)
    assert [(one["judges"], one["kappa"]) for one in found["agreements"]] == [
        (["Ada", "Ben"], 1.0), (["Ada", "Cyd"], 0.0), (["Ben", "Cyd"], 0.0)
    ]  # fmt: skip
    assert "Ada and Cyd: 44 of 55 pairs alike, Cohen's kappa 0.00" in bench("judge", dial, *files).stdout
    evil = judge(bench, data, by_twins, "E\x1b[31m\nve", "evil.jsonl")
    assert "\x1b" not in bench("judge", dial, files[0], evil).stdout
    two = told(bench, dial, files[0], files[2])
    assert two["pairs"] == {"unclear": 11, "wrong": 44}


def test_adjusted_recall_agrees_with_known_false_negatives_over_many_samples(runs):
    """One pair in seven is right, whoever draws; judging all says the truth, and intervals are to hold it."""
    bench, (_, random) = runs
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(bench.folder)
        run = retrieval_run(Session(configuration.load(None)), stored(bench.folder / random), print)

    def counted(draw):
        picked = drawn(run, draw)
        pairs = [(query.name, item) for query in picked.queries for item, _ in pairs_of(query)]
        odd = {pair: hashlib.sha256("".join(pair).encode()).digest()[0] % 7 for pair in pairs}
        verdicts = {pair: "wrong" if odd[pair] else "right" for pair in pairs}
        file = Judgements(bench.folder / "x", picked.run, picked.evidence, draw, {"Ada": verdicts})
        return [one.judged for one in judged_run(run, [file]).recalls]

    truth = counted(SampleDraw("t2v", N, 0))
    assert all(one.ci95 == pytest.approx([one.value] * 2) for one in truth)
    assert 5 < truth[0].value < 30 < truth[1].value < 80
    samples = [counted(SampleDraw("t2v", 40, seed)) for seed in range(60)]
    for k, right in enumerate(truth):
        covered = sum(one[k].ci95[0] <= right.value <= one[k].ci95[1] for one in samples)
        mean = sum(one[k].value for one in samples) / len(samples)
        assert covered >= 0.88 * len(samples)
        assert mean == pytest.approx(right.value, abs=2.5)


def test_a_draw_repeats_and_every_stretch_of_ranks_is_drawn_from(runs):
    bench, (_, random) = runs
    first = sample(bench, random, 20)

    assert sample(bench, random, 20) == first
    assert len(first["queries"]) == 20
    assert len(sample(bench, random, 2)["queries"]) == 2, "no more than asked, of four strata"
    bench("browse", random, "-o", "pages", "--judge", "20")
    assert {text for text, _ in sample(bench, random, 20, seed=1)["queries"]} != {text for text, _ in first["queries"]}
    listed = (bench.folder / "pages" / "t2v.html").read_text("utf-8")
    rows = json.loads(re.search(r'<script type="application/json">(.*?)</script>', listed)[1])["rows"]
    rank_of = {name: values[0] for name, _, _, values, *_ in rows}
    ranks = [rank_of[text] for text, _ in first["queries"]]
    assert len([rank for rank in ranks if rank <= 5]) >= 2
    assert len([rank for rank in ranks if 5 < rank <= 10]) >= 2
    assert max(ranks) > 50


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("not json", "is not a file of judgements"),
        ("[]", "has no 'text'"),
        ('{"text": "v1", "video": "v2", "verdict": "maybe", "judge": "A", "date": "2026-11-28"}', "expected a verdict"),
        ('{"text": "v1", "video": "v2", "verdict": "right", "judge": " ", "date": "2026-11-28"}', "a judge and a date"),
        ('{"text": "v1", "video": "v2", "verdict": "right", "judge": "A", "date": "today"}', "a date such as"),
        ('{"text": "v1", "text": "v2"}', "said.jsonl"),
        ('{"text": "no", "video": "v2", "verdict": "right", "judge": "A", "date": "2026-11-28"}', "does not hold"),
    ],
)
def test_a_line_that_cannot_be_is_one_line(runs, line, says):
    bench, (dial, _) = runs
    data = sample(bench, dial, 5)
    (bench.folder / "said.jsonl").write_text(json.dumps(data["head"]) + "\n" + line + "\n")

    error = bench("judge", dial, "said.jsonl", exit_code=4).stderr

    assert says in error
    assert len(error.strip().splitlines()) == 1


def test_what_cannot_be_judged_is_one_line(runs):
    bench, (dial, random) = runs
    data = sample(bench, dial, 5)
    file = judge(bench, data, by_twins)
    other = judge(bench, sample(bench, dial, 5, seed=9), by_twins, "Ben", "other.jsonl")
    again = judge(bench, data, lambda text, video: "unclear", "Ada", "again.jsonl")
    (bench.folder / "empty.jsonl").write_text("")

    assert "another run than" in bench("judge", random, file, exit_code=2).stderr
    assert "another sample" in bench("judge", dial, file, other, exit_code=2).stderr
    assert "another file denies" in bench("judge", dial, file, again, exit_code=4).stderr
    assert "no head of bench-judgements/1" in bench("judge", dial, "empty.jsonl", exit_code=4).stderr
    assert "none.jsonl" in bench("judge", dial, "none.jsonl", exit_code=4).stderr
    assert "--seed: draws what is judged" in bench("browse", dial, "-o", "no", "--seed", "1", exit_code=2).stderr
    assert "ask for at least 1" in bench("browse", dial, "-o", "no", "--judge", "0", exit_code=2).stderr
    assert not (bench.folder / "no").exists()
