"""The file of answers: a changed part of a key never meets an old answer; what is kept comes back, also elsewhere."""

import json
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest
from endpoints.conftest import PROMPT, question
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.endpoints import Answer, KeptAnswers, Sampling, Served
from bench.errors import InvalidData, MissingData, SaveError

SERVED = Served("toy-vlm", "fp_1")
ASKED = question("what?", "ff" * 32)
ANSWER = Answer("a dog\u2028runs\x07", "said", SERVED, (("yes", -0.5), ("no", -1.5)), 100, 7, 0.25)


@pytest.mark.parametrize(
    "change",
    [
        lambda asked, served, sampling: (replace(asked, text="what else?"), served, sampling),
        lambda asked, served, sampling: (replace(asked, shown="ee" * 32), served, sampling),
        lambda asked, served, sampling: (replace(asked, form="jpeg side 224"), served, sampling),
        lambda asked, served, sampling: (replace(asked, is_video=True), served, sampling),
        lambda asked, served, sampling: (replace(asked, prompt=replace(PROMPT, version=2)), served, sampling),
        lambda asked, served, sampling: (replace(asked, prompt=replace(PROMPT, sha256="00" * 32)), served, sampling),
        lambda asked, served, sampling: (replace(asked, prompt=replace(PROMPT, name="other")), served, sampling),
        lambda asked, served, sampling: (asked, replace(served, model="other"), sampling),
        lambda asked, served, sampling: (asked, replace(served, fingerprint="fp_2"), sampling),
        lambda asked, served, sampling: (asked, served, replace(sampling, temperature=0.5)),
        lambda asked, served, sampling: (asked, served, replace(sampling, max_tokens=9)),
        lambda asked, served, sampling: (asked, served, replace(sampling, seed=1)),
        lambda asked, served, sampling: (asked, served, replace(sampling, alternatives=5)),
    ],
)
def test_a_changed_part_of_the_key_never_meets_an_old_answer(tmp_path, change):
    asked, served, sampling = change(ASKED, SERVED, Sampling())
    with KeptAnswers(tmp_path / "answers.sqlite") as kept:
        kept.keep(ASKED, Sampling(), ANSWER)

        assert kept.find(asked.key(served, sampling)) is None
        assert kept.find(ASKED.key(SERVED, Sampling())) == ANSWER


@settings(max_examples=30)
@given(
    text=st.text(),
    alternatives=st.lists(st.tuples(st.text(), st.floats(-1e4, 0.0)), max_size=3).map(tuple),
    how=st.sampled_from(["said", "cut off", "refused"]),
)
def test_what_is_kept_comes_back_from_another_process_s_file(tmp_path_factory, text, alternatives, how):
    path = tmp_path_factory.mktemp("kept") / "answers.sqlite"
    answer = Answer(text, how, SERVED, alternatives, 1, 2, 0.5)
    with KeptAnswers(path) as kept, KeptAnswers(path) as other:
        kept.keep(ASKED, Sampling(), answer)
        other.keep(ASKED, Sampling(), replace(answer, text="late"))  # another process was first
        found = other.find(ASKED.key(SERVED, Sampling()))
        (line,) = other.exported()

    assert found == answer
    assert json.loads(json.dumps(line))["answer"]["text"] == text
    assert line["prompt"][:2] == ["toy", 1]


def test_a_sentence_is_one_printable_line():
    assert ANSWER.sentence == "a dog runs"
    assert replace(ANSWER, how="refused").sentence == ""


def test_a_file_that_is_none_or_damaged_is_one_line(tmp_path):
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"no database at all, only text that is long enough to be looked at" * 20)
    with pytest.raises(InvalidData, match="is no file of answers"):
        KeptAnswers(path)
    with pytest.raises(MissingData, match=r"answers\.sqlite"):
        KeptAnswers(tmp_path / "none.sqlite", new=False)
    with pytest.raises(SaveError, match="another --output"):
        KeptAnswers(path / "below" / "answers.sqlite")


@pytest.mark.parametrize("text", ["{", "[]", '{"text": 1}', '{"alternatives": [["a", "nan"]], "how": "said"}'])
def test_an_answer_that_was_changed_by_hand_is_told(tmp_path, text):
    path = tmp_path / "answers.sqlite"
    with KeptAnswers(path) as kept:
        kept.keep(ASKED, Sampling(), ANSWER)
    with sqlite3.connect(path) as file:
        file.execute("UPDATE answers SET answer = ?", (text,))
    file.close()
    with KeptAnswers(path) as kept, pytest.raises(InvalidData, match="an answer that bench did not write"):
        kept.find(ASKED.key(SERVED, Sampling()))


def test_answers_of_a_later_bench_are_left_alone(tmp_path):
    path = tmp_path / "answers.sqlite"
    KeptAnswers(path).close()
    file = sqlite3.connect(path)
    file.execute("PRAGMA user_version=2")
    file.close()
    with pytest.raises(InvalidData, match="a later bench"):
        KeptAnswers(path)


def test_the_command_counts_and_exports_what_was_answered(bench_command):
    path = bench_command.folder / "runs" / "answers.sqlite"
    with KeptAnswers(path) as kept:
        kept.keep(ASKED, Sampling(), ANSWER)
        kept.keep(ASKED, Sampling(seed=1), replace(ANSWER, how="refused"))

    counted = bench_command("answers")
    bench_command("answers", path, "--export", "all.jsonl")
    lines = [json.loads(line) for line in (bench_command.folder / "all.jsonl").read_text().splitlines()]

    assert "toy-vlm  toy-1   refused  1" in counted.stdout
    assert [line["answer"]["how"] for line in lines] == ["said", "refused"]
    assert lines[0]["text"] == "what?"
    assert "never overwritten" in bench_command("answers", path, "--export", "all.jsonl", exit_code=1).stderr
    assert "none.sqlite" in bench_command("answers", "none.sqlite", exit_code=4).stderr


KEEPING = """
import sys
from pathlib import Path
from bench.endpoints import Answer, KeptAnswers, Prompt, Question, Sampling, Served
with KeptAnswers(Path(sys.argv[1])) as kept:
    for number in range(40):
        text = f"{sys.argv[2] if number % 2 else ''} {number}"
        question = Question(Prompt("toy", 1, "x", "00"), text)
        kept.keep(question, Sampling(), Answer("x", "said", Served("m")))
"""


def test_processes_that_begin_together_keep_in_one_file(tmp_path):
    path = tmp_path / "answers.sqlite"
    started = [
        subprocess.Popen([sys.executable, "-c", KEEPING, path, str(number)], stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    errors = [process.communicate(timeout=120)[1] for process in started]

    assert errors == [""] * 4
    with KeptAnswers(path) as kept:
        assert kept.counts().total() == 20 + 4 * 20
