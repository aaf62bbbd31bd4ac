"""`bench score captions`: the files that people exchange, what is wrong with some of them; metrics of `evaluate`."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from bench.metrics.captions.evidence import NAMES

TOLD = {
    "v_a": {
        "duration": 30.1,
        "timestamps": [[0.0, 10.1], [10.1, 30.1]],
        "sentences": [" A man runs fast.", "He falls down."],
    },
    "v_b": {"duration": 20.0, "timestamps": [[1.3, 19.9]], "sentences": ["A dog catches the red ball."]},
    "v_c": {"duration": 9.0, "timestamps": [[0.0, 9.0]], "sentences": ["Rain falls on the roof of a house."]},
}
SAID = {
    "v_a": ["A man is running fast.", "He falls."],
    "v_b": ["The dog catches a ball."],
    "v_c": ["It rains on a roof."],
}


def single(time: float) -> float:
    return struct.unpack("f", struct.pack("f", time))[0]


def challenge(said: dict[str, list[str]] = SAID, *, turned: bool = True) -> dict[str, Any]:
    """Returns predictions as others write them: times in float32, the last segment first."""
    results = {}
    for video, sentences in said.items():
        entries = [
            {"sentence": text, "timestamp": list(map(single, times))}
            for text, times in zip(sentences, TOLD[video]["timestamps"], strict=False)
        ]
        results[video] = entries[::-1] if turned else entries
    return {"version": "VERSION 1.0", "results": results, "external_data": {"used": True, "details": "none"}}


def write(folder: Path, name: str, value: Any) -> Path:
    path = folder / name
    text = "".join(json.dumps(row) + "\n" for row in value) if name.endswith(".jsonl") else json.dumps(value)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.fixture
def files(bench_command: Any) -> Any:
    """Returns a function that scores a prediction file and returns the record as JSON."""
    write(bench_command.folder, "told.json", TOLD)

    def scored(*words: Any, told: str = "told.json", protocol: str = "corpus") -> dict[str, Any]:
        base = ("score", "captions", "--references", told, "--protocol", protocol, "--no-java", "--json")
        return json.loads(bench_command(*base, *words).stdout)

    return scored


def values(record: dict[str, Any]) -> dict[str, float]:
    return {m["name"]: m["value"] for m in record["measurements"]}


@pytest.mark.parametrize("name", ["said.json", "said.json.gz"])
def test_shuffled_segments_in_float32_are_matched_by_time(bench_command, files, name):
    found = files("--predictions", write(bench_command.folder, name, challenge()))
    straight = files("--predictions", write(bench_command.folder, "s.json", challenge(turned=False)))
    assert values(found) == values(straight)
    assert found["measurements"][0]["n"] == 4
    assert "|protocol=corpus|tokens=regex-2|meteor=1.5-py|cider=coco|missing=error|" in found["signature"]


def test_the_same_captions_in_every_form_score_the_same(bench_command, files):
    whole = {video: " ".join(sentences) for video, sentences in SAID.items()}
    forms = {
        "rows.json": [{"image_id": video, "caption": text} for video, text in whole.items()],
        "rows.jsonl": [{"video_id": video, "sentence": text} for video, text in whole.items()],
        "text.json": whole,
        "lists.json": {video: [text] for video, text in whole.items()},
        "coco.json": {"images": [], "annotations": [{"id": 1, "image_id": v, "caption": t} for v, t in whole.items()]},
        "official.json": challenge(),
        "annotated.json": {v: {**TOLD[v], "sentences": SAID[v]} for v in SAID},
    }
    found = [
        values(files("--predictions", write(bench_command.folder, name, value), protocol="paragraph"))
        for name, value in forms.items()
    ]
    beside_references = [{name: of[name] for name in NAMES} for of in found]  # where sentences end, not all forms say
    assert beside_references == [beside_references[0]] * len(forms)
    assert found[0]["ROUGE-L"] > 50


def test_numbers_are_ids_too(bench_command, files):
    write(bench_command.folder, "n.json", {"7": ["a man sings"], "8": ["a dog barks"]})
    said = [{"image_id": 7, "caption": "a man sings"}, {"image_id": 8, "caption": "a dog barks"}]
    assert values(files("--predictions", write(bench_command.folder, "p.json", said), told="n.json"))["BLEU@1"] > 99.9


def test_references_of_one_video_are_pooled(bench_command, files):
    second = {
        video: {**told, "sentences": ["Something else entirely."] * len(told["sentences"])}
        for video, told in TOLD.items()
    }
    write(bench_command.folder, "second.json.gz", second)
    said = write(bench_command.folder, "said.json", challenge())
    alone = values(files("--predictions", said))
    assert values(files("--predictions", said, "--references", "second.json.gz"))["ROUGE-L"] == alone["ROUGE-L"]
    dense = values(files("--predictions", said, protocol="densevid"))
    pooled = values(files("--predictions", said, "--references", "second.json.gz", protocol="densevid"))
    assert pooled["ROUGE-L"] < dense["ROUGE-L"]


def test_missing_videos_are_an_error_count_zero_or_are_left_out_and_unknown_ones_are_named(bench_command, files):
    results = challenge()
    results["results"]["v_zzz"] = results["results"].pop("v_c")
    said = write(bench_command.folder, "said.json", results)
    base = ("score", "captions", "--predictions", said, "--references", "told.json", "--no-java")
    refused = bench_command(*base, "--protocol", "corpus", exit_code=4).stderr
    assert "1 segment without a prediction (first: video 'v_c')" in refused
    done = bench_command(*base, "--protocol", "corpus", "--missing", "zero")
    assert "1 predicted video without a reference left out" in done.stderr
    assert "1 segment without a prediction counts zero" in done.stderr
    skipped = files("--predictions", said, "--missing", "skip")
    assert (skipped["data"]["n_expected"], skipped["data"]["n_evaluated"], skipped["status"]) == (3, 2, "partial")
    assert files("--predictions", said, protocol="densevid")["measurements"][0]["n"] == 3


def test_densevid_shows_each_threshold(bench_command, files):
    said = write(bench_command.folder, "said.json", challenge())
    found = files("--predictions", said, protocol="densevid")
    assert set(found["by_tiou"]["CIDEr"]) == {"0.3", "0.5", "0.7", "0.9"}
    assert "|tiou=0.3,0.5,0.7,0.9|unmatched=random-string|" in found["signature"]
    shown = bench_command(
        "score", "captions", "--predictions", said, "--references", "told.json", "--protocol", "densevid", "--no-java"
    )
    assert "tIoU 0.9" in shown.stdout
    assert {"SODA_c", "Rep-4", "Div-2", "Vocabulary", "Words/sentence"} <= set(values(found)) - set(found["by_tiou"])
    assert all(name in shown.stdout for name in ("SODA_c", "Vocabulary"))


def test_scored_captions_stand_on_a_board_and_are_verified(bench_command, files):
    said = write(bench_command.folder, "said.json", challenge())
    words = (
        "--name",
        "theirs",
        "--task",
        "anet-captioning",
        "--split",
        "val_1",
        "--data-kind",
        "generated",
        "-o",
        "scored",
    )
    files("--predictions", said, *words)
    bench_command("leaderboard", "build", "--results", "scored", "-o", "board")
    page = (bench_command.folder / "board" / "anet-captioning.md").read_text(encoding="utf-8")
    assert "| theirs |" in page
    assert "CIDEr" in page
    (folder,) = (bench_command.folder / "scored").iterdir()
    assert "verified against its evidence" in bench_command("leaderboard", "add", folder, "--board", "kept").stdout
    assert "CIDEr" in bench_command("compare", folder, folder).stdout
    record = json.loads((folder / "result.json").read_text())
    record["measurements"][0]["value"] += 1
    (folder / "result.json").write_text(json.dumps(record))
    bench_command("leaderboard", "add", folder, "--board", "other", exit_code=6)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not whole JSON (it is empty)"),
        (b"\x1f\x8bcut", "is not a whole gzip file"),
        (gzip.compress(b'{"a": ["b"]}', mtime=0)[:-6], "is not a whole gzip file"),
        (b"\xff\xfe\xfa", "is not whole JSON"),
        (b"42", "holds a JSON int"),
        (b"[1]", "entry 0 is a JSON int"),
        (b'[{"caption": "x"}]', "entry 0 names no video"),
        (b'[{"image_id": "v_a"}]', "without text"),
        (b'[{"image_id": "v_a", "caption": 3}]', "without text"),
        (b'{"v_a": 3}', "holds a JSON int"),
        (b'{"v_a": {"sentences": ["x", "y"], "timestamps": [[0, 1]]}}', "other than one timestamp for each sentence"),
        (b'{"results": {"v_a": [{"sentence": "x", "timestamp": [0, NaN]}]}}', "expected [start, end]"),
        (b'{"results": {"v_a": [{"sentence": "x", "timestamp": [0, Infinity]}]}}', "expected [start, end]"),
        (b'{"results": {"v_a": [{"sentence": "x", "timestamp": [0]}]}}', "expected [start, end]"),
        (b'{"results": {"v_a": [{"sentence": "x", "timestamp": "now"}]}}', "expected [start, end]"),
        (b'{"results": {"v_a": [{"sentence": "x", "timestamp": [0, 1' + b"0" * 400 + b']}]}}', "expected [start, end]"),
        (b'{"v_a": ["x"], "v_a": ["y"]}', "'v_a' occurs twice"),
        (b'{"image_id": "v_a", "caption": "x"}\n{"image_id": \n', "line 2"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"nobody": ["x"]}', "Are the ids the same?"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_captions_is_refused(bench_command, content, says):
    write(bench_command.folder, "told.json", TOLD)
    (bench_command.folder / "said.json").write_bytes(content)
    base = ("score", "captions", "--predictions", "said.json", "--references", "told.json", "--protocol", "paragraph")
    assert says in bench_command(*base, "--no-java", exit_code=4).stderr


def test_a_file_that_is_not_there_is_named(bench_command):
    base = (
        "score",
        "captions",
        "--predictions",
        "p.json",
        "--references",
        "r.json",
        "--protocol",
        "corpus",
        "--no-java",
    )
    assert "p.json: no such file" in bench_command(*base, exit_code=4).stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--protocol", "bleu"), 2, "'bleu' is not one of"),
        ((), 2, "Missing option '--protocol'"),
        (("--protocol", "corpus", "-o", "x"), 2, "--data-kind"),
        (("--protocol", "densevid", "--metric", "x"), 2, "--metric compares a caption"),
        (("--protocol", "corpus", "--no-java", "--features", "two words"), 2, "words without spaces"),
        (("--protocol", "corpus", "--no-java", "--metric", "./nothing.py"), 2, "cannot be loaded"),
    ],
)
def test_a_wrong_request_is_a_usage_error(bench_command, words, code, says):
    write(bench_command.folder, "told.json", TOLD)
    write(bench_command.folder, "said.json", challenge())
    base = ("score", "captions", "--predictions", "said.json", "--references", "told.json")
    assert says in bench_command(*base, *words, exit_code=code).stderr


def test_strange_captions_are_scored_and_disturb_no_other(bench_command, files):
    strange = [
        "",
        "...!",
        "a b " * 2500,
        "日本 café \ud800",
        "line\nbreak\u2028within\x85it",
        "<script>alert(1)</script>",
    ]
    told = {f"v{i}": [f"the reference number {i} is here"] for i in range(len(strange) + 1)}
    write(bench_command.folder, "many.json", told)
    said = [{"image_id": f"v{i}", "caption": text} for i, text in enumerate([*strange, told["v6"][0]])]
    path = write(bench_command.folder, "said.json", said)
    found = values(files("--predictions", path, told="many.json"))
    alone = values(
        files(
            "--predictions",
            write(bench_command.folder, "b.json", [{**row, "caption": ""} for row in said[:-1]] + said[-1:]),
            told="many.json",
        )
    )
    assert found["ROUGE-L"] == pytest.approx(alone["ROUGE-L"], abs=1e-9)
    assert found["CIDEr"] == pytest.approx(alone["CIDEr"], abs=1e-9)


SCRIPT = """
import datasets
import evaluate


