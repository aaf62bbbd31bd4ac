"""`bench score retrieval --transform` and `--transformed`, and what a matrix tells by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RNG = np.random.default_rng(11)
COSINES = 0.05 * RNG.normal(size=(50, 50)) + 0.06 * RNG.normal(size=50) + 0.15 * np.eye(50)
BANK = 0.05 * RNG.normal(size=(80, 50)) + 0.06 * RNG.normal(size=50)


def saved(folder: Path, name: str, scores: np.ndarray) -> Path:
    np.save(folder / name, scores)
    return folder / name


def scored(command: Any, scores: np.ndarray, *flags: Any) -> dict[str, Any]:
    path = saved(command.folder, "s.npy", scores)
    done = command("score", "retrieval", "--similarity", path, *flags, "--json")
    return {**json.loads(done.stdout), "stderr": done.stderr}


def values(record: dict[str, Any], direction: str = "") -> dict[str, float]:
    return {m["name"]: m["value"] for m in record["measurements"] if m["name"].startswith(direction)}


def softmax(scores: np.ndarray, axis: int) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def querybank(scores: np.ndarray, bank: np.ndarray, beta: float) -> np.ndarray:
    """Returns what the algorithm of the QB-Norm paper ranks texts by, text by text."""
    activated = {int(row.argmax()) for row in bank}
    made = [
        np.exp(beta * row) / np.exp(beta * bank).sum(axis=0) if int(row.argmax()) in activated else row
        for row in scores
    ]
    return np.array(made)


@pytest.mark.parametrize("factor", ["", ":37.5"])
def test_dual_softmax_weighs_each_direction_by_its_own_queries(bench_command: Any, factor: str) -> None:
    b = float(factor[1:] or 100)
    found = scored(bench_command, COSINES, "--transform", f"dual-softmax{factor}")
    assert f"|transform=dual-softmax:{b:g}|" in found["signature"]
    texts, videos = COSINES * softmax(b * COSINES, 0), COSINES * softmax(b * COSINES, 1)
    assert values(found, "t2v") == values(scored(bench_command, texts), "t2v")
    assert values(found, "v2t") == values(scored(bench_command, videos), "v2t")
    assert values(found) != values(scored(bench_command, COSINES))
    assert "transductive" in " ".join(found["data"]["remarks"])


def test_dual_softmax_in_one_matrix_is_the_same_applied_or_declared(bench_command: Any) -> None:
    applied = scored(bench_command, COSINES, "--transform", "dual-softmax-t2v:100")
    made = COSINES * softmax(100 * COSINES, 0)
    declared = scored(bench_command, made, "--transformed", "dual-softmax-t2v:100")
    assert values(applied) == values(declared) == values(scored(bench_command, made))
    assert applied["signature"] == declared["signature"]
    assert "not checked here" in " ".join(declared["data"]["remarks"])


@pytest.mark.parametrize("word", ["dual-softmax:100", "inverted-softmax:20", "inverted-softmax:20:80", "qb-norm:20:80"])
def test_a_matrix_that_was_transformed_for_texts_gives_t2v_alone(bench_command: Any, word: str) -> None:
    found = scored(bench_command, COSINES, "--transformed", word)
    assert f"|transform={word}|" in found["signature"]
    assert set(values(found)) == set(values(found, "t2v"))
    assert "v2t is left out" in found["stderr"]


def test_inverted_softmax_normalises_over_the_queries_of_the_test(bench_command: Any) -> None:
    found = scored(bench_command, COSINES, "--transform", "inverted-softmax:40")
    assert values(found, "t2v") == values(scored(bench_command, softmax(40 * COSINES, 0)), "t2v")
    assert values(found, "v2t") == values(scored(bench_command, softmax(40 * COSINES, 1)), "v2t")


@pytest.mark.parametrize("name", ["qb-norm", "inverted-softmax"])
def test_a_bank_of_other_queries_counts_and_is_counted(bench_command: Any, name: str) -> None:
    bank = saved(bench_command.folder, "bank.npy", BANK)
    found = scored(bench_command, COSINES, "--transform", name, "--query-bank", bank)
    made = querybank(COSINES, BANK, 20.0) if name == "qb-norm" else COSINES * 20.0 - np.log(np.exp(20.0 * BANK).sum(0))
    assert values(found) == values(scored(bench_command, made), "t2v")
    assert f"|transform={name}:20:80|" in found["signature"]
    assert "transductive" not in " ".join(found["data"]["remarks"])


def test_a_bank_in_which_some_videos_are_never_first_leaves_their_texts_as_they_are(bench_command: Any) -> None:
    bank = BANK.copy()
    bank[:, :25] = -1.0
    path = saved(bench_command.folder, "bank.npy", bank)
    found = scored(bench_command, COSINES, "--transform", "qb-norm:20", "--query-bank", path)
    assert values(found) == values(scored(bench_command, querybank(COSINES, bank, 20.0)), "t2v")


def test_videos_with_several_captions_are_weighed_over_all_captions(bench_command: Any) -> None:
    owners = np.sort(RNG.integers(0, 50, size=90))
    owners[:50] = np.arange(50)
    owners.sort()
    scores = 0.05 * RNG.normal(size=(90, 50)) + 0.1 * (owners[:, None] == np.arange(50))
    (bench_command.folder / "of.txt").write_text("".join(f"v{owner:02}\n" for owner in owners))
    of = ("--video-of", bench_command.folder / "of.txt")
    found = scored(bench_command, scores, *of, "--transform", "dual-softmax")
    by_text = scored(bench_command, scores * softmax(100 * scores, 0), *of)
    by_video = scored(bench_command, scores * softmax(100 * scores, 1), *of)
    assert values(found, "t2v") == values(by_text, "t2v")
    assert values(found, "v2t") == values(by_video, "v2t")
    alone = scored(bench_command, scores * softmax(100 * scores, 0), *of, "--transformed", "dual-softmax:100")
    interval = {m["name"]: m["ci95"] for m in by_text["measurements"]}
    assert all(m["ci95"] == interval[m["name"]] for m in alone["measurements"])  # videos are resampled all the same


def test_what_was_transformed_has_a_table_of_its_own_on_a_board(bench_command: Any) -> None:
    common = ("--data-kind", "generated", "--output", "kept", "--task", "toy")
    for name, flags in (("plain", ()), ("weighed", ("--transform", "dual-softmax")), ("none", ("--transform", "none"))):
        scored(bench_command, COSINES, "--name", name, *common, *flags)
    built = bench_command("leaderboard", "build", "--results", "kept", "-o", "board")
    assert "3 rows in 2 tables" in built.stdout
    page = (bench_command.folder / "board" / "toy.md").read_text(encoding="utf-8")
    assert "after dual-softmax:100" in page


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--transform", "softmax"), "write one of none, dual-softmax:100"),
        (("--transform", "dual-softmax:0"), "the factor above 0"),
        (("--transform", "dual-softmax:nan"), "the factor above 0"),
        (("--transform", "dual-softmax:1:2:3"), "the factor above 0"),
        (("--transform", "qb-norm"), "needs --query-bank FILE"),
        (("--transform", "qb-norm:20:80", "--query-bank", "s.npy"), "counted in --query-bank FILE"),
        (("--transform", "dual-softmax", "--query-bank", "s.npy"), "--query-bank is for"),
        (("--query-bank", "s.npy"), "--query-bank is for"),
        (("--transformed", "dual-softmax"), "such as dual-softmax:100"),
        (("--transformed", "qb-norm:20"), "such as qb-norm:20:9000"),
        (("--transform", "dual-softmax", "--transformed", "dual-softmax:100"), "Keep the one that is true"),
        (("--transform", "dual-softmax", "--distances"), "takes similarities, not distances"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(bench_command: Any, flags: tuple[str, ...], says: str) -> None:
    saved(bench_command.folder, "s.npy", COSINES)
    assert says in bench_command("score", "retrieval", "--similarity", "s.npy", *flags, exit_code=2).stderr


@pytest.mark.parametrize("flag", ["--transform", "--distances", "--query-bank"])
def test_flags_of_a_matrix_are_none_of_a_run(bench_command: Any, flag: str) -> None:
    words = (flag,) if flag == "--distances" else (flag, "none")
    done = bench_command("score", "retrieval", "--run", "r", "--qrels", "q", *words, exit_code=2)
    assert f"{flag}: belongs to --similarity" in done.stderr


@pytest.mark.parametrize(
    ("bank", "says"),
    [
        (BANK[:, :-1], "a column for each of the 50 videos"),
        (BANK[:0], "a bank of queries has a row"),
        (
            np.where(BANK.argmax() == np.arange(BANK.size).reshape(BANK.shape), np.nan, BANK),
            "bank.npy: the similarity in row",
        ),
    ],
)
def test_a_bank_that_does_not_fit_is_refused(bench_command: Any, bank: np.ndarray, says: str) -> None:
    saved(bench_command.folder, "s.npy", COSINES)
    path = saved(bench_command.folder, "bank.npy", bank)
    words = ("--similarity", "s.npy", "--transform", "qb-norm", "--query-bank", path)
    assert says in bench_command("score", "retrieval", *words, exit_code=4).stderr


def test_similarities_beyond_every_number_are_refused(bench_command: Any) -> None:
    path = saved(bench_command.folder, "s.npy", COSINES * 1e307)
    done = bench_command("score", "retrieval", "--similarity", path, "--transform", "dual-softmax", exit_code=4)
    assert "are beyond every number" in done.stderr


def told(command: Any, scores: np.ndarray, *flags: str) -> tuple[str, str]:
    found = scored(command, scores, *flags)
    return found["stderr"], " ".join(found["data"]["remarks"])


@pytest.mark.parametrize("logarithms", [False, True])
def test_rows_or_columns_that_sum_to_one_are_told(bench_command: Any, logarithms: bool) -> None:
    for axis, says in ((0, "a softmax over texts"), (1, "a softmax over videos")):
        made = softmax(20 * COSINES, axis).astype(np.float16 if not logarithms else np.float32)
        stderr, remarks = told(bench_command, np.log(made) if logarithms else made)
        assert says in stderr
        assert says in remarks
        assert ("exponentials" in remarks) is logarithms
    assert "sum to 1" not in " ".join(told(bench_command, COSINES))
    assert "sum to 1" not in " ".join(told(bench_command, np.eye(30)))
    stderr, remarks = told(bench_command, softmax(20 * COSINES, 0), "--transformed", "inverted-softmax:20")
    assert "--transformed declares" not in stderr
    assert "a softmax over texts" in remarks


def test_rows_of_padding_and_equal_rows_and_columns_are_told(bench_command: Any) -> None:
    padded = COSINES.copy()
    padded[40:43] = -1e9
    assert "3 of 50 rows hold one value throughout" in told(bench_command, padded)[0]
    rows = COSINES.copy()
    rows[5] = rows[7] = rows[3]
    assert "3 of 50 rows are equal to another one" in told(bench_command, rows)[0]
    assert "3 of 50 columns are equal to another one" in told(bench_command, rows.T)[0]
    assert "equal to another" not in " ".join(told(bench_command, COSINES))


def test_hubs_are_counted_by_the_definition(bench_command: Any) -> None:
    _, remarks = told(bench_command, COSINES)
    first = np.argsort(-COSINES, axis=1)[:, :10]
    often = np.bincount(first.ravel(), minlength=50)
    skewness = ((often - often.mean()) ** 3).mean() / often.std() ** 3
    assert f"skewness {skewness:.2f}" in remarks
    assert f"{100 * (often == 0).mean():.1f} % of videos never are" in remarks
    assert f"one is for {100 * often.max() / 50:.1f} % of the texts" in remarks
    stderr, remarks = told(bench_command, np.full((50, 50), 0.5))
    assert (
        "skewness 0.00; 0.0 % of videos never are, one is for 20.0 %" in remarks
    )  # ten of fifty, shared by all that tie
    assert "hubs" not in stderr


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16])
def test_distances_rank_as_the_negated_matrix_to_the_last_tie(bench_command: Any, dtype: Any) -> None:
    steps = np.round(COSINES * 64).astype(dtype)  # many ties
    before = scored(bench_command, steps)
    after = scored(bench_command, -steps, "--distances")
    keys = ("value", "ci95", "n", "name")
    assert [[m[k] for k in keys] for m in after["measurements"]] == [
        [m[k] for k in keys] for m in before["measurements"]
    ]
    assert after["signature"] == before["signature"]
    assert after["under_ties"] == before["under_ties"]


def test_euclidean_distances_of_unit_vectors_rank_as_their_cosines(bench_command: Any) -> None:
    texts, videos = RNG.integers(-3, 4, size=(2, 40, 6)).astype(np.float64)
    squared = ((texts[:, None] - videos[None]) ** 2).sum(-1)  # whole numbers: exact
    assert values(scored(bench_command, squared, "--distances")) == values(scored(bench_command, -squared))
    assert "say --distances" in scored(bench_command, 1.0 - COSINES)["stderr"]
    assert "say --distances" not in scored(bench_command, 1.0 - COSINES, "--distances")["stderr"]
