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


def test_a_trec_run_is_scored_against_its_qrels(bench_command: Any) -> None:
    (bench_command.folder / "run.txt").write_text(
        "q1 Q0 d1 1 0.9 x\nq1 Q0 d2 2 0.5 x\nq1 Q0 d3 3 0.5 x\nq2 Q0 d3 1 0.7 x\nq9 Q0 d1 1 1 x\n"
    )
    (bench_command.folder / "qrels.txt").write_text("q1 0 d2 1\nq1 0 d1 0\nq2 0 d4 1\nq3 0 d1 1\n")
    done = bench_command("score", "retrieval", "--run", "run.txt", "--qrels", "qrels.txt", "--json")
    assert "1 queries of the run have no right document" in done.stderr
    assert "1 queries are not in the run and count as not found" in done.stderr
    record = json.loads(done.stdout)
    # q1: one above, one equal: 2.5; q2 and q3: last of four documents.
    assert values(record)["t2v/MeanR"] == pytest.approx((2.5 + 4 + 4) / 3)
    assert not any(name.startswith("v2t") for name in values(record))


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
    assert "from a file that is not kept" in bench_command("rescore", folder, exit_code=4).stderr


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
        (np.zeros((2, 2), np.complex64), "write the similarities as"),
        (np.array([["a"]]), "write the similarities as"),
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
        ("0\n1\n", "2 entries; the matrix has 3 rows"),
        ("0\n1\n7\n", "columns 0 to 2"),
        ("0\n\n2\n", "row 1 has no right item"),
        ("0\n1 1\n2\n", "names a column twice"),
        ("0\nx\n2\n", "expected column numbers"),
        ("0\n-1\n2\n", "expected column numbers"),
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
        ("q Q0 d 1 nan x\n", "q 0 d 1\n", "run.txt:1: 'nan' is no finite number"),
        ("q Q0 d\n", "q 0 d 1\n", "run.txt:1: 3 fields"),
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
