"""File systems that lack something: hard links (exFAT, many network mounts), or locks. Runs are saved there too."""

import errno
import json
import os
import shutil
import subprocess

import forking
import pytest

RUN = ("run", "-m", "fse", "-t", "anet-retrieval", "--limit", "40", "--set", "epochs=1", "--set", "hidden=8")
REFUSALS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES, errno.EINVAL)


def refuse(number):
    def refusing(*_, **__):
        raise OSError(number, os.strerror(number))

    return refusing


@pytest.fixture(params=REFUSALS, ids=errno.errorcode.get)
def without_links(request, monkeypatch):
    monkeypatch.setattr(os, "link", refuse(request.param))


def files(folder):
    return {path.name for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("without_links")
def test_a_record_is_saved_and_reused_without_hard_links(bench_command):
    run = ("run", "-m", "random", "-t", "anet-retrieval", "--json")
    first = json.loads(bench_command(*run).stdout)
    again = bench_command(*run)

    assert json.loads(again.stdout) == first
    assert "reusing it" in again.stderr
    assert not [name for name in files(bench_command.folder) if name.endswith(".part")]


def test_eight_at_once_without_hard_links(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    forks = [forking.start(tmp_path, *RUN) for _ in range(8)]

    assert [fork.wait() for fork in forks] == [0] * 8, "\n".join(fork.said for fork in forks)
    assert sum("fitting fse" in fork.said for fork in forks) == 1


def test_runs_reach_a_board_without_hard_links(bench_command, control_runs, monkeypatch):
    monkeypatch.setattr(os, "link", refuse(errno.EOPNOTSUPP))
    [run] = [path.parent for path in control_runs.glob("*/result.json")]

    for _ in range(2):
        bench_command("leaderboard", "add", run, "--board", "board")

    [record] = (bench_command.folder / "board" / "results").rglob(f"{run.name}.json")
    assert record.read_bytes() == (run / "result.json").read_bytes()


def test_the_claim_of_a_killed_process_is_taken_over(bench_command, monkeypatch):
    run = ("run", "-m", "random", "-t", "anet-retrieval", "--json")
    first = bench_command(*run).stdout
    [record] = bench_command.folder.glob("runs/*/result.json")
    record.write_bytes(b"")
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))

    again = bench_command(*run)

    assert json.loads(again.stdout)[0]["measurements"] == json.loads(first)[0]["measurements"]
    assert json.loads(record.read_text()) == json.loads(again.stdout)[0]


def test_an_output_that_takes_no_record_is_found_before_the_fit(bench_command, monkeypatch):
    real = os.open

    def no_claims(path, flags, *rest, **named):
        if flags & os.O_EXCL and str(path).endswith((".0.part", "result.json")):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    monkeypatch.setattr(os, "open", no_claims)

    done = bench_command(*RUN, exit_code=1)

    assert "SaveError: cannot write" in done.stderr
    assert "Make the folder writable, or choose another folder" in done.stderr
    assert "fitting" not in done.stderr


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_one_of_several_fits_where_there_is_no_flock(tmp_path, monkeypatch, number):
    monkeypatch.setattr("fcntl.flock", refuse(number))
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    forks = [forking.start(tmp_path, *RUN) for _ in range(3)]

    assert [fork.wait() for fork in forks] == [0] * 3, "\n".join(fork.said for fork in forks)
    assert sum("fitting fse" in fork.said for fork in forks) == 1
    claims = [name for name in files(tmp_path) if name.startswith(".lock.")]
    assert all(name.endswith(".free") for name in claims), claims
    assert claims


def test_a_real_link_that_is_refused(bench_command, tmp_path):
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler (gcc or cc)")
    source, shim = tmp_path / "refuse.c", tmp_path / "refuse.so"
    source.write_text(
        "#include <errno.h>\n"
        "int link(const char *a, const char *b) { (void)a; (void)b; errno = EPERM; return -1; }\n"
        "int linkat(int a, const char *b, int c, const char *d, int e)\n"
        "{ (void)a; (void)b; (void)c; (void)d; (void)e; errno = EPERM; return -1; }\n"
    )
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, source], check=True)

    process = bench_command.start("run", "-m", "random", "-t", "anet-retrieval", env={"LD_PRELOAD": str(shim)})
    _, err = process.communicate(timeout=120)

    assert process.returncode == 0, err
    assert list(bench_command.folder.glob("runs/*/result.json"))
