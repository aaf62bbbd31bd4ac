"""Saved predictions can be scored again without the model; anything that was changed is found."""

import json
import shutil

import pytest

from bench.files import read_tensors, sha256, write_tensors


@pytest.fixture
def finished(bench_command, control_runs):
    """Returns a copy of one finished run's folder."""
    source = next(path.parent for path in control_runs.glob("*/result.json"))
    folder = bench_command.folder / "runs" / source.name
    shutil.copytree(source, folder)
    return folder


def edit(folder, change):
    path = folder / "result.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_an_untouched_run_scores_the_same(bench_command, finished):
    done = bench_command("rescore", finished)

    assert "every measurement is the same" in done.stderr
    assert "t2v/R@1" in done.stdout


def ids_of_lists(arrays, values):
    values["video_ids"] = [[one] for one in values["video_ids"]]


def ids_without_end(arrays, values):
    values["paragraph_ids"] = 7


def a_row_less(arrays, values):
    arrays["videos"] = arrays["videos"][1:].copy()


def a_row_of_nan(arrays, values):
    arrays["videos"] = arrays["videos"].copy()
    arrays["videos"][3] = float("nan")


def a_kind_of_a_thousand_words(arrays, values):
    values["kind"] = ["embeddings"] * 1000


@pytest.mark.parametrize(
    "change", [ids_of_lists, ids_without_end, a_row_less, a_row_of_nan, a_kind_of_a_thousand_words]
)
def test_predictions_that_do_not_fit_one_another_are_named_in_one_line_and_no_model_is_blamed(
    bench_command, finished, change
):
    path = finished / "predictions.safetensors"
    arrays, values = read_tensors(path)
    changed = dict(arrays), dict(values)
    change(*changed)
    path.unlink()
    write_tensors(path, *changed)
    edit(finished, lambda record: record["predictions"].update(sha256=sha256(path)))

    said = bench_command("rescore", finished, exit_code=4).stderr.strip().splitlines()[-1]

    assert said.startswith("InvalidData:")
    assert "predictions.safetensors" in said
    assert len(said) < 400


def test_a_changed_number_is_found(bench_command, finished):
    edit(finished, lambda record: record["measurements"][0].update(value=99.0))

    done = bench_command("rescore", finished, exit_code=6)

    assert "VerificationError" in done.stderr
    assert "t2v/R@1 is 99.0 in the record" in done.stderr


@pytest.mark.parametrize("name", ["predictions.safetensors", "evidence.safetensors"])
def test_a_changed_file_is_found(bench_command, finished, name):
    path = next(finished.glob(f"*{name}"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    assert name in bench_command("rescore", finished, exit_code=6).stderr


@pytest.mark.parametrize("name", ["predictions.safetensors", "evidence.safetensors"])
def test_a_missing_file_is_named(bench_command, finished, name):
    next(finished.glob(f"*{name}")).unlink()

    assert f"{name} is missing" in bench_command("rescore", finished, exit_code=4).stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda record: record.update(schema="bench-result/9"), "schema"),
        (lambda record: record.update(extra=1), "extra"),
        (lambda record: record["measurements"].clear(), "primary"),
        (lambda record: record["evidence"].update(file="../../evidence"), "evidence.file"),
        (lambda record: record.pop("seed"), "seed"),
    ],
)
def test_a_record_that_breaks_the_schema_is_refused(bench_command, finished, change, says):
    edit(finished, change)

    assert says in bench_command("rescore", finished, exit_code=4).stderr


def test_a_record_of_other_annotations_is_refused(bench_command, finished):
    edit(finished, lambda record: record["data"]["annotations"].update(val_1="0" * 64))

    assert "annotations" in bench_command("rescore", finished, exit_code=6).stderr


def every(field, change):
    """Returns an edit of one field of every measurement."""

    def edited(record):
        for measurement in record["measurements"]:
            measurement[field] = change(measurement)

    return edited


