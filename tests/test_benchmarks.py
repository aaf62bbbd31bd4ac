"""Every benchmark runs to its end at a tiny size, and what the training benchmark compares with is right.

No time is asserted: whether the claims hold is for whoever runs them at full size.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from torch.utils._python_dispatch import TorchDispatchMode

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


STARTED_IN = dict(os.environ)
"""The environment before any test ran: what another test may leave in its process must not reach a benchmark."""


def run(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / script, *arguments],
        cwd=BENCHMARKS.parent,
        env=STARTED_IN,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_training_step_is_timed(precision: str) -> None:
    tiny = ("--videos", "4", "--hidden", "8", "--gemm", "64", "--repeats", "1", "--precision", precision)
    out = run("train_step.py", *tiny)
    for name in ("hse, one step", "fse, one step", "as shipped", "padded nn.GRU", "GFLOP"):
        assert name in out


def test_all_that_a_gpu_is_for_is_measured_on_one_that_is_pretended() -> None:
    out = run("gpu.py", "--device", "pretended", "--tiny")
    assert "pretended: not run on a GPU" in out
    for name in ("hse bf16, steps a second", "padded nn.GRU", "captions a second", "both ways, s", "sample, t2v/R@1"):
        assert name in out
    assert "| hse fp32, waits a step | 1 |" in out


def test_the_training_step_is_timed_on_real_annotations(shared) -> None:
    folder = shared("data/activitynet_captions/train.json.gz").parent
    tiny = ("--videos", "2", "--hidden", "8", "--gemm", "64", "--repeats", "1", "--no-plain")
    assert "2 videos" in run("train_step.py", *tiny, "--annotations", str(folder))


def test_cells_are_timed_in_turn_and_beside_each_other() -> None:
    out = run("jobs.py", "--model", "fse", "--cells", "2", "--epochs", "1", "--hidden", "8", "--repeats", "1")
    for name in ("cells per hour", "CPU s per cell", "of 2 cells: the same to the last bit"):
        assert name in out


@pytest.mark.extra("video")
def test_extraction_is_timed_and_its_memory_measured() -> None:
    out = run("extraction.py", "--clips", "1", "--encoder", "tiny", "--count", "20")
    for name in ("in order", "by seeking", "batches of 16", "bench features extract", "of 20 short clips"):
        assert name in out


def cells(text: str) -> dict[str, list[str]]:
    """Returns the rows of all Markdown tables in a text by their first cell."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {first: rest for first, *rest in lines if first != "---"}


def test_other_scorers_and_ours_are_given_the_same_rows() -> None:
    found = cells(run("peers.py", "--queries", "30", "--only", "retrieval"))
    ours = {name: row[0] for name, row in found.items()}
    written = [name for name in found if "the same, " in name or ", negated" in name or name.startswith("as ")]
    assert len(written) == 5
    assert {ours[name] for name in written} == {ours["cosines"]}
    assert ours["17 equal scores, the right video first"] == ours["17 equal scores, the right video last"] == "5.9"
    assert "refused" in ours["noise, the right video's score NaN"]
    document = cells((BENCHMARKS.parent / "docs" / "peers.md").read_text(encoding="utf-8"))
    assert {name.replace("30", "200") for name in found} <= set(document)
    assert document["cosines"][0] == document["as distances, negated"][0] == "72.0"


@pytest.mark.slow
def test_other_scorers_and_ours_are_given_the_same_captions() -> None:
    found = cells(run("peers.py", "--videos", "14", "--only", "captions"))
    ours, theirs = found["texts as written: bench"], found["PTB tokens on both sides: pycocoevalcap"]
    assert ours == theirs == found["one caption holds U+2028: bench"]
    assert found["one caption holds U+2028: pycocoevalcap"] != theirs
    document = cells((BENCHMARKS.parent / "docs" / "peers.md").read_text(encoding="utf-8"))
    assert {name.replace("14", "48") for name in found} <= set(document)


def test_ranking_is_timed_and_its_memory_measured() -> None:
    out = run("ranking.py", "--n", "130", "--dim", "16", "--repeats", "1")
    for name in ("N = 130", "bench", "matrix product", "argsort by row", "full sort"):
        assert name in out


