"""`bench reproduce`: a paper's table with our figures beside it, from runs that are there or made now."""

import json

import numpy as np
import pytest

SMALL = ("--limit", "12", "--set", "hidden=8", "--set", "word_dim=8", "--set", "epochs=1")
SMALL_PROBES = (
    "--limit", "24", "--set", "fse.hidden=8", "--set", "hse.hidden=8", "--set", "epochs=1", "--set", "fv-vae.reduced=8",
)  # fmt: skip
C3D = """
version: 1
datasets:
  anet:
    reader: activitynet
    root: .
    features: frames
    splits: {train: {file: captions.json, take: [0, 4]}, val_1: {file: captions.json, take: [4, 8]}}
features:
  frames: {reader: npy-folder, path: frames, extractor: C3D-PCA500}
"""


def test_a_table_runs_keeps_its_rows_and_never_claims_a_reproduction(bench_command):
    table = json.loads(bench_command("reproduce", "hse2018", "table1", *SMALL, "--seeds", "0,1", "--json").stdout)
    assert [(row["system"], row["features"][:3]) for row in table["rows"]] == [
        ("DENSE", "C3D"), ("FSE", "C3D"), ("HSE", "C3D"), ("FSE", "Inc"), ("HSE", "Inc"),
    ]  # fmt: skip
    for row in table["rows"]:
        assert row["verdict"].startswith("protocol differs: generated data; 12 of 500 videos; hidden=8")
        assert ("; retrieved by embedding" in row["verdict"]) == (row["system"] == "DENSE")
        assert len(row["runs"]) == 2
    first = table["rows"][2]["figures"][0]
    assert first["difference"] == pytest.approx(first["mean"] - 32.7)
    assert first["ci95"][0] <= first["mean"] <= first["ci95"][1]

    runs = bench_command.folder / "runs"
    assert len(list(runs.glob("*/result.json"))) == 6
    pages = [(runs / "reproduce" / f"hse2018-table1.{kind}") for kind in ("md", "html")]
    before = [page.read_bytes() for page in pages]
    assert b"they say nothing about the paper" in before[1]
    again = bench_command("reproduce", "hse2018", "table1", *SMALL, "--seeds", "0,1")
    assert again.stderr.count("already complete") == 6
    assert [page.read_bytes() for page in pages] == before
    assert again.stdout.count("protocol differs: generated data") == 5


def test_zero_shot_stands_there_at_each_level_and_what_differs_in_the_models_on_any_data(bench_command):
    table = json.loads(bench_command("reproduce", "hse2018", "table5", *SMALL_PROBES, "--json").stdout)
    rows = {(row["system"], row["variant"]): row for row in table["rows"]}
    variants = ("sequence embedding", "flat embedding", "clips against class names")
    levels = [rows["HSE", variant] for variant in variants]
    assert [row["tasks"][0] for row in levels] == [
        "anet-zero-shot", "anet-zero-shot:level=flat", "anet-zero-shot:level=clips",
    ]  # fmt: skip
    assert all(row["figures"][0]["mean"] is not None for row in levels)
    assert [row["figures"][0]["published"] for row in levels] == [51.4] * 3
    assert all("level, prompts" in row["verdict"] for row in levels)
    tsn = rows["TSN", ""]["verdict"]
    assert tsn.startswith("protocol differs: generated data; 24 of 500 videos; epochs=1")
    assert "; last layer alone, on frozen features; " in tsn
    page = (bench_command.folder / "runs" / "reproduce" / "hse2018-table5.md").read_text()
    assert all(variant in page for variant in variants)


def test_a_run_of_bench_run_is_reused(bench_command):
    bench_command("run", "-m", "fse", "-t", "anet-retrieval", *SMALL)
    planned = json.loads(bench_command("reproduce", "hse2018", "table1", *SMALL, "--dry-run", "--json").stdout)
    assert {plan["run"].partition("-")[0]: plan["state"] for plan in planned} == {
        "dense": "would fit, predict and score",
        "fse": "complete already, would be reused",
        "hse": "would fit, predict and score",
    }
    assert not (bench_command.folder / "runs" / "reproduce").exists()