FORGED = {
    "ci95": every("ci95", lambda m: [m["value"] - 0.01, m["value"] + 0.01]),
    "wide ci95": every("ci95", lambda m: [0.0, 100.0]),
    "no ci95": every("ci95", lambda m: None),
    "unit": every("unit", lambda m: "score"),
    "higher_is_better": every("higher_is_better", lambda m: not m["higher_is_better"]),
    "n": every("n", lambda m: m["n"] + 1),
    "primary": lambda record: record.update(primary="v2t/R@1"),
    "n_evaluated": lambda record: record["data"].update(n_evaluated=7, n_expected=7),
    "split": lambda record: record["task"].update(split="test"),
    "kind of data": lambda record: record["data"].update(kind="real"),
    "version": lambda record: record.update(signature=record["signature"].replace("/2|", "/3|", 1)),
    "pool": lambda record: record.update(signature=record["signature"].replace("|pool=", "|pool=1")),
    "ties": lambda record: record.update(signature=record["signature"].replace("ties=", "ties=optimistic-")),
    "segments": lambda record: record.update(signature=record["signature"].replace("segments=gt", "segments=none")),
    "features": lambda record: record["data"]["features"].update(extractor="CLIP"),
    "measurement": lambda record: record["measurements"].append({**record["measurements"][0], "name": "t2v/nDCG"}),
}


@pytest.mark.parametrize("what", FORGED)
def test_all_that_a_record_states_of_its_predictions_is_compared(bench_command, finished, what):
    edit(finished, FORGED[what])

    assert "VerificationError" in bench_command("rescore", finished, exit_code=6).stderr
    assert "VerificationError" in bench_command("leaderboard", "add", finished, exit_code=6).stderr
    assert not list(bench_command.folder.glob("leaderboards/results/*/*"))


@pytest.mark.parametrize("what", sorted(FORGED.keys() - {"primary", "ties", "segments"}))
def test_a_record_is_read_only_where_it_follows_from_its_evidence(bench_command, finished, what):
    edit(finished, FORGED[what])

    assert "Make it again" in bench_command("compare", finished, finished, exit_code=6).stderr
    assert "VerificationError" in bench_command("rerun", finished, exit_code=6).stderr


def test_a_record_that_leaves_measurements_unsaid_holds(bench_command, finished):
    edit(finished, lambda record: record.update(measurements=record["measurements"][:1]))

    assert "v2t/MeanR" in bench_command("rescore", finished).stdout
    bench_command("leaderboard", "add", finished)
    bench_command("leaderboard", "build")
    assert "v2t/MeanR" in next(bench_command.folder.glob("leaderboards/tables/*.json")).read_text()


def test_a_successor_is_written_beside_a_record_that_does_not_hold(bench_command, finished):
    edit(finished, lambda record: record["measurements"][0].update(value=99.0, ci95=[98.0, 100.0]))
    before = {path.name: path.read_bytes() for path in finished.iterdir()}

    done = bench_command("rescore", "--write", finished)

    new = finished.with_name(f"{finished.name}-rescored")
    assert str(new) in done.stderr
    assert f"{finished}: t2v/R@1: value 99.0 → " in done.stderr
    assert f"{finished}: t2v/R@1: ci95 (98.0, 100.0) → " in done.stderr
    assert {path.name: path.read_bytes() for path in finished.iterdir()} == before
    record = json.loads((new / "result.json").read_text())
    assert record["run"] == new.name
    assert record["provenance"]["rescored"]["record"] == sha256(finished / "result.json")
    assert "is the same" in bench_command("rescore", new).stderr
    bench_command("compare", new, new)
    bench_command("leaderboard", "add", new)
    bench_command("rescore", "--write", finished)
    assert (finished.with_name(f"{finished.name}-rescored-2") / "result.json").is_file()


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.write_bytes(b"rubbish")])
def test_lost_evidence_is_counted_again(bench_command, finished, change):
    change(next(finished.glob("*evidence.safetensors")))

    assert "counted again" in bench_command("rescore", "--write", finished).stderr
    bench_command("rescore", finished.with_name(f"{finished.name}-rescored"))


def test_nothing_is_written_where_the_record_holds(bench_command, finished):
    assert "is the same" in bench_command("rescore", "--write", finished).stderr
    assert [path.name for path in finished.parent.iterdir()] == [finished.name]


def test_no_successor_is_made_of_other_predictions(bench_command, finished):
    path = next(finished.glob("*predictions.safetensors"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    assert "predictions.safetensors has sha256" in bench_command("rescore", "--write", finished, exit_code=6).stderr
    assert [path.name for path in finished.parent.iterdir()] == [finished.name]