def test_a_gallery_is_ranked_and_its_memory_measured() -> None:
    out = run("galleries.py", "--items", "300", "--queries", "20", "--dim", "8", "--jobs", "1")
    for name in (
        "300 items, 20 queries",
        "bare products of the tiles",
        "bench, --jobs 1",
        "evidence of all runs: equal",
    ):
        assert name in out


@pytest.mark.extra("video")
def test_ways_to_frames_are_timed_and_give_the_same_pixels() -> None:
    out = run("decoding.py", "--seconds", "4", "--height", "64", "--groups", "10", "--repeats", "1")
    for name in ("4 s, group 10", "8 s, group 250", "a bare seek for each frame", "all frames in order"):
        assert name in out


def test_intervals_are_timed() -> None:
    out = run("intervals.py", "--n", "60", "--resamples", "10", "--repeats", "1")
    for name in ("N = 60", "at chance", "weak", "strong"):
        assert name in out


def test_the_probe_is_timed_against_cold_starts() -> None:
    out = run("probe.py", "--videos", "80", "--dim", "8", "--classes", "4")
    for name in ("80 x 8, 4 classes", "loss above cold", "scikit-learn s", "ratio"):
        assert name in out


def test_what_a_run_executes_of_our_own_is_counted(tmp_path: Path) -> None:
    out = run("trace_run.py", "run", "-m", "random", "-t", "anet-retrieval", "--limit", "4", "-o", str(tmp_path))
    assert re.search(r"exit 0: \d{3} functions in \d+ files, \d+ frames deep\n__init__.main > .*run.run > ", out)


def test_settings_are_compared_on_folds_of_train() -> None:
    small = "epochs=1,hidden=8,word_dim=8"
    out = run("folds.py", "fse", small, f"{small},lr=0.01", "--folds", "2", "--limit", "12")
    assert "12 training videos of the sample, 2 of 2 folds, R@1" in out
    assert len(out.splitlines()) == 4


def test_captioners_are_compared_on_folds_of_train() -> None:
    small = "epochs=1,hidden=8,word_dim=8"
    out = run("folds.py", "s2vt", small, "--captions", "--folds", "3", "--first", "1", "--limit", "12")
    assert "12 training videos of the sample, 1 of 3 folds, right words" in out
    assert out.splitlines()[1].split() == ["settings", "actor", "action", "object", "place", "mean"]
    assert len(out.splitlines()) == 3


def test_building_a_leaderboard_is_timed() -> None:
    assert "6 rows in 2 tables" in run("boards.py", "--tasks", "2", "--models", "3", "--queries", "60")