def test_only_the_sample_as_it_is_differs_by_its_data_alone(bench_command, control_runs):
    """Without a limit or a setting nothing but the data is named; the figures of a control stand for slow ones."""
    from bench.papers.figures import compared
    from bench.papers.tables import PaperTable
    from bench.results import Result

    result = Result.load(next(control_runs.glob("*/result.json")))
    row = {"system": "A", "model": "random", "task": "anet-retrieval", "extractor": "ICEP", "values": [0.2]}
    table = PaperTable.model_validate({"title": "T", "columns": ["t2v/R@1"], "rows": [row]})
    assert compared(table, table.rows[0], [result], {}, 1).verdict == "protocol differs: generated data"


def test_a_run_that_fails_leaves_its_row_in_place_and_the_others_are_shown(bench_command):
    done = bench_command("reproduce", "hse2018", "table1", *SMALL, "--set", "dense.lr=1e38", "--json", exit_code=5)
    verdicts = [row["verdict"] for row in json.loads(done.stdout)["rows"]]
    assert verdicts[0] == "not run: it failed; the reason is above the table and in its log"
    assert all(verdict.startswith("protocol differs") for verdict in verdicts[1:])
    assert "1 of 3 runs failed" in done.stderr


@pytest.mark.parametrize(
    ("table", "runs"),
    [
        ("table2", 3),
        ("table3", 4),
        ("table4", 4),
        ("table4-densevid", 4),
        ("table5", 8),
        ("incomplete", 6),
        ("ablation", 6),
    ],
)
def test_the_other_tables_plan_a_run_for_every_row(bench_command, table, runs):
    assert len(json.loads(bench_command("reproduce", "hse2018", table, "--dry-run", "--json").stdout)) == runs


def test_real_features_of_one_kind_leave_the_rows_of_the_other_for_later(bench_command):
    folder = bench_command.folder
    (folder / "frames").mkdir()
    entries = {}
    for i in range(8):
        entries[f"v_{i}"] = {
            "duration": 10.0,
            "timestamps": [[0.0, 4.0], [3.0, 9.5]],
            "sentences": [f"somebody does thing {i}", "then it ends"],
        }
        np.save(folder / "frames" / f"v_{i}.npy", np.random.default_rng(i).standard_normal((6, 4)).astype(np.float32))
    (folder / "captions.json").write_text(json.dumps(entries))
    (folder / "bench.yaml").write_text(C3D)

    table = json.loads(bench_command("reproduce", "hse2018", "table1", *SMALL[2:], "--json").stdout)
    verdicts = [row["verdict"] for row in table["rows"]]
    assert verdicts[3:] == ["not run: needs ICEP features"] * 2
    assert verdicts[2] == "protocol differs: hidden=8; word_dim=8; epochs=1; random word vectors"
    assert table["rows"][4]["figures"][0] == {
        "name": "t2v/R@1", "published": 44.4, "mean": None, "std": None, "ci95": None, "difference": None,
    }  # fmt: skip
    unknown = json.loads(bench_command("reproduce", "hse2018", "table2", "--json").stdout)
    assert all("unknown task 'didemo-retrieval'" in row["verdict"] for row in unknown["rows"])


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (("hse2019", "table1"), 3, "Did you mean 'hse2018'"),
        (("hse2018", "table6"), 3, "Known tables: ablation, incomplete, table1"),
        (("hse2018", "ablation", "--set", "tau=1"), 2, "the table sets tau itself"),
        (("hse2018", "table1", "--set", "s2vt.hidden=8"), 2, "'s2vt' is not run here"),
        (("hse2018", "table1", "--set", "hiden=8"), 2, "Did you mean 'hidden'"),
    ],
)
def test_a_wrong_request_is_one_line(bench_command, arguments, exit_code, says):
    done = bench_command("reproduce", *arguments, exit_code=exit_code)
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_papers_are_listed_and_described(bench_command):
    assert "Cross-Modal and Hierarchical Modeling" in bench_command("list", "papers").stdout
    facts = json.loads(bench_command("info", "hse2018", "--json").stdout)
    assert facts["tables"]["table4"] == "Video captioning on ActivityNet; 4 rows"
    assert "hse2018" in bench_command("plugin", "list").stdout
