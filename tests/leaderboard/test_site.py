"""Pages beside the tables: models, comparisons, names of files, the report, and a look at them through `serve`."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import record, save, with_values

from bench.errors import UsageError
from bench.leaderboard import Sources, build
from bench.leaderboard.comparisons import compared_rows
from bench.leaderboard.pages.how_made import command
from bench.leaderboard.pages.naming import file_names
from bench.leaderboard.records import Entry, read
from bench.leaderboard.serving import server
from bench.leaderboard.tables import boards


def entry(tmp_path: Path, **changes: Any) -> Entry:
    save(tmp_path / "runs" / "a", record(**changes))
    return read([tmp_path / "runs"])[0][0]


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_model_page_says_what_made_each_row(tmp_path: Path) -> None:
    key, signature = "e" * 64, f"{record()['signature']}|missing=penalise-3"
    for seed, commit in ((0, "a" * 40), (1, "b" * 40)):
        value = record(
            seed=seed,
            run=f"toy--s{seed}",
            model__settings={"low": "weak"},
            provenance__commit=commit,
            provenance__dirty=seed == 1,
            provenance__checkpoint={"key": key, "sha256": key, "selection": "epoch 15", "word_vectors": "random"},
            data__missing={"policy": "penalise", "videos": {"val_1": 3}},
            signature=signature,
        )
        save(tmp_path / "results" / str(seed), value)
    build(Sources((tmp_path / "results",)), tmp_path)
    shown = text((tmp_path / "models" / "toy.html").read_text())
    for said in (
        signature,
        "selected by epoch 15, word vectors random, sha256 eeeeeeeeeeee",
        "seed 0: aaaaaaaaaaaa; seed 1: bbbbbbbbbbbb with uncommitted changes",
        "cpu a processor; ran on cpu with 1 thread",
        "sample, 64 numbers every 1 row, digest dddddddddddd",
        "val_1 cccccccccccc",
        "3 of val_1 without features (penalise)",
        "vtbench 0.1.0",
        "low=weak",
        "bench run -m toy -t anet-retrieval --seed 0 --set low=weak",
    ):
        assert said in shown, said
    assert 'href="../results/0/result.json"' in (tmp_path / "models" / "toy.html").read_text()


def test_a_record_outside_the_pages_is_named_and_not_linked(tmp_path: Path) -> None:
    save(tmp_path / "runs" / "0", record())
    build(Sources((tmp_path / "runs",)), tmp_path / "board")
    assert "result.json" not in (tmp_path / "board" / "models" / "toy.html").read_text()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"provenance__precision": "bf16"}, "bench run -m toy -t anet-retrieval --seed 0 --precision bf16"),
        ({"provenance__batch_size": 8}, "bench run -m toy -t anet-retrieval --seed 0 --batch-size 8"),
        (
            {"model__settings": {"on": True, "x": 0.5}},
            "bench run -m toy -t anet-retrieval --seed 0 --set on=true --set x=0.5",
        ),
        ({"model__name": "a; rm -rf ~"}, "bench run -m 'a; rm -rf ~' -t anet-retrieval --seed 0"),
        ({"model__name": "a\u202eb"}, ""),
        ({"model__name": "a\nb"}, ""),
        ({"model__name": "a" * 3000}, ""),
        ({"predictions": None, "provenance__command": ["bench", "score", "x y"]}, "bench score 'x y'"),
    ],
)
def test_the_command_that_runs_a_record_again_is_quoted_or_not_shown(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    assert command(entry(tmp_path, **changes)) == expected


def test_the_comparison_page_shows_differences_in_both_directions(tmp_path: Path) -> None:
    for name, r1 in (("a", 60.0), ("b", 20.0), ("c", 19.0)):
        save(tmp_path / "results" / name, with_values(record(model__name=name), t2v_R1=r1))
    build(Sources((tmp_path / "results",)), tmp_path)
    page = (tmp_path / "compare.html").read_text()
    assert re.findall(r'<td class="(ahead|behind|)"[^>]*>([^<]+)<', page) == [
        ("ahead", "+40.0"), ("ahead", "+41.0"), ("behind", "−40.0"), ("", "+1.0"), ("behind", "−41.0"), ("", "−1.0"),
    ]  # fmt: skip


def test_a_task_with_controls_only_says_so_beside_the_one_that_leads(tmp_path: Path) -> None:
    save(tmp_path / "results" / "a", record(model__control=True))
    report = build(Sources((tmp_path / "results",)), tmp_path)
    shown = text(report.index.read_text(encoding="utf-8"))
    assert "anet-retrieval sample (generated) Ground-truth segments toy a control; controls only" in shown
    assert "No ranked model yet" not in shown


def test_only_so_many_rows_are_compared_and_controls_last(tmp_path: Path) -> None:
    for i in range(9):
        save(
            tmp_path / "runs" / str(i), with_values(record(model__name=f"m{i}", model__control=i == 8), t2v_R1=10.0 * i)
        )
    (table,) = boards(read([tmp_path / "runs"])[0])[0][0].tables
    found = compared_rows(table)
    assert found is not None
    assert [row.model for row in found.rows] == [f"m{i}" for i in range(7, -1, -1)]
    assert len(found.pairs) == 28


def test_one_row_is_compared_with_nothing(tmp_path: Path) -> None:
    save(tmp_path / "runs" / "0", record())
    (table,) = boards(read([tmp_path / "runs"])[0])[0][0].tables
    assert compared_rows(table) is None


@given(st.lists(st.text(), unique=True))
def test_no_two_names_get_one_file_and_none_leaves_its_folder(names: list[str]) -> None:
    found = file_names(names)
    assert len({file.lower() for file in found.values()}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", file) for file in found.values())
    assert not {"index", "compare", "build"} & {file.lower() for file in found.values()}


def test_the_report_lists_every_file_and_why_one_was_left_out(tmp_path: Path) -> None:
    save(tmp_path / "results" / "a", record())
    (tmp_path / "results" / "b").mkdir()
    (tmp_path / "results" / "b" / "result.json").write_text("{}")
    report = build(Sources((tmp_path / "results",)), tmp_path)
    value = json.loads((tmp_path / "build.json").read_text())
    assert value["files"] == sorted(page.relative_to(tmp_path).as_posix() for page in report.pages)
    assert value["rows"] == 1
    assert [note["file"] for note in value["left_out"]] == ["b/result.json"]
    assert "1 file left out" in text((tmp_path / "index.html").read_text())


def test_serve_hands_out_pages_of_its_folder_only(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "board").mkdir()
    (tmp_path / "board" / "index.html").write_text("hello")
    with server(tmp_path / "board", 0) as running:
        assert running.server_address[0] == "127.0.0.1"
        Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_port}"
        with urllib.request.urlopen(f"{address}/index.html") as answer:  # noqa: S310 (our own server)
            assert answer.read() == b"hello"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/../secret.txt")  # noqa: S310
        refused.value.close()
        with pytest.raises(UsageError, match="Choose another"):
            server(tmp_path / "board", running.server_port)
        running.shutdown()


def test_serve_needs_built_pages(bench_command: Any) -> None:
    assert "Build it first" in bench_command("leaderboard", "serve", "-o", "nowhere", exit_code=2).stderr
