"""METEOR and Stanford's tokeniser in Java: golden values, bad captions, and programs that hang, die or babble."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import numpy as np
import pytest
from bad_captions import BAD_CAPTIONS

from bench.errors import ToolError
from bench.metrics.captions.items import rules
from bench.metrics.captions.java import JavaLines, jar, java_program
from bench.metrics.captions.meteor.formula import meteor
from bench.metrics.captions.meteor.program import MeteorProgram, started_once
from bench.metrics.captions.scoring import caption_counts
from bench.metrics.captions.tokenising import tokenised


def test_the_golden_captions_are_cut_as_before(golden, java):
    written = [
        text
        for caption, texts in zip(golden["captions"], golden["references"], strict=True)
        for text in (caption, *texts)
    ]
    assert tokenised(written, "ptb") == [line for lines in golden["tokens"] for line in lines]


@pytest.mark.slow
def test_meteor_agrees_with_pycocoevalcap_and_bad_captions_disturb_no_other(golden, java):
    captions = [*golden["captions"], *BAD_CAPTIONS, "this is a good test", "the last caption is here"]
    references = [
        *golden["references"],
        *(["a man is here before the end", "a man"] for _ in BAD_CAPTIONS),
        ["this is a test", "this is also a test"],
        ["the last caption is here"],
    ]
    counts = caption_counts(captions, references, rules("corpus", java=True))["meteor"]
    from pycocoevalcap.meteor.meteor import Meteor as Reference

    told = {i: lines[1:] for i, lines in enumerate(golden["tokens"])}
    reference = Reference()
    whole, each = reference.compute_score(told, {i: lines[:1] for i, lines in enumerate(golden["tokens"])})
    reference.meteor_p.kill()
    for stream in (reference.meteor_p.stdin, reference.meteor_p.stdout, reference.meteor_p.stderr):
        stream.close()  # pycocoevalcap leaves them open
    assert (whole, each) == (golden["corpus"]["METEOR"], golden["items"]["METEOR"])
    n = len(golden["captions"])
    np.testing.assert_allclose(meteor(counts[:n]), golden["items"]["METEOR"], rtol=1e-12, atol=1e-15)
    assert meteor(counts[:n].sum(axis=0)) == pytest.approx(golden["corpus"]["METEOR"], rel=1e-12)
    assert meteor(counts[-2]) == pytest.approx(0.444344, rel=2e-6)
    assert meteor(counts[-1]) == pytest.approx(1.0)
    by_text = dict(zip(captions, meteor(counts).tolist(), strict=True))
    assert by_text[""] == by_text["...!?"] == 0.0


GERMAN = "-Duser.language=de -Duser.country=DE -Duser.language.format=de -Duser.country.format=DE"


@pytest.fixture
def no_paraphrases(tmp_path):
    """Returns options of METEOR for an empty table of paraphrases: it starts in a tenth of the time."""
    table = tmp_path / "none.gz"
    table.write_bytes(gzip.compress(b""))
    return ("-a", str(table))


@pytest.mark.parametrize("variable", ["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"])
def test_meteor_adds_counts_up_where_the_user_writes_a_decimal_comma(java, monkeypatch, no_paraphrases, variable):
    monkeypatch.setenv(variable, f"-Xss2m {GERMAN}")
    options = ("-", "-", "-stdio", "-l", "en", "-norm", *no_paraphrases)
    program = ("-jar", str(jar("meteor", "meteor-1.5.jar")), *options)
    with JavaLines("METEOR", program) as lines:
        lines.send(["SCORE ||| a man is running ||| a man runs"], last=False)
        (counts,) = lines.answers(1)
        lines.send([f"EVAL ||| {counts} ||| {counts}"])
        each, other, whole = map(float, lines.answers(3))
    assert each == other == pytest.approx(meteor(np.array(counts.split(), dtype=float)), rel=1e-6)
    assert whole == pytest.approx(each, abs=0.01)


def test_words_are_cut_the_same_whatever_the_encoding_of_the_user_is(java, monkeypatch):
    text = ["a café’s naïve owner", "größer als 3,5 metres"]
    cut = tokenised(text, "ptb")
    assert "café" in cut[0]
    monkeypatch.setenv("_JAVA_OPTIONS", f"{GERMAN} -Dfile.encoding=ISO-8859-1 -Dstdout.encoding=US-ASCII")
    assert tokenised(text, "ptb") == cut


def test_what_java_says_about_options_of_the_user_is_not_taken_for_its_complaint(tmp_path, monkeypatch):
    script = "echo 'Picked up JAVA_TOOL_OPTIONS: -Xss2m' >&2; echo 'no class for you' >&2; exit 3"
    fake_java(tmp_path, script, monkeypatch)
    with pytest.raises(ToolError, match="answer: no class for you"), MeteorProgram([("a", ["b"])], 5) as program:
        program.counts()


def fake_java(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts a `java` of our own first on the PATH."""
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho $$ >> {folder}/started\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return program


