"""Incomplete retrieval through the command line: one checkpoint, records that score again, a board, a comparison."""

import json

import pytest

SMALL = ("--set", "hidden=8", "--set", "word_dim=8", "--set", "epochs=1", "--limit", "16")


def test_training_is_that_of_plain_retrieval(bench_command):
    found = json.loads(
        bench_command(
            "run", "-m", "fse", "-t", "anet-retrieval", "-t", "anet-retrieval-incomplete",
            "-t", "anet-retrieval-incomplete:cut=both,order=random", *SMALL, "--json",
        ).stdout
    )  # fmt: skip
    assert len({record["provenance"]["checkpoint"]["key"] for record in found}) == 1
    assert [record["provenance"]["seconds"]["fit"] > 0 for record in found] == [True, False, False]
    plain = {m["name"]: m["value"] for m in found[0]["measurements"]}
    for record in found[1:]:
        curve = {m["name"]: m["value"] for m in record["measurements"]}
        assert curve["t2v/R@1[keep=1.0]"] == plain["t2v/R@1"]
        assert curve["v2t/R@50[keep=1.0]"] == plain["v2t/R@50"]
    assert "|cut=both|order=random|keep=0.2-1.0|" in found[2]["signature"]


def test_a_curve_is_printed_scored_again_added_built_and_compared(bench_command):
    done = bench_command("run", "-m", "random", "-m", "count-only", "-t", "didemo-retrieval-incomplete")
    head = next(line for line in done.stdout.splitlines() if line.startswith("model"))
    assert " ".join(head.split()) == "model seed metric 20 % 40 % 60 % 80 % 100 % area [95 %]"
    runs = sorted(path.parent for path in bench_command.folder.glob("runs/*/result.json"))

    bench_command("rescore", *runs)
    bench_command("leaderboard", "add", *runs, "--board", "board")
    built = bench_command("leaderboard", "build", "--results", "board/results", "--output", "board")
    assert "2 rows in 1 table" in built.stdout
    page = (bench_command.folder / "board" / "didemo-retrieval-incomplete.md").read_text()
    assert "### Ground-truth segments, incomplete videos, first parts kept" in page
    assert "| Paragraph → video, R@1 | Status | Tier | Seeds | 20 % | 40 % | 60 % | 80 % | 100 % | area |" in page
    assert "random" in page

    compared = bench_command("compare", runs[0], runs[1], "--metric", "t2v/R@1/AUC")
    assert "t2v/R@1/AUC" in compared.stdout


def test_an_edited_curve_is_noticed(bench_command):
    bench_command("run", "-m", "count-only", "-t", "anet-retrieval-incomplete")
    record = next(bench_command.folder.glob("runs/*/result.json"))
    edited = json.loads(record.read_text())
    edited["measurements"][0]["value"] += 1
    record.write_text(json.dumps(edited))
    assert "t2v/R@1[keep=0.2]" in bench_command("rescore", record.parent, exit_code=6).stderr
    built = bench_command("leaderboard", "build", "--results", "runs", "--output", "board")
    assert "t2v/R@1[keep=0.2]" in built.stderr


@pytest.mark.parametrize("text", ["cut=audio", "order=last", "keep=0.5"])
def test_an_unknown_parameter_is_one_line(bench_command, text):
    done = bench_command("run", "-m", "random", "-t", f"anet-retrieval-incomplete:{text}", exit_code=2)
    assert text.partition("=")[0] in done.stderr.strip().splitlines()[-1]
