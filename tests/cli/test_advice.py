"""What an error advises works: each test takes one at its word."""

import json
import shutil

import pytest

from bench.files import sha256


@pytest.fixture
def finished(bench_command, control_runs):
    """Returns a copy of one finished run's folder among the runs of its command."""
    source = next(path.parent for path in control_runs.glob("*/result.json"))
    folder = bench_command.folder / "runs" / source.name
    shutil.copytree(source, folder)
    return folder


@pytest.mark.parametrize("ending", ["predictions.safetensors", "evidence.safetensors"])
@pytest.mark.parametrize("change", ["lost", "damaged"])
def test_a_run_that_lost_a_file_is_made_again_with_no_resume(bench_command, finished, ending, change):
    path = next(finished.glob(f"*{ending}"))
    path.unlink() if change == "lost" else path.write_bytes(b"half")
    said = bench_command("rescore", finished, exit_code=4 if change == "lost" else 6).stderr
    assert "run it with --no-resume" in said

    done = bench_command("run", "-m", "random", "-t", "anet-retrieval", "--no-resume")

    assert "reusing" not in done.stderr
    bench_command("rescore", finished.with_name(f"{finished.name}-2"))


def test_evidence_that_is_none_is_counted_again_by_rescore_write(bench_command, finished):
    evidence, predictions = (next(finished.glob(f"*{name}.safetensors")) for name in ("evidence", "predictions"))
    shutil.copy(predictions, evidence)  # a whole file of ours, of another kind
    record = json.loads((finished / "result.json").read_text())
    record["evidence"]["sha256"] = sha256(evidence)
    (finished / "result.json").write_text(json.dumps(record))
    assert (
        "`bench rescore --write RUN` counts it again"
        in bench_command("compare", finished, finished, exit_code=4).stderr
    )

    bench_command("rescore", "--write", finished)

    bench_command("rescore", finished.with_name(f"{finished.name}-rescored"))


def test_a_record_that_does_not_hold_is_made_again_by_rescore_write(bench_command, finished):
    record = json.loads((finished / "result.json").read_text())
    record["measurements"][0]["unit"] = "score"
    (finished / "result.json").write_text(json.dumps(record))
    for command in (("rescore", finished), ("compare", finished, finished), ("leaderboard", "add", finished)):
        assert "`bench rescore --write RUN`" in bench_command(*command, exit_code=6).stderr

    bench_command("rescore", "--write", finished)

    bench_command("leaderboard", "add", finished.with_name(f"{finished.name}-rescored"))


@pytest.mark.parametrize("ending", ["check.json", "evidence.safetensors", "predictions.safetensors"])
@pytest.mark.parametrize("change", ["damaged", "lost"])
def test_adding_a_run_again_puts_its_files_on_the_board_right(bench_command, finished, ending, change):
    bench_command("leaderboard", "add", finished)
    (path,) = (bench_command.folder / "leaderboards" / "results").glob(f"*/*.{ending}")
    before = path.read_bytes()
    path.unlink() if change == "lost" else path.write_bytes(b"{}")
    if (ending, change) != ("check.json", "lost"):  # without a check it is a row that was not scored again, no error
        bench_command("leaderboard", "check", "--records-only", exit_code=6)

    bench_command("leaderboard", "add", finished)

    assert "1 re-scored, 0 invariants only, 0 failed" in bench_command("leaderboard", "check", "--records-only").stdout
    if ending != "check.json":
        assert path.read_bytes() == before


def test_a_record_from_a_file_names_the_command_that_scores_it_again(bench_command, tmp_path):
    import numpy as np

    np.save(tmp_path / "s.npy", np.eye(6, dtype=np.float32))
    flags = ("--similarity", "s.npy", "--task", "mine", "--data-kind", "real", "--output", "out")
    bench_command("score", "retrieval", *flags)
    (folder,) = (path.parent for path in (tmp_path / "out").glob("*/result.json"))
    command = f"bench score retrieval {' '.join(flags)}"
    assert command in bench_command("rerun", folder, exit_code=2).stderr
    evidence = next(folder.glob("*evidence*"))
    evidence.write_bytes(b"half")
    assert "into another --output" in bench_command("compare", folder, folder, exit_code=6).stderr

    bench_command("score", "retrieval", *flags[:-1], "again")

    (again,) = (path.parent for path in (tmp_path / "again").glob("*/result.json"))
    bench_command("compare", again, again)