def test_start_up_is_timed() -> None:
    assert "bench plugin list" in run("startup.py", "--repeats", "1")


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the modules of the benchmarks importable, as they are to a script that lies beside them."""
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.mark.usefixtures("benchmarks")
def test_the_readme_s_figures_are_those_of_the_committed_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import readme_table

    for made in ("real_table", "sample"):  # the records are read once for all that is tried here
        monkeypatch.setattr(readme_table, made, cache(getattr(readme_table, made)))

    def checked(*arguments: str | Path) -> tuple[str, str]:
        """Returns what the script prints, and the words it leaves with: "" where all is well."""
        monkeypatch.setattr("sys.argv", ["readme_table.py", *map(str, arguments)])
        try:
            readme_table.main()
        except SystemExit as left:
            return capsys.readouterr().out, str(left.code)
        return capsys.readouterr().out, ""

    assert checked() == ("", "")
    readme = (BENCHMARKS.parent / "README.md").read_text(encoding="utf-8")
    figures = [line for line in readme.splitlines() if line.startswith("| ") and " ± " in line]
    real, generated = figures[0], next(line for line in figures if line.startswith("| `hse` | ") and "(" not in line)
    assert readme.index("<!-- real-table -->") < readme.index(real) < readme.index("<!-- sample-table -->")
    copy = tmp_path / "README.md"
    for changed, absent in ((real, generated), (generated, real)):
        wrong = changed.replace(" ± ", " ± 1", 1)
        copy.write_text(readme.replace(changed, wrong).replace(absent, ""), encoding="utf-8")
        said, left = checked("--readme", copy)
        for row in (changed, absent):
            assert f"+{row}\n" in said
        assert "readme_table.py --write" in left
    assert checked("--readme", copy, "--write") == ("", "")
    assert copy.read_text(encoding="utf-8") == readme


@pytest.mark.usefixtures("benchmarks")
def test_real_records_that_are_not_there_are_named(tmp_path: Path) -> None:
    from readme_real import real_table

    with pytest.raises(SystemExit, match="expected records of one table on real data"):
        real_table(tmp_path)


@pytest.mark.usefixtures("benchmarks")
def test_a_sentence_of_the_readme_that_the_records_do_not_bear_out_is_not_written() -> None:
    from readme_table import differences, sides

    found = sides(BENCHMARKS.parent / "leaderboards" / "results")
    assert len(differences(found, "hse", "random", ["t2v/R@1"], ahead=True)) == 1
    with pytest.raises(SystemExit, match="says that random is ahead of hse in t2v/R@1; by the records"):
        differences(found, "random", "hse", ["t2v/R@1"], ahead=True)
    with pytest.raises(SystemExit, match="neither hse nor random is surely ahead"):
        differences(found, "hse", "random", ["t2v/R@1"], ahead=False)


@pytest.mark.usefixtures("benchmarks")
@pytest.mark.parametrize("name", ["hse", "fse"])
def test_gradients_equal_those_of_padded_grus(name: str) -> None:
    from batch import synthetic_batch
    from plain import plain_loss
    from train_step import networks

    batch = synthetic_batch(6)
    network = networks(24, batch.words)[name]
    parameters = dict(network.named_parameters())
    found = {}
    for loss in (network.loss, lambda *pair: plain_loss(network, *pair)):
        network.zero_grad()
        value = loss(batch.videos, batch.text)
        value.backward()
        found[loss] = [value.detach(), *(p.grad.clone() for p in parameters.values())]
    ours, theirs = found.values()
    for what, mine, reference in zip(["loss", *parameters], ours, theirs, strict=True):
        assert float(reference.norm()) > 0, what
        assert float((mine - reference).norm() / reference.norm()) < 1e-5, what


class MultiplyAdds(TorchDispatchMode):
    """Adds up what every matrix product below it really multiplies."""

    total = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        if name in ("mm", "addmm", "addmm_"):
            left, right = args[:2] if name == "mm" else args[1:3]
            self.total += left.shape[0] * left.shape[1] * right.shape[1]
        else:
            assert name not in ("bmm", "baddbmm", "baddbmm_", "addmv", "mv"), name
        return function(*args, **(kwargs or {}))


@pytest.mark.usefixtures("benchmarks")
@pytest.mark.parametrize("name", ["hse", "fse"])
def test_a_step_multiplies_what_cannot_be_avoided_and_nothing_else(name: str) -> None:
    from batch import synthetic_batch
    from products import multiply_adds
    from train_step import networks

    batch = synthetic_batch(6)
    network = networks(24, batch.words)[name]
    with MultiplyAdds() as counted:
        network.loss(batch.videos, batch.text).backward()
    assert counted.total == multiply_adds(network, batch.videos, batch.text)


@pytest.mark.usefixtures("benchmarks")
def test_the_made_up_batch_has_the_papers_size() -> None:
    from batch import synthetic_batch

    assert str(synthetic_batch()) == (
        "64 videos, 227 clips, 17955 frame rows in clips and whole videos, 6642 words in sentences and paragraphs"
    )


@pytest.mark.slow
@pytest.mark.parametrize("annotated", [False, True])
def test_caption_scorers_are_timed_and_their_numbers_compared(shared, annotated: bool) -> None:
    chosen = ["--annotations", str(shared("data/activitynet_captions/val_2.json.gz").parent)] if annotated else []
    out = run("captions.py", "--limit", "40", "--no-java", *chosen)
    assert "40 captions, without Java" in out
    for name in ("tokens", "BLEU@1-4", "ROUGE-L", "CIDEr", "all of these", "METEOR", "all seven with tokens"):
        assert name in out


@pytest.mark.slow
def test_meteor_is_timed_on_pairs_of_train_captions(shared) -> None:
    folder = shared("data/activitynet_captions/train.json.gz").parent
    out = run("captions.py", "--train-pairs", "40", "--no-java", "--annotations", str(folder))
    assert "40 pairs of train captions, without Java" in out
    assert "100 captions in a warm process" in out
