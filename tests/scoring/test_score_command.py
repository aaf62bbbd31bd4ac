"""`bench score retrieval`: files that hold what they should, and files that do not."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

WORLD = np.random.default_rng(4).normal(size=(60, 60)).astype(np.float32) + 2 * np.eye(60, dtype=np.float32)


def scored(command: Any, *arguments: Any) -> dict[str, Any]:
    return json.loads(command("score", "retrieval", *arguments, "--json").stdout)


ODD_NUMBERS = ("nan", "inf", "1e999", "1_0", "\N{FULLWIDTH DIGIT ONE}", "0x1", "one")
"""What is no number to most readers of such files; Python reads the fourth as 10, the fifth as 1."""


def values(record: dict[str, Any]) -> dict[str, float]:
    return {m["name"]: m["value"] for m in record["measurements"]}


def naive(scores: np.ndarray) -> dict[str, float]:
    """Returns the measurements of a square matrix without ties, by sorting."""
    found = {}
    for way, rows in (("t2v", scores), ("v2t", scores.T)):
        ranks = np.array([int((row > row[i]).sum()) for i, row in enumerate(rows)])
        found |= {f"{way}/R@{k}": 100 * float((ranks < k).mean()) for k in (1, 5, 10, 50)}
        found |= {f"{way}/MedR": float(np.floor(np.median(ranks)) + 1), f"{way}/MeanR": float(ranks.mean() + 1)}
    return found


def write(folder: Path, name: str, scores: np.ndarray) -> Path:
    path = folder / name
    if path.suffix == ".npy":
        np.save(path, scores)
    elif path.suffix == ".npz":
        np.savez_compressed(path, sims=scores)
    else:
        from safetensors.numpy import save_file

        save_file({"sims": scores}, path)
    return path


@pytest.mark.parametrize("move", [lambda s: s - 64.0, lambda s: s * 0.25, lambda s: s * 8.0 + 32.0])
def test_only_the_order_of_scores_counts_also_at_and_below_zero(tmp_path, bench_command, move) -> None:
    """Other scorers lose right items at or below zero, or normalise what leaves 0 to 1."""
    steps = np.round(WORLD * 64.0) / 64.0  # every move is exact in float32, so ties stay ties
    before = scored(bench_command, "--similarity", write(tmp_path, "scores.npy", steps))
    moved = move(steps)
    assert (np.argsort(moved, axis=1, kind="stable") == np.argsort(steps, axis=1, kind="stable")).all()
    after = scored(bench_command, "--similarity", write(tmp_path, "moved.npy", moved))
    assert values(after) == values(before)
    assert [m["ci95"] for m in after["measurements"]] == [m["ci95"] for m in before["measurements"]]


@pytest.mark.parametrize("name", ["s.npy", "s.npz", "s.safetensors"])
def test_every_form_of_file_gives_the_naive_numbers(bench_command: Any, name: str) -> None:
    record = scored(bench_command, "--similarity", write(bench_command.folder, name, WORLD))
    assert values(record) == pytest.approx(naive(WORLD))
    assert "|source=similarity|dtype=float32|" in record["signature"]


@pytest.mark.parametrize("name", ["s.npy", "s.safetensors"])
def test_half_floats_are_scored_with_their_ties(bench_command: Any, name: str) -> None:
    constant = np.full((4, 4), 0.1, dtype=np.float16)
    record = scored(bench_command, "--similarity", write(bench_command.folder, name, constant))
    assert values(record)["t2v/R@1"] == 25.0
    assert record["under_ties"]["v2t/R@1"] == {"pessimistic": 0.0, "optimistic": 100.0}
    assert "dtype=float16" in record["signature"]


def test_bfloat16_is_read_exactly(bench_command: Any) -> None:
    import torch
    from safetensors.torch import save_file

    rounded = torch.from_numpy(WORLD).to(torch.bfloat16)
    path = bench_command.folder / "s.safetensors"
    save_file({"sims": rounded}, path)
    again = write(bench_command.folder, "s.npy", rounded.float().numpy())
    half, whole = scored(bench_command, "--similarity", path), scored(bench_command, "--similarity", again)
    assert values(half) == values(whole)
    assert "dtype=bfloat16" in half["signature"]


def test_a_list_of_columns_says_what_matches(bench_command: Any) -> None:
    order = np.random.default_rng(0).permutation(60)
    path = write(bench_command.folder, "s.npy", WORLD[:, order])
    (bench_command.folder / "ids.txt").write_text("".join(f"{np.flatnonzero(order == i)[0]}\n" for i in range(60)))
    assert values(scored(bench_command, "--similarity", path, "--ids", "ids.txt")) == pytest.approx(naive(WORLD))


def test_a_query_with_several_right_items_is_found_by_any(bench_command: Any) -> None:
    scores = np.array([[1, 5, 3, 2], [4, 1, 2, 3]], dtype=np.float32)
    path = write(bench_command.folder, "s.npy", scores)
    (bench_command.folder / "ids.json").write_text("[[0, 2], 3]")
    record = scored(bench_command, "--similarity", path, "--ids", "ids.json")
    assert values(record)["t2v/any-hit MeanR"] == 2.0  # 3 is beaten by 5; 3 by 4
    assert "|hits=any|" in record["signature"]
    assert next(m["n"] for m in record["measurements"] if m["name"].startswith("v2t/")) == 3  # column 1 has no query


def test_several_captions_of_a_video_are_any_hit_from_video_to_text(bench_command: Any) -> None:
    scores = np.array([[9, 1], [1, 9], [2, 3], [3, 4]], dtype=np.float32)  # captions of b, b, a, a
    path = write(bench_command.folder, "s.npy", scores)
    (bench_command.folder / "videos.txt").write_text("b\nb\na\na\n")
    found = values(scored(bench_command, "--similarity", path, "--video-of", "videos.txt"))
    assert found["t2v/R@1"] == 75.0
    assert found["v2t/any-hit R@1"] == 50.0  # column b: 9 leads; column a: the 9 of a caption of b leads


@pytest.mark.parametrize("right", ["nearly all", "nearly none"])
def test_intervals_of_unequally_described_videos_stay_within_0_to_100(bench_command: Any, right: str) -> None:
    owners = np.repeat(np.arange(7), [13, 1, 2, 1, 9, 1, 3])
    first = owners + (right == "nearly none")
    first[14] = owners[14] + (right == "nearly all")  # a caption of the third video is the other way round
    scores = np.eye(7, dtype=np.float32)[first % 7]
    (bench_command.folder / "of.txt").write_text("".join(f"v{owner}\n" for owner in owners))
    path = write(bench_command.folder, "s.npy", scores)
    found = {m["name"]: m for m in scored(bench_command, "--similarity", path, "--video-of", "of.txt")["measurements"]}
    assert found["t2v/R@1"]["value"] == pytest.approx(100 * 29 / 30 if right == "nearly all" else 100 / 30)
    for name, one in found.items():
        if "/R@" in name or "hit R@" in name or "caption R@" in name:
            low, high = one["ci95"]
            assert 0.0 <= low <= one["value"] <= high <= 100.0
            assert low < high


CAPTIONS = np.array([[1, 9, 0], [0, 8, 3], [6, 2, 7], [5, 1, 4], [3, 0, 2]], dtype=np.float32)
"""Five captions, of b b a a a; columns are a, b, c: c has no caption."""


def named(command: Any, rows: str, columns: str | None, exit_code: int = 0) -> Any:
    path = write(command.folder, "s.npy", CAPTIONS)
    (command.folder / "rows.txt").write_text(rows, encoding="utf-8")
    words = ["score", "retrieval", "--similarity", path, "--video-of", "rows.txt", "--json"]
    if columns is not None:
        (command.folder / "columns.txt").write_text(columns, encoding="utf-8")
        words += ["--videos", "columns.txt"]
    return command(*words, exit_code=exit_code)


@pytest.mark.parametrize("end", ["", "\n", "\r\n\n"])
def test_columns_are_videos_as_a_file_names_them_also_those_without_a_caption(bench_command: Any, end: str) -> None:
    done = named(bench_command, f"b\nb\na\na\na{end}", f"a\nb\nc{end}")
    assert done.stderr == ""
    record = json.loads(done.stdout)
    found = {m["name"]: (m["value"], m["n"]) for m in record["measurements"]}
    assert found["t2v/R@1"] == (80.0, 5)  # the third caption is closer to c
    assert found["v2t/any-hit R@1"] == (100.0, 2)
    assert record["data"]["n_expected"] == 3


def test_columns_in_order_of_first_occurrence_are_said_to_be_so(bench_command: Any) -> None:
    path = write(bench_command.folder, "s.npy", CAPTIONS[:, [1, 0]])
    (bench_command.folder / "rows.txt").write_text("b\nb\na\na\na\n")
    done = bench_command("score", "retrieval", "--similarity", path, "--video-of", "rows.txt", "--json")
    assert "in the order in which they first occur in rows.txt; --videos FILE names them" in done.stderr
    assert values(json.loads(done.stdout))["t2v/R@1"] == 100.0


@pytest.mark.parametrize(
    ("rows", "columns", "says"),
    [
        ("b\n\na\na\na", "a\nb\nc", "rows.txt: line 2 is no video id"),
        ("b\nb\na\na\na", "a\n \nc", "columns.txt: line 2 is no video id"),
        ("b\nb\na\na\na", "a\nb\na", "columns.txt names video 'a' twice"),
        ("b\nb\na\na\na", "a\nb", "columns.txt names 2 videos; the matrix has 3 columns"),
        ("b\nb\na\na\nd", "a\nb\nc", "names video 'd', which is not among the 3 of columns.txt"),
        ("b\nb\na\na\na", None, "--videos FILE names the columns otherwise"),
        ("b\nb\na", "a\nb\nc\nd\ne", "It fits the other way round"),
        ("b\nb\na", "a\nb\nc", "have to be dropped"),
        ("", "a\nb\nc", "rows.txt has 0 entries"),
    ],
)
def test_rows_and_columns_that_do_not_fit_are_refused(
    bench_command: Any, rows: str, columns: str | None, says: str
) -> None:
    assert says in named(bench_command, rows, columns, exit_code=4).stderr


@pytest.mark.parametrize("entry", ['""', '" "', "true", "null", "1.5", "[]"])
def test_ids_in_json_are_text_or_whole_numbers(bench_command: Any, entry: str) -> None:
    path = write(bench_command.folder, "s.npy", np.eye(2, dtype=np.float32))
    (bench_command.folder / "rows.json").write_text(f'["a", {entry}]')
    done = bench_command("score", "retrieval", "--similarity", path, "--video-of", "rows.json", exit_code=4)
    assert "rows.json: entry 2 is no video id" in done.stderr


def test_a_matrix_padded_to_three_dimensions_says_what_to_drop(bench_command: Any) -> None:
    """As some code keeps it: videos x most captions x videos, filled up with -inf. The advice is followed here."""
    padded = np.full((3, 3, 3), -np.inf, dtype=np.float32)
    padded[0, :3], padded[1, :2], padded[2, :1] = CAPTIONS[2:], CAPTIONS[:2], [[0, 0, 9]]
    path = write(bench_command.folder, "p.npy", padded)
    said = bench_command("score", "retrieval", "--similarity", path, exit_code=4).stderr
    assert "drop the padding rows" in said
    is_caption = np.isfinite(padded).all(axis=2).reshape(-1)
    path = write(bench_command.folder, "p.npy", padded.reshape(-1, padded.shape[2])[is_caption])
    (bench_command.folder / "rows.txt").write_text("a\na\na\nb\nb\nc\n")
    found = values(scored(bench_command, "--similarity", path, "--video-of", "rows.txt"))
    assert found["t2v/R@1"] == pytest.approx(100 * 5 / 6)


def test_videos_with_several_captions_are_ranked_by_both_conventions(bench_command: Any) -> None:
    """Column a: its best caption scores 3, three captions of b more. By captions a is fourth, by videos second."""
    scores = np.array([[3, 0], [1, 0], [9, 7], [8, 6], [7, 5]], dtype=np.float32)
    path = write(bench_command.folder, "s.npy", scores)
    (bench_command.folder / "rows.txt").write_text("a\na\nb\nb\nb\n")
    record = scored(bench_command, "--similarity", path, "--video-of", "rows.txt")
    found = values(record)
    assert (found["v2t/any-hit MeanR"], found["v2t/best-caption MeanR"]) == ((4 + 1) / 2, (2 + 1) / 2)
    assert (found["v2t/any-hit R@1"], found["v2t/best-caption R@1"]) == (50.0, 50.0)
    assert "|hits=any+best-caption|" in record["signature"]
    assert record["under_ties"]["v2t/best-caption R@1"] == {"pessimistic": 50.0, "optimistic": 50.0}


def test_both_conventions_stand_on_a_board_and_are_compared(bench_command: Any) -> None:
    scores = np.random.default_rng(4).normal(size=(60, 20)).astype(np.float32)
    scores[np.arange(60), np.arange(60) // 3] += 1.0
    path = write(bench_command.folder, "s.npy", scores)
    (bench_command.folder / "rows.txt").write_text("".join(f"v{i // 3}\n" for i in range(60)))
    words = ["--similarity", path, "--video-of", "rows.txt", "--data-kind", "generated", "-o", "scored"]
    bench_command("score", "retrieval", *words)
    (folder,) = (bench_command.folder / "scored").iterdir()
    bench_command("leaderboard", "build", "--results", "scored", "-o", "board")
    page = (bench_command.folder / "board" / "retrieval.md").read_text(encoding="utf-8")
    assert "best-caption R@1" in page
    assert "any-hit R@1" in page
    assert "· 20 videos, 60 queries ·" in page
    assert "v2t/best-caption R@5" in bench_command("compare", folder, folder).stdout
    told = bench_command("compare", folder, folder, "--metric", "v2t/best-caption R@7").stdout
    assert "v2t/best-caption R@7" in told


def test_a_trec_run_is_scored_against_its_qrels(bench_command: Any) -> None:
    (bench_command.folder / "run.txt").write_text(
        "q1 Q0 d1 1 0.9 x\nq1 Q0 d2 2 0.5 x\nq1 Q0 d3 3 0.5 x\nq2 Q0 d3 1 0.7 x\nq9 Q0 d1 1 1 x\n"
    )
    (bench_command.folder / "qrels.txt").write_text("q1 0 d2 1\nq1 0 d1 0\nq2 0 d4 1\nq3 0 d1 1\n")
    done = bench_command("score", "retrieval", "--run", "run.txt", "--qrels", "qrels.txt", "--json")
    assert "1 query of the run has no right document" in done.stderr
    assert "1 query is not in the run and counts as not found" in done.stderr
    record = json.loads(done.stdout)
    # q1: one above, one equal: 2.5; q2 and q3: last of four documents.
    assert values(record)["t2v/MeanR"] == pytest.approx((2.5 + 4 + 4) / 3)
    assert not any(name.startswith("v2t") for name in values(record))
    bench_command(
        "score", "retrieval", "--run", "run.txt", "--qrels", "qrels.txt", "--data-kind", "generated", "-o", "scored"
    )
    bench_command("leaderboard", "build", "--results", "scored", "-o", "board")
    page = (bench_command.folder / "board" / "retrieval.md").read_text(encoding="utf-8")
    assert "· 4 documents, 3 queries ·" in page


def test_a_scored_matrix_stands_on_a_board_in_a_table_of_its_own(bench_command: Any, control_runs: Path) -> None:
    path = write(bench_command.folder, "s.npy", WORLD)
    words = ["--similarity", path, "--name", "theirs", "--task", "anet-retrieval", "--split", "val_1", "-o", "scored"]
    bench_command("score", "retrieval", *words, "--data-kind", "generated", "--features", "sample-64")
    done = bench_command("leaderboard", "build", "--results", "scored", "--results", control_runs, "-o", "board")
    assert "2 rows in 2 tables" in done.stdout
    page = (bench_command.folder / "board" / "anet-retrieval.md").read_text(encoding="utf-8")
    assert "### Computed elsewhere, scored from a similarity matrix" in page
    (folder,) = (bench_command.folder / "scored").iterdir()
    bench_command("compare", folder, folder)
    assert "verified against its evidence" in bench_command("leaderboard", "add", folder, "--board", "kept").stdout
    assert "every measurement follows from its evidence" in bench_command("rescore", folder).stderr


def test_the_board_keeps_kinds_of_data_apart_so_a_record_needs_one(bench_command: Any) -> None:
    path = write(bench_command.folder, "s.npy", WORLD)
    assert "--data-kind" in bench_command("score", "retrieval", "--similarity", path, "-o", "x", exit_code=2).stderr


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        (np.zeros((3, 4), np.float32), "3 x 4: matches on the diagonal need a square one"),
        (np.zeros((3, 0), np.float32), "the gallery is empty"),
        (np.zeros((0, 3), np.float32), "there is no query"),
        (np.zeros(5, np.float32), "expected two dimensions"),
        (np.zeros((2, 2, 2), np.float32), "expected two dimensions"),
        (np.array([[1, np.nan], [0, 1]], np.float16), "row 0, column 1"),
        (np.zeros((2, 2), np.complex64), "write the numbers as"),
        (np.array([["a"]]), "write the numbers as"),
    ],
)
@pytest.mark.parametrize("name", ["s.npy", "s.npz"])
def test_a_matrix_that_cannot_be_ranked_is_refused(
    bench_command: Any, scores: np.ndarray, says: str, name: str
) -> None:
    path = write(bench_command.folder, name, scores)
    assert says in bench_command("score", "retrieval", "--similarity", path, exit_code=4).stderr


@pytest.mark.parametrize("shape", [(2, 0), (0, 2)])
def test_an_empty_tensor_is_refused(bench_command: Any, shape: tuple[int, int]) -> None:
    path = write(bench_command.folder, "s.safetensors", np.zeros(shape, np.float32))
    assert f"has shape {shape}" in bench_command("score", "retrieval", "--similarity", path, exit_code=4).stderr


def broken(folder: Path, kind: str) -> Path:
    path = folder / f"{kind.partition(' ')[0]}.{kind.rpartition(' ')[2]}"
    if kind == "pickled npy":
        np.save(path, np.array([[{}]], dtype=object), allow_pickle=True)
    elif kind == "raw-pickle npy":
        path.write_bytes(pickle.dumps([[1.0]]))
    elif kind == "pickled npz":
        np.savez(path, a=np.array([[{}]], dtype=object), allow_pickle=True)
    elif kind.startswith("cut"):
        whole = write(folder, f"whole.{kind.rpartition(' ')[2]}", WORLD)
        path.write_bytes(whole.read_bytes()[:900])
    else:
        path.write_bytes(b"nothing of the kind" * 9)
    return path


@pytest.mark.parametrize(
    "kind",
    [
        "pickled npy", "raw-pickle npy", "cut npy", "cut npz", "cut safetensors", "foreign npy", "foreign npz",
        "foreign safetensors",
    ],
)  # fmt: skip
def test_a_broken_file_is_refused(bench_command: Any, kind: str) -> None:
    path = broken(bench_command.folder, kind)
    said = bench_command("score", "retrieval", "--similarity", path, exit_code=4).stderr
    assert "InvalidData" in said


def test_a_pickled_array_in_an_npz_is_refused(bench_command: Any) -> None:
    path = broken(bench_command.folder, "pickled npz")
    assert "InvalidData" in bench_command("score", "retrieval", "--similarity", path, "--key", "a", exit_code=4).stderr


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ("0\n1\n", "2 entries for 3 queries"),
        ("0\n1\n7\n", "there are items 0 to 2"),
        ("0\n\n2\n", "row 1 has no right item"),
        ("0\n1 1\n2\n", "names an item twice"),
        ("0\nx\n2\n", "expected column numbers"),
        ("0\n-1\n2\n", "expected column numbers"),
        ("0\n+1\n2\n", "expected column numbers"),
        ("0\n1_0\n2\n", "expected column numbers"),
        ("0\n\N{FULLWIDTH DIGIT ONE}\n2\n", "expected column numbers"),
    ],
)
def test_a_list_of_columns_that_does_not_fit_is_refused(bench_command: Any, ids: str, says: str) -> None:
    path = write(bench_command.folder, "s.npy", np.eye(3, dtype=np.float32))
    (bench_command.folder / "ids.txt").write_text(ids)
    words = ("score", "retrieval", "--similarity", path, "--ids", "ids.txt")
    assert says in bench_command(*words, exit_code=4).stderr


@pytest.mark.parametrize("content", ["{}", "nonsense", "[0.5, 1, 2]", "[true, 1, 2]", "[[[0]], 1, 2]"])
def test_json_that_is_no_list_of_columns_is_refused(bench_command: Any, content: str) -> None:
    path = write(bench_command.folder, "s.npy", np.eye(3, dtype=np.float32))
    (bench_command.folder / "ids.json").write_text(content)
    bench_command("score", "retrieval", "--similarity", path, "--ids", "ids.json", exit_code=4)


def test_other_than_one_column_for_each_video_is_refused(bench_command: Any) -> None:
    path = write(bench_command.folder, "s.npy", np.eye(3, dtype=np.float32))
    (bench_command.folder / "v.txt").write_text("a\nb\na\n")
    words = ("score", "retrieval", "--similarity", path, "--video-of", "v.txt")
    assert "names 2 different videos; the matrix has 3 columns" in bench_command(*words, exit_code=4).stderr


@pytest.mark.parametrize(
    ("run", "qrels", "says"),
    [
        ("q Q0 d 1 0.5 x\nq Q0 d 2 0.4 x\n", "q 0 d 1\n", "run.txt:2: 'd' is listed twice"),
        *((f"q Q0 d 1 {text} x\n", "q 0 d 1\n", f"run.txt:1: {text!r} is no finite number") for text in ODD_NUMBERS),
        *(("q Q0 d 1 1 x\n", f"q 0 d {text}\n", f"qrels.txt:1: {text!r} is no finite number") for text in ODD_NUMBERS),
        ("", "q 0 d 1\n", "run.txt lists no document for any query"),
        ("\n \n", "q 0 d 1\n", "run.txt lists no document for any query"),
        ("p Q0 d 1 1 x\n", "q 0 d 1\n", "have no query in common, such as 'p' of the run and 'q' of the qrels"),
        ("q Q0 d\n", "q 0 d 1\n", "run.txt:1: 3 fields"),
        ("q Q0 my d 1 0.5 x\n", "q 0 d 1\n", "run.txt:1: 7 fields; expected 6: query Q0 document rank score tag"),
        ("q Q0 d 1 0.5\n", "q 0 my d 1\n", "qrels.txt:1: 5 fields; expected 4: query 0 document relevance"),
        ("q Q0 d 1 0.5 x\n", "q 0 d 1\nq 0 d 0\n", "qrels.txt:2: 'd' is judged twice for query 'q'"),
        ("q Q0 d 1 0.5 x\n", "q 0 d 0\n", "names no right document"),
        ("q Q0 d 1 0.5 x\n", "", "names no right document"),
    ],
)
def test_a_run_that_cannot_be_ranked_is_refused(bench_command: Any, run: str, qrels: str, says: str) -> None:
    (bench_command.folder / "run.txt").write_text(run)
    (bench_command.folder / "qrels.txt").write_text(qrels)
    done = bench_command("score", "retrieval", "--run", "run.txt", "--qrels", "qrels.txt", exit_code=4)
    assert says in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--similarity", "s.npy", "--run", "r", "--qrels", "q"),
        ("--run", "r"),
        ("--similarity", "s.txt"),
        ("--similarity", "s.npy", "--ids", "a", "--video-of", "b"),
        ("--similarity", "s.npy", "--key", "a"),
        ("--similarity", "s.npz", "--key", "a"),
        ("--similarity", "s.npy", "--features", "two words"),
    ],
)
def test_a_wrong_request_is_a_usage_error(bench_command: Any, words: tuple[str, ...]) -> None:
    for name in ("s.npy", "s.npz"):
        write(bench_command.folder, name, np.eye(3, dtype=np.float32))
    bench_command("score", "retrieval", *words, exit_code=2)
