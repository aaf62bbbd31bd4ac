"""`bench score retrieval --queries --items`: two files of embeddings are worth what their cosines are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SIGNS = np.where(np.random.default_rng(1).normal(size=(120, 16)) > 0, 1, -1).astype(np.float32)
"""Embeddings whose cosines are exact in float32 however they are added up; many of them tie."""
QUERIES, ITEMS = SIGNS[:40], SIGNS
OWN = np.random.default_rng(2).permutation(120)[:40]


@pytest.fixture
def files(bench_command: Any) -> Path:
    """The folder of the command, with queries, items, their similarities and which column is right."""
    folder = bench_command.folder
    items = ITEMS.copy()
    items[OWN] = QUERIES * np.where(np.arange(16) < 4, -1, 1)  # near, not first
    np.save(folder / "q.npy", QUERIES)
    np.save(folder / "i.npy", items)
    np.save(folder / "sims.npy", QUERIES @ items.T / 16)
    (folder / "ids.txt").write_text("".join(f"{place}\n" for place in OWN))
    return folder


def scored(command: Any, *arguments: Any) -> dict[str, Any]:
    return json.loads(command("score", "retrieval", *arguments, "--json").stdout)


FILES = ("--queries", "q.npy", "--items", "i.npy")


@pytest.mark.usefixtures("files")
def test_they_are_worth_what_their_similarities_are(bench_command: Any) -> None:
    ours = scored(bench_command, *FILES, "--ids", "ids.txt")
    matrix = scored(bench_command, "--similarity", "sims.npy", "--ids", "ids.txt")
    assert ours["measurements"] == matrix["measurements"]
    assert ours["under_ties"] == matrix["under_ties"]
    assert any(one["optimistic"] != one["pessimistic"] for one in ours["under_ties"].values())
    assert "|source=embeddings|dtype=float32|" in ours["signature"]
    assert ours["data"]["annotations"] == matrix["data"]["annotations"]  # the same test set


def test_processes_change_nothing_and_the_record_is_measured_again(files: Path, bench_command: Any) -> None:
    kept = ("--ids", "ids.txt", "--data-kind", "generated", "--name", "a")
    one = scored(bench_command, *FILES, *kept, "--output", "one")
    two = scored(bench_command, *FILES, *kept, "--output", "two", "--jobs", "2")
    assert one["evidence"]["sha256"] == two["evidence"]["sha256"]
    run = next((files / "two").iterdir())
    assert sum(file.stat().st_size for file in run.iterdir()) < 20_000  # three numbers a query, no lists
    again = bench_command("rescore", run, "--metric", "t2v/R@7", "--json")
    assert "every measurement follows from its evidence" in again.stderr
    again = json.loads(again.stdout)[0]["measurements"]
    assert {m["name"]: m["value"] for m in one["measurements"]}.items() <= {
        m["name"]: m["value"] for m in again
    }.items()
    assert "t2v/R@7" in [m["name"] for m in again]


def write(path: Path, rows: np.ndarray, ids: list[str]) -> None:
    if path.suffix in (".h5", ".hdf5"):
        import h5py

        with h5py.File(path, "w") as file:
            if path.stem.endswith("-each"):
                for id_, row in zip(ids, rows, strict=True):
                    file[id_] = row[None]
            else:
                file["features"], file["ids"] = rows[:, None], ids
    elif path.suffix == ".npz":
        if path.stem.endswith("-each"):
            np.savez(path, **dict(zip(ids, rows, strict=True)))
        else:
            np.savez_compressed(path, features=rows.astype(">f2"), ids=np.array(ids))
    elif path.suffix == ".npy":
        np.save(path, np.asfortranarray(rows.astype(np.float64)))
        path.with_suffix(".txt").write_text("".join(f"{id_}\n" for id_ in ids))
    else:
        import torch
        from safetensors.torch import save_file

        save_file({"vectors": torch.from_numpy(rows).to(torch.bfloat16)}, path)
        path.with_suffix(".json").write_text(json.dumps(ids))


@pytest.mark.parametrize("name", ["f.npy", "f.npz", "f.safetensors", "f.h5", "f-each.npz", "f-each.h5"])
def test_every_form_of_file_with_ids_gives_the_same_numbers(files: Path, bench_command: Any, name: str) -> None:
    items, order = np.load(files / "i.npy"), np.random.default_rng(9).permutation(120)
    write(files / f"items-{name}", items[order], [f"v{place}" for place in order])
    write(files / f"queries-{name}", QUERIES, [f"v{place}" for place in OWN])
    record = scored(bench_command, "--queries", f"queries-{name}", "--items", f"items-{name}")
    found = {m["name"]: m["value"] for m in record["measurements"]}
    sims = np.load(files / "sims.npy")
    for way, matrix in (("t2v", sims[:, OWN]), ("v2t", sims[:, OWN].T)):
        others = sims if way == "t2v" else sims[:, OWN].T
        own = matrix.diagonal()[:, None]
        ranks = (others > own).sum(axis=1) + ((others == own).sum(axis=1) - 1) / 2
        assert found[f"{way}/MeanR"] == pytest.approx(1 + ranks.mean())


def test_judgements_leave_out_queries_without_an_answer_and_count_grades(files: Path, bench_command: Any) -> None:
    (files / "q.txt").write_text("".join(f"t{row}\n" for row in range(40)))
    (files / "i.txt").write_text("".join(f"v{row}\n" for row in range(120)))
    (files / "qrels.txt").write_text("t0 0 v5 2\nt0 0 v7 1\nt3 0 v9 1\nt4 0 v2 0\n")
    done = bench_command("score", "retrieval", *FILES, "--qrels", "qrels.txt", "--metric", "t2v/nDCG@10", "--json")
    assert "38 queries have no right item and are left out" in done.stderr
    record = json.loads(done.stdout)
    sims, ndcg = np.load(files / "sims.npy"), []
    for row, right in ((0, {5: 2, 7: 1}), (3, {9: 1})):
        total = 0.0
        for item, grade in right.items():
            above, equal = int((sims[row] > sims[row, item]).sum()), int((sims[row] == sims[row, item]).sum())
            ranks = np.arange(above + 1, above + equal + 1)
            total += grade * np.where(ranks <= 10, 1 / np.log2(1 + ranks), 0).mean()
        best = sum(grade / np.log2(2 + i) for i, grade in enumerate(sorted(right.values(), reverse=True)))
        ndcg.append(100 * total / best)
    found = {m["name"]: m["value"] for m in record["measurements"]}
    assert found["t2v/nDCG@10"] == pytest.approx(np.mean(ndcg))
    assert next(m["n"] for m in record["measurements"] if m["name"] == "t2v/any-hit R@1") == 2


def test_captions_of_videos_are_counted_by_both_conventions(files: Path, bench_command: Any) -> None:
    items = np.load(files / "i.npy")
    (files / "i.txt").write_text("".join(f"v{row}\n" for row in range(120)))
    own = np.arange(40) // 3
    (files / "of.txt").write_text("".join(f"v{place}\n" for place in own))
    ours = scored(bench_command, *FILES, "--video-of", "of.txt")
    (files / "columns.txt").write_text("".join(f"{place}\n" for place in own))
    np.save(files / "sims.npy", QUERIES @ items.T / 16)
    matrix = scored(bench_command, "--similarity", "sims.npy", "--ids", "columns.txt")
    assert ours["measurements"] == matrix["measurements"]
    assert "v2t/best-caption R@1" in [m["name"] for m in ours["measurements"]]


@pytest.mark.parametrize(
    ("value", "what", "jobs"),
    [(np.nan, "holds NaN or infinity", "1"), (0.0, "is all zeros", "1"), (np.inf, "holds NaN or infinity", "2")],
)
def test_an_embedding_without_a_direction_is_named(
    files: Path, bench_command: Any, value: float, what: str, jobs: str
) -> None:
    items = np.load(files / "i.npy")
    items[7] = value
    np.save(files / "i.npy", items)
    said = bench_command("score", "retrieval", *FILES, "--ids", "ids.txt", "--jobs", jobs, exit_code=4).stderr
    assert "i.npy: the embedding in row 7 (counted from 0)" in said
    assert what in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--queries", "q.npy"), 2, "--queries and --items belong together"),
        ((*FILES, "--similarity", "sims.npy"), 2, "--queries, --items beside --similarity"),
        ((*FILES, "--transform", "dual-softmax"), 2, "--transform: belongs to --similarity"),
        ((*FILES, "--ids", "ids.txt", "--qrels", "ids.txt"), 2, "--ids and --qrels were both given"),
        (("--jobs", "2", "--similarity", "sims.npy"), 2, "--jobs beside --similarity"),
        (FILES, 4, "do not belong together place by place"),
        ((*FILES, "--video-of", "ids.txt"), 4, "i.npy does not name its rows"),
        (("--queries", "q.npy", "--items", "other.npy"), 2, "embeddings of 16 numbers, other.npy of 3"),
        (("--queries", "q.npy", "--items", "whole.npy"), 4, "holds int64"),
        (("--queries", "q.npy", "--items", "ids.txt"), 2, "embeddings are read from"),
        (("--queries", "q.npy", "--items", "cube.npy"), 4, "has shape (4, 2, 16)"),
        (("--queries", "q.npy", "--items", "twice.npy"), 4, "is given to two embeddings"),
        (("--queries", "q.npy", "--items", "short.npy"), 4, "3 embeddings, and 2 ids"),
    ],
)
def test_what_does_not_fit_is_one_line(files: Path, bench_command: Any, arguments, code: int, says: str) -> None:
    np.save(files / "other.npy", np.ones((40, 3), dtype=np.float32))
    np.save(files / "whole.npy", np.ones((40, 16), dtype=np.int64))
    np.save(files / "cube.npy", np.ones((4, 2, 16), dtype=np.float32))
    for name, ids in (("twice", "a\nb\na\n"), ("short", "a\nb\n")):
        np.save(files / f"{name}.npy", np.ones((3, 16), dtype=np.float32))
        (files / f"{name}.txt").write_text(ids)
    said = bench_command("score", "retrieval", *arguments, exit_code=code).stderr
    assert says in said
    assert len(said.strip().splitlines()) == 1


def test_ids_that_name_no_item_are_told(files: Path, bench_command: Any) -> None:
    (files / "i.txt").write_text("".join(f"v{row}\n" for row in range(120)))
    (files / "of.txt").write_text("v1\n" * 39 + "w1\n")
    said = bench_command("score", "retrieval", *FILES, "--video-of", "of.txt", exit_code=4).stderr
    assert "1 query of 40, such as 'w1', name no item of i.npy (such as 'v0')" in said


def test_a_file_that_changes_meanwhile_is_no_score(files: Path, bench_command: Any, monkeypatch: Any) -> None:
    from bench.scoring import embeddings

    counted = embeddings.arranged

    def changing(*arguments: Any) -> Any:
        np.save(files / "i.npy", np.load(files / "i.npy") + 1)
        return counted(*arguments)

    monkeypatch.setattr(embeddings, "arranged", changing)
    said = bench_command("score", "retrieval", *FILES, "--ids", "ids.txt", exit_code=4).stderr
    assert "i.npy was changed while it was read" in said
