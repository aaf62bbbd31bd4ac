"""Commands killed at any moment: the same command again ends where an undisturbed one ends, and nothing lies about.

The moments are uniform over the length of an undisturbed command; a failure names the seed that gives them again.
"""

import json
import random
import time

import forking
import h5py
import numpy as np
import pytest
from cli.small_runs import RUN, TASK, left_over, outcome

VIDEOS = 300
ATTEMPTS = 100
CONFIG = "version: 1\nfeatures: {c3d: {reader: c3d-hdf5, path: ../c3d.hdf5, extractor: C3D, stride: 8 frames}}\n"


def packed(folder):
    pack = folder / "packs" / "c3d"
    return json.loads((pack / "pack.json").read_text())["digest"], sorted(path.name for path in pack.iterdir())


COMMANDS = {"run": ((*RUN, TASK), outcome), "pack": (("data", "pack", "c3d"), packed)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Returns a function to a fresh folder in which either command works."""
    root = tmp_path_factory.mktemp("kills")
    with h5py.File(root / "c3d.hdf5", "w") as file:
        for i in range(VIDEOS):
            rows = np.random.default_rng(i).standard_normal((12, 8)).astype(np.float32)
            file.create_dataset(f"v_{i:04}/c3d_features", data=rows)

    def fresh(name):
        (root / name).mkdir()
        if name.startswith("pack"):
            (root / name / "bench.yaml").write_text(CONFIG)
        return root / name

    return fresh


@pytest.fixture(scope="module", params=COMMANDS)
def command(request, place, bench_in):
    """Returns a command's name, what it ends with undisturbed, and how many seconds it takes.

    It runs once in this process, whose forks then have everything imported and the sample made.
    """
    arguments, result = COMMANDS[request.param]
    bench_in(place(f"{request.param}-first"))(*arguments)
    folder, clock = place(f"{request.param}-undisturbed"), time.monotonic()
    fork = forking.start(folder, *arguments)
    assert fork.wait() == 0, fork.said
    return request.param, result(folder), time.monotonic() - clock


def kill_and_go_on(place, command, attempts, kills=1):
    """Starts a command so many times, each time in a fresh folder; returns how often it was killed before it ended."""
    name, wanted, seconds = command
    arguments, result = COMMANDS[name]
    seed, killed = random.randrange(2**32), 0
    moments = random.Random(seed)
    for attempt in range(attempts):
        folder, told = place(f"{name}-{seed}-{attempt}"), f"seed {seed}, attempt {attempt}"
        codes = [forking.start(folder, *arguments).kill(moments.uniform(0, seconds)) for _ in range(kills)]
        killed += sum(code < 0 for code in codes)
        again = forking.start(folder, *arguments)
        assert again.wait() == 0 or "never overwritten" in again.said, f"{told}: {again.said}"  # a pack that was whole
        assert "Traceback" not in again.said, told
        assert result(folder) == wanted, f"{told}: {again.said}"
        assert left_over(folder) == [], told
    return killed


def test_killed_three_times_each(place, command):
    assert kill_and_go_on(place, command, 3) > 0


def kill_one_of(folder, moments, seconds, count):
    """Starts runs at once and kills some of them; the others end well."""
    forks = [forking.start(folder, *RUN, TASK) for _ in range(count)]
    victims = forks[: count // 2]
    for fork in victims:
        fork.kill(moments.uniform(0, seconds / 2))
    for fork in forks[count // 2 :]:
        assert fork.wait() == 0, fork.said
        assert "Traceback" not in fork.said


@pytest.mark.parametrize("command", ["run"], indirect=True)
def test_the_others_go_on_where_those_before_them_were_killed(place, command):
    _, wanted, seconds = command
    folder = place("some-killed")
    kill_one_of(folder, random.Random(), seconds, 4)
    assert outcome(folder) == wanted
    assert left_over(folder) == []


@pytest.mark.campaign
def test_killed_hundreds_of_times(place, command, record_property):
    killed = kill_and_go_on(place, command, ATTEMPTS) + kill_and_go_on(place, command, ATTEMPTS // 5, kills=3)
    record_property("killed", killed)
    print(f"{command[0]}: {killed} kills")  # noqa: T201 (a campaign is read)


@pytest.mark.campaign
@pytest.mark.parametrize("command", ["run"], indirect=True)
def test_half_of_eight_killed_many_times(place, command):
    _, wanted, seconds = command
    moments = random.Random()
    for attempt in range(ATTEMPTS // 5):
        folder = place(f"some-killed-{attempt}")
        kill_one_of(folder, moments, seconds, 8)
        assert outcome(folder) == wanted, attempt
        assert left_over(folder) == [], attempt
