"""`bench browse`: every query of finished runs as pages, with the dataset and without it."""

import json
import re

import pytest
from cli.dialled import STEP, described, ran, site_of

N = 103
IDS = [f"v{i}" for i in range(N)]
POINTS = [STEP * i for i in range(N)]
POINTS[100] = 0.0  # its text says where video 0 stands


@pytest.fixture(scope="module")
def runs(tmp_path_factory, bench_in):
    """Returns the command in a folder with a run of `dial`, which errs once each way, and one of `random`."""
    bench = bench_in(tmp_path_factory.mktemp("runs"))
    site = site_of(tmp_path_factory.mktemp("dial") / "dial")
    return bench, ran(bench, site, described(IDS, POINTS))


def queries(page):
    """Returns id of the article -> its HTML."""
    return dict(re.findall(r'<article class="query" id="(q\d+)">(.*?)</article>', page, re.DOTALL))


def test_every_query_stands_once_the_worst_first_with_what_was_found(runs):
    bench, (dial, _) = runs

    done = bench("browse", dial, "-o", "pages")

    folder = bench.folder / "pages"
    assert done.stdout.strip() == "pages/index.html"
    first, second = (queries((folder / f"t2v-{i}.html").read_text("utf-8")) for i in (1, 2))
    assert list(first) == [f"q{i}" for i in range(1, 101)]
    assert list(second) == ["q101", "q102", "q103"]
    worst = first["q1"]
    assert "<h2>v100</h2>" in worst
    assert "rank 101 of 103" in worst
    places = re.findall(r"<td>([\d,]+)</td><td>([\d.-]+)</td><td[^>]*>(<b>✓ right</b> )?(v\d+)", worst)
    assert [(place, name, bool(right)) for place, _, right, name in places] == [
        ("1", "v0", False), ("2", "v1", False), ("3", "v2", False), ("4", "v3", False), ("5", "v4", False),
        ("101", "v100", True),
    ]  # fmt: skip
    assert places[0][1] == "1.000"
    assert '<path d="M0 4H50"/>' in worst
    assert '<path d="M62 4H88"/>' in worst
    assert "12.5–17.5 s" in worst
    assert worst.count("The dial&#39;s at rest.") == 7
    assert ">102<" in (folder / "index.html").read_text("utf-8")
    assert not list(bench.folder.glob("*.html"))


def test_two_runs_stand_side_by_side_with_who_is_right_alone(runs):
    bench, (dial, random) = runs

    bench("browse", dial, random, "--output", "both")

    folder = bench.folder / "both"
    page = queries((folder / "t2v-1.html").read_text("utf-8"))["q1"]
    assert page.index("A: dial, seed 0") < page.index("B: random, seed 0")
    assert len(re.findall(r'<p class="rank">rank', page)) == 2
    data = read_data(folder / "t2v.html")
    ranks = [row[3] for row in data["rows"]]
    alone = sum(a <= 1 < b for a, b in ranks), sum(b <= 1 < a for a, b in ranks)
    hits = sum(a <= 1 for a, _ in ranks), sum(b <= 1 for _, b in ranks)
    line = re.search(r'<th scope="row" class="text">1</th>(.*?)</tr>', (folder / "index.html").read_text("utf-8"), re.S)
    assert re.findall(r"<td>(\d+)</td>", line[1]) == [
        str(n) for n in (hits[0], hits[1], hits[1] - alone[1], alone[0], alone[1])
    ]
    assert hits[0] == 102


def read_data(path):
    """Returns what a list gives its script."""
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', path.read_text("utf-8"))[1])


def test_without_the_dataset_ids_stand_alone_and_ranks_are_the_same(runs):
    bench, (dial, _) = runs
    bench("browse", dial, "-o", "with")
    (bench.folder / "elsewhere.yaml").write_text("version: 1\ndatasets: {}\n")

    done = bench("browse", dial, "-o", "without", "--config", "elsewhere.yaml")

    assert "no texts, ids stand alone" in done.stderr
    alone = ("browse", dial, "-o", "no", "--config", "elsewhere.yaml", "--videos", "clips")
    assert "which file is whose" in bench(*alone, exit_code=2).stderr
    for way in ("t2v", "v2t"):
        named, opaque = (read_data(bench.folder / name / f"{way}.html")["rows"] for name in ("with", "without"))
        assert [row[3] for row in opaque] == [row[3] for row in named]
        assert not {row[0] for row in opaque} & set(IDS)
        pages = [(bench.folder / name / f"{way}-1.html").read_text("utf-8") for name in ("with", "without")]
        rows = [re.findall(r"<td>([\d,]+)</td><td>([\d.-]+)</td><td[^>]*>(<b>)?", page) for page in pages]
        assert rows[0] == rows[1] or way == "v2t"  # texts 0 and 100 tie: which is right cannot be told
        assert "It is number" not in pages[1]


