"""`bench judge-captions`: grades of a server of ours that counts words, agreement with labels, and what is no grade."""

from __future__ import annotations

import json
import re

import pytest
from cli.test_captioning import Mine, values
from endpoints.chat_server import filtered, said, serving
from endpoints.conftest import KEY

LABELS = [
    {"caption": "a man runs", "references": ["a man runs"], "label": 4, "video": "v_1", "judge": "Ada"},
    {"caption": "a man runs", "references": ["a man runs"], "label": 5, "video": "v_1", "judge": "Bob"},
    {"caption": "a man sits", "references": ["a man runs"], "label": 3},
    {"caption": "nothing at all", "references": ["a man runs"], "label": 1},
]


def counting_words(request):
    """Grades by the share of the caption's words that occur in the first reference."""
    if request.is_hello:
        return said("yes")
    references, caption = re.findall(r"<<<\n(.*?)\n>>>", request.text, re.DOTALL)
    words = caption.split()
    known = [word for word in words if word in references.split("\n")[0].split()]
    return said(f" {100 * len(known) // max(1, len(words))}.\n")


@pytest.fixture(scope="module")
def mine(tmp_path_factory, bench_in):
    """Returns a folder with a run of captions; it is only read but for what the judge writes."""
    made = Mine(bench_in(tmp_path_factory.mktemp("judged")))
    made.record = made.run("Parrot", "mine-captioning")
    return made


@pytest.fixture
def judge(mine, monkeypatch):
    """Returns a function from what a server answers, and flags, to the server and what the command does."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    folder = mine.folder / "runs" / mine.record["run"]

    def command(answer, *flags, exit_code=0, anew=True):
        if anew:
            (mine.folder / "runs" / "answers.sqlite").unlink(missing_ok=True)
        with serving(answer) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            return server, mine("judge-captions", folder, "--model", "toy", *flags, exit_code=exit_code)

    return command


@pytest.mark.extra("api")
def test_captions_are_graded_once_and_agreement_with_people_stands_beside_it(mine, judge, tmp_path):
    labels = tmp_path / "labels.jsonl"
    labels.write_text("\n".join(map(json.dumps, LABELS)))
    server, done = judge(counting_words, "--labels", labels, "--price-in", "2", "--price-out", "10", "--json")
    told = json.loads(done.stdout)

    grades = [one["grade"] for one in told["grades"]]
    assert told["measurement"]["value"] == pytest.approx(sum(grades) / len(grades))
    assert told["measurement"]["n"] == len(grades) == 10
    assert told["measurement"]["ci95"][0] <= told["measurement"]["value"] <= told["measurement"]["ci95"][1]
    assert told["agreement"]["n"] == 3  # two labels of one caption are one
    assert told["agreement"]["tau"] == pytest.approx(1)
    asked = len(server.questions)
    assert told["spent"]["answers"] == asked
    assert told["spent"]["cost"] == pytest.approx(asked * (200 + 70) / 1e6)
    assert re.fullmatch(
        r"caption-judge/1\|run=.*\|captions=[0-9a-f]{8}\|protocol=corpus\|videos=all\|judge=toy-vlm\+fp_1"
        r"\|prompt=judge-caption-1:[0-9a-f]{8}\|sampling=temperature:0,tokens:16,seed:0\|answers=[0-9a-f]{8}",
        told["signature"],
    )
    folder = mine.folder / "runs" / mine.record["run"]
    (written,) = folder.glob("captions-judged-*.json")
    assert json.loads(written.read_text()) == told
    assert values(json.loads((folder / "result.json").read_text())) == values(mine.record)
    assert KEY not in written.read_text()
    again, same = judge(counting_words, "--labels", labels, "--json", anew=False)
    assert not again.questions
    assert json.loads(same.stdout)["grades"] == told["grades"]


@pytest.mark.extra("api")
def test_what_is_no_grade_is_counted_and_left_out(judge):
    odd = iter(["7 or 8", "120", "-5", "", "40 to 60"])

    def answer(request):
        graded = counting_words(request)
        return graded if request.is_hello or (word := next(odd, None)) is None else said(word)

    _, done = judge(answer)
    assert "no grade: 5 in other words; left out" in done.stdout
    assert "not measured, so nobody knows what the figure is worth" in done.stdout
    _, none = judge(lambda request: said("yes") if request.is_hello else said("fine"), exit_code=4)
    assert "the judge gave no grade: 10 answers are no whole number from 0 to 100, such as 'fine'" in none.stderr
    refusals = iter([filtered])
    _, refused = judge(lambda request: counting_words(request) if request.is_hello else next(refusals, said("80")))
    assert "1 refused; left out" in refused.stdout


@pytest.mark.extra("api")
def test_some_videos_are_drawn_by_their_digests(mine, judge):
    _, done = judge(counting_words, "--count", "2", "--json")
    told = json.loads(done.stdout)
    assert len({one["video"] for one in told["grades"]}) == 2
    assert "|videos=2|" in told["signature"]


@pytest.mark.parametrize("flags", [("--max-tokens", "0"), ("--price-in", "-1"), ("--price-out", "-0.5")])
def test_no_tokens_and_money_to_be_had_are_refused(mine, flags):
    said = mine("judge-captions", "runs/none", "--model", "toy", *flags, exit_code=2).stderr
    assert f"Invalid value for '{flags[0]}'" in said


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"caption": "a"}', "expected caption, references and label"),
        ('{"caption": "a", "references": [], "label": 1}', "references are a list of one text or more"),
        ('{"caption": "a", "references": ["b"], "label": true}', "the label is a number"),
        ('{"caption": "a", "references": ["b"], "label": 1e999}', "the label is a number"),
        ('{"caption": "a", "references": ["b"], "label": 1, "score": 2}', "expected caption, references and label"),
        ("[", "is not a file of labels"),
        ("", "no label"),
    ],
)
def test_files_of_labels_that_cannot_be_used_say_why(mine, tmp_path, line, words):
    (tmp_path / "labels.jsonl").write_text(line)
    folder = mine.folder / "runs" / mine.record["run"]
    done = mine("judge-captions", folder, "--model", "toy", "--labels", tmp_path / "labels.jsonl", exit_code=4)
    assert words in done.stderr