class Words(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="", citation="", features=datasets.Features({{"predictions": text, "references": {references}}})
        )

    def _compute(self, predictions, references):
        return {compute}
"""


def script(
    folder: Path, name: str, references: str = "text", compute: str = '{"words": 1.5, "n": len(references)}'
) -> str:
    (folder / f"{name}.py").write_text(SCRIPT.format(references=references, compute=compute))
    return f"./{name}.py"


@pytest.mark.parametrize("references", ["text", "datasets.Sequence(text)"])
def test_a_metric_of_evaluate_is_added_by_its_path(bench_command, files, references, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    name = script(bench_command.folder, f"words_{len(references)}", references)
    said = write(bench_command.folder, "said.json", challenge())
    found = files("--predictions", said, "--metric", name)
    assert found["extra"] == {name: {"words": 1.5, "n": 4.0}}
    assert "words" not in values(found)


def test_a_metric_of_evaluate_that_fails_is_reported(bench_command):
    write(bench_command.folder, "told.json", TOLD)
    said = write(bench_command.folder, "said.json", challenge())
    base = (
        "score",
        "captions",
        "--predictions",
        said,
        "--references",
        "told.json",
        "--protocol",
        "corpus",
        "--no-java",
    )
    failing = script(bench_command.folder, "failing", compute="1 / 0")
    assert "ZeroDivisionError" in bench_command(*base, "--metric", failing, exit_code=1).stderr
    silent = script(bench_command.folder, "silent", compute='{"text": "none"}')
    assert "gave no number" in bench_command(*base, "--metric", silent, exit_code=1).stderr


def test_our_metrics_load_as_a_module_of_evaluate():
    import evaluate

    import bench.scoring

    path = Path(bench.scoring.__file__).parent / "evaluate_modules" / "captions.py"
    metric = evaluate.load(str(path))
    metric.add_batch(predictions=["this is a good test"], references=[["this is a test", "this is also a test"]])
    found = metric.compute(java=False)
    assert found["BLEU@2"] == pytest.approx(63.2455, abs=1e-3)
    assert found["ROUGE-L"] == pytest.approx(90.7063, abs=1e-3)
    assert found["METEOR"] == pytest.approx(44.4344, abs=1e-3)


@pytest.mark.slow
def test_java_counts_what_ours_count_and_the_signature_says_so(bench_command):
    from bench.metrics.captions.java import java_program

    if java_program() is None:
        pytest.skip("needs Java (Debian: default-jre-headless)")
    write(bench_command.folder, "told.json", TOLD)
    said = write(bench_command.folder, "said.json", challenge())
    base = ("score", "captions", "--predictions", said, "--references", "told.json", "--protocol", "densevid")
    ours, record = (json.loads(bench_command(*base, how, "--json").stdout) for how in ("--no-java", "--java"))
    assert values(ours) == pytest.approx(values(record), rel=1e-12)
    assert "|tokens=regex-2|meteor=1.5-py|" in ours["signature"]
    assert 20 < values(record)["METEOR"] < 100
    assert "|tokens=ptb-3.4.1|meteor=1.5|" in record["signature"]