def left_running(folder: Path) -> list[int]:
    """Returns the processes of a fake Java that still run."""
    started = [int(line) for line in (folder / "started").read_text().split()]
    return [pid for pid in started if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("sleep 60", "gave no answer for 0.5 s after 0 of 2"),
        ("read line; echo '1.0'; sleep 60", "gave no answer for 0.5 s after 1 of 2"),
        ("echo 'no class for you' >&2; exit 3", "ended with exit code 3 after 0 of 2 answers: no class for you"),
        ("kill -9 $$", "ended with exit code -9 after 0 of 2 answers: no message"),
        ("exec 0<&-; sleep 60", "gave no answer"),
        ("yes 'Error: specify hypothesis'", "gave other than 23 numbers"),
        ("yes '1.0 2.0'", "gave other than 23 numbers"),
    ],
)
def test_a_meteor_that_fails_is_killed_and_reported(tmp_path, monkeypatch, script, says):
    fake_java(tmp_path, script, monkeypatch)
    with (
        pytest.raises(ToolError, match=says.replace("$", r"\$")),
        MeteorProgram([("a", ["b"]), ("c", ["d"])], 0.5) as program,
    ):
        program.counts()
    assert left_running(tmp_path) == []


def test_one_meteor_answers_one_scoring_after_another_and_a_failed_one_is_replaced(
    tmp_path, monkeypatch, java, no_paraphrases
):
    second_fails = f'if [ "$(wc -l < {tmp_path}/started)" -eq 2 ]; then exit 3; fi'
    fake_java(tmp_path, f'{second_fails}; exec {java} "$@" {" ".join(no_paraphrases)}', monkeypatch)
    asked = [[("a man runs", ["a man is running"]), ("a dog", ["the dogs"])], [("a man runs", ["the cat"])], []]
    with MeteorProgram([*asked[0], *asked[1]]) as program:
        counts = program.counts()
    alone = [counts[:2], counts[2:], counts[:0]]
    with started_once():
        with pytest.raises(ToolError, match="exit code 3"), MeteorProgram(asked[0]) as program:
            program.counts()
        for pairs, expected in zip(asked, alone, strict=True):
            with MeteorProgram(pairs) as program:
                np.testing.assert_array_equal(program.counts(), expected)
        assert len(left_running(tmp_path)) == 1
    assert left_running(tmp_path) == []
    assert (
        len((tmp_path / "started").read_text().split()) == 3
    )  # one alone, one that failed, one for all that was asked


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("cat; echo one more", "more lines than it was given"),
        ("read line; echo a", "after 1 of 2 answers"),
        ("cat; sleep 60", "did not end"),
    ],
)
def test_a_tokeniser_that_answers_other_than_line_for_line_is_refused(tmp_path, monkeypatch, script, says):
    fake_java(tmp_path, script, monkeypatch)
    with pytest.raises(ToolError, match=says):
        tokenised(["a man", "a dog"], "ptb", patience=0.5)
    assert left_running(tmp_path) == []


def test_a_program_that_is_no_longer_wanted_is_killed(tmp_path, monkeypatch):
    fake_java(tmp_path, "sleep 60", monkeypatch)
    with JavaLines("it", ("-version",)) as program:
        program.send(["a line"])
        while not (tmp_path / "started").exists():
            time.sleep(0.01)
    assert left_running(tmp_path) == []


def test_a_java_that_cannot_be_started_is_reported(tmp_path, monkeypatch):
    program = fake_java(tmp_path, "", monkeypatch)
    program.write_bytes(b"\x7fELF no program")
    with pytest.raises(ToolError, match="cannot be started for the PTB tokeniser"):
        tokenised(["a man"], "ptb")


def test_without_java_nothing_asks_for_it_unless_told_to(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert java_program() is None
    assert rules("corpus").parts()["tokens"] == "regex-2"
    assert rules("corpus").parts()["meteor"] == "1.5-py"
    assert caption_counts(["a man"], [["the man"]], rules("corpus"))["meteor"].shape == (1, 23)
    with pytest.raises(ToolError, match="no `java` is on the PATH"):
        rules("corpus", java=True)


def test_the_installation_is_not_written_to(java, tmp_path, monkeypatch):
    folders = [jar("meteor", "meteor-1.5.jar").parent, jar("tokenizer", "stanford-corenlp-3.4.1.jar").parent]
    before = [sorted(path.name for path in folder.iterdir()) for folder in folders]
    times = [folder.stat().st_mtime_ns for folder in folders]
    monkeypatch.chdir(tmp_path)
    tokenised(["a man"], "ptb")
    assert [sorted(path.name for path in folder.iterdir()) for folder in folders] == before
    assert [folder.stat().st_mtime_ns for folder in folders] == times
    assert list(tmp_path.iterdir()) == []