def test_times_play_in_a_folder_of_videos(runs):
    bench, (dial, _) = runs
    clips = bench.folder / "my clips"
    clips.mkdir()
    (clips / "v100.mp4").write_bytes(b"a video")

    bench("browse", dial, "-o", "played/pages", "--videos", "my clips")

    page = queries((bench.folder / "played/pages/t2v-1.html").read_text("utf-8"))
    assert '<a href="../../my%20clips/v100.mp4#t=12.5,17.5">12.5–17.5 s</a>' in page["q1"]
    assert "href" not in page["q2"].split("<table>")[0]


def test_official_ids_of_activitynet_play_where_they_are_public(bench_command, tmp_path):
    ids = ["v_aB3_-567890", "v_short", "v_aB3_-5678901"]
    dial, _ = ran(bench_command, site_of(tmp_path / "dial"), described(ids, [0.0, STEP, 2 * STEP]))

    bench_command("browse", dial, "-o", "pages")

    page = (bench_command.folder / "pages" / "t2v-1.html").read_text("utf-8")
    assert '<a href="https://youtu.be/aB3_-567890?t=12">' in page
    assert set(re.findall(r'href="(https:[^"?]*)', page)) == {"https://youtu.be/aB3_-567890"}


def test_classes_of_videos_can_be_chosen(control_runs, bench_command):
    (run,) = control_runs.iterdir()

    bench_command("browse", run, "-o", "pages")

    data = read_data(bench_command.folder / "pages" / "t2v.html")
    assert len(data["classes"]) > 1
    assert {number for row in data["rows"] for number in row[5]} == set(range(len(data["classes"])))


def test_pages_of_an_earlier_build_go_and_other_files_stay(runs):
    bench, (dial, _) = runs
    folder = bench.folder / "again"
    bench("browse", dial, "-o", "again")
    (folder / "t2v-77.html").write_text("of a longer run")
    (folder / "notes.txt").write_text("mine")

    bench("browse", dial, "-o", "again")

    assert not (folder / "t2v-77.html").exists()
    assert (folder / "notes.txt").read_text() == "mine"
    assert "holds other files" in bench("browse", dial, "-o", "rows", exit_code=1).stderr
    assert len(list((bench.folder / "rows").iterdir())) == N


def test_what_cannot_be_browsed_is_one_line(runs, control_runs):
    bench, (dial, _) = runs
    (other,) = control_runs.iterdir()

    assert "room for 6" in bench("browse", *[dial] * 7, "-o", "no", exit_code=2).stderr
    assert "was asked on another test set" in bench("browse", dial, other, "-o", "no", exit_code=2).stderr
    assert "--videos none: no such folder." in bench("browse", dial, "-o", "no", "--videos", "none", exit_code=4).stderr
    (bench.folder / "others").mkdir()
    (bench.folder / "others" / "elsewhere.mp4").write_bytes(b"")
    others = bench("browse", dial, "-o", "no", "--videos", "others", exit_code=4).stderr
    assert "holds 1 video, such as 'elsewhere', and none of those shown" in others
    assert "names no `videos:`" in bench("browse", dial, "-o", "no", "--film-strips", exit_code=2).stderr
    assert not (bench.folder / "no").exists()


ACTIVITYNET = """
version: 1
datasets:
  anet: {{reader: activitynet, root: {root}, features: simulated}}
"""


@pytest.mark.slow
def test_all_of_activitynet_fits_into_thirty_megabytes(bench_command, shared):
    root = shared("data/activitynet_captions/val_1.json.gz").parent
    (bench_command.folder / "bench.yaml").write_text(ACTIVITYNET.format(root=root))
    bench_command("run", "-m", "random", "-t", "anet-retrieval")
    (run,) = (bench_command.folder / "runs").glob("random--*")

    bench_command("browse", run, "-o", "pages")

    pages = list((bench_command.folder / "pages").iterdir())
    assert sum(path.stat().st_size for path in pages) < 30e6
    for way in ("t2v", "v2t"):
        assert len(read_data(bench_command.folder / "pages" / f"{way}.html")["rows"]) == 4917
        shown = [queries(path.read_text("utf-8")) for path in pages if path.name.startswith(f"{way}-")]
        assert sum(map(len, shown)) == 4917
