"""`video-llm` on coloured pictures, behind a server of ours that sees: captions, pairs, classes, killed, resumed."""

from __future__ import annotations

import base64
import io
import json
import re
import signal
import threading

import numpy as np
import pytest
from endpoints import chat_server
from endpoints.chat_server import MODEL, said, serving, wait_until
from endpoints.conftest import KEY
from PIL import Image

pytestmark = pytest.mark.extra("api")

NAMES = """
black navy blue green teal azure lime mint cyan maroon purple violet olive grey slate leaf moss sky
red rose pink orange coral orchid yellow cream white
"""
COLOURS = {
    name: tuple(40 + 90 * ((number // 3**place) % 3) for place in range(3)) for number, name in enumerate(NAMES.split())
}
"""27 colours that a JPEG does not blur into one another."""
CONFIG = """
version: 1
datasets:
  mine:
    reader: captions
    root: .
    features: frames
    segments: none
    captions: each
    splits: {test: {file: captions.json}}
    labels: labels.csv
features:
  frames: {videos: videos, encoder: thumbnails, sampler: frames=1}
"""


def colour_in(request):
    """Returns the colour of the one picture of a request, and its size."""
    url = request.pictures[0]["image_url"]["url"]
    picture = Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/jpeg;base64,"))))
    mean = np.asarray(picture).mean(axis=(0, 1))
    return min(COLOURS, key=lambda name: float(np.abs(np.array(COLOURS[name]) - mean).sum())), picture.size


def seeing(request):
    """Answers as a model that sees colours and nothing else."""
    if request.is_hello:
        return said("yes", alternatives=[("yes", -0.1)])
    seen, _ = colour_in(request)
    if text := re.search(r"Here is a text:\n\n(.*)\n\nDoes", request.text):
        right = seen in text[1].split()
        yes, no = (-0.05, -3.0) if right else (-4.0, -0.02)
        return said("Yes" if right else "No", alternatives=[("Yes", yes), ("No", no), (" yes", yes - 2)])
    if options := re.findall(r"^([A-T])\. (.*)$", request.text, re.MULTILINE):
        letter = next((letter for letter, name in options if name == seen), "A")
        others = [(other, -5.0) for other, _ in options if other != letter]
        return said(letter, alternatives=[(letter, -0.1), *others])
    return said(f" A plain {seen}\u2028picture.\n")


@pytest.fixture
def coloured(bench_command, monkeypatch):
    """Returns the command in a folder of 27 pictures with captions, classes and features that cost nothing."""
    folder = bench_command.folder
    (folder / "bench.yaml").write_text(CONFIG)
    (folder / "videos").mkdir()
    for name, rgb in COLOURS.items():
        Image.new("RGB", (64, 48), rgb).save(folder / "videos" / f"v_{name}.png")
    (folder / "captions.json").write_text(json.dumps({f"v_{name}": [f"a plain {name} picture"] for name in COLOURS}))
    rows = [f"v_{name},test,{name}" for name in COLOURS]
    (folder / "labels.csv").write_text("\n".join(["video_id,subset,labels", *rows]))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    bench_command("features", "extract", "frames", "--jobs", "1")
    return bench_command


@pytest.fixture
def serve(monkeypatch):
    """Returns a function from an answer function to a running server that the environment names."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(answer):
            server = stack.enter_context(serving(answer))
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            return server

        yield start


def run(command, task, *flags):
    (record,) = json.loads(
        command("run", "-m", "video-llm", "-t", task, "--set", f"model={MODEL}", *flags, "--json").stdout
    )
    return record, {measured["name"]: measured["value"] for measured in record["measurements"]}


def test_one_model_captions_ranks_and_classifies_and_no_file_holds_the_key(coloured, serve):
    server = serve(seeing)

    record, captioned = run(coloured, "mine-captioning", "--set", "price_in=2", "--set", "price_out=10")
    _, ranked = run(coloured, "mine-retrieval")
    classes, classified = run(coloured, "mine-zero-shot")

    assert captioned["BLEU@4"] == pytest.approx(100)
    assert ranked["t2v/R@1"] == 100
    assert classified["top1"] == 100
    count = len(COLOURS)
    remarks = "\n".join(record["data"]["remarks"])
    assert f"{count} answers, 0 refused, 0 cut off; {100 * count:,} tokens in, {7 * count:,} out" in remarks
    assert f"cost {count * (200 + 70) / 1e6:.4f}" in remarks
    assert f"answered by {MODEL} fp_1 {count}" in remarks
    spent = record["provenance"]["spent"]
    assert (spent["tokens_in"], spent["tokens_out"]) == (100 * count, 7 * count)
    assert spent["cost"] == pytest.approx(count * (200 + 70) / 1e6)
    assert classes["provenance"]["spent"]["cost"] is None  # nobody said a price
    assert "prompts caption-1:" in record["model"]["fingerprint"]
    assert "|weights=" in record["signature"]
    assert "another order changed the first class of 0.0 % of the videos" in "\n".join(classes["data"]["remarks"])
    assert {colour_in(request)[1] for request in server.questions} == {(64, 48)}
    assert len({(request.text, request.pictures[0]["image_url"]["url"]) for request in server.questions}) == len(
        server.questions
    )
    held = [path.read_bytes() for path in coloured.folder.rglob("*") if path.is_file()]
    assert not [content for content in held if KEY.encode() in content]


def test_pictures_are_made_small_before_they_are_sent(coloured, serve):
    server = serve(seeing)
    run(coloured, "mine-captioning", "--limit", "2", "--set", "side=32")
    assert {colour_in(request)[1] for request in server.questions} == {(32, 24)}


def test_a_biased_model_changes_its_mind_with_the_order_and_the_report_says_so(coloured, serve):
    """It answers with the first option, whatever is shown: as good as chance, and the record says why."""

    def first(request):
        if request.is_hello:
            return said("yes", alternatives=[("yes", -0.1)])
        letters = re.findall(r"^([A-T])\. ", request.text, re.MULTILINE)
        return said("A", alternatives=[(letter, -0.1 if letter == "A" else -6.0) for letter in letters])

    serve(first)
    record, classified = run(coloured, "mine-zero-shot", "--set", "options=9", "--set", "orders=3")

    remarks = "\n".join(record["data"]["remarks"])
    bias = re.search(r"position bias ([\d.]+) %: place 1 was answered in 100.0 % of (\d+) questions", remarks)
    changed = re.search(r"another order changed the first class of ([\d.]+) % of the videos", remarks)
    assert bias is not None
    assert float(bias[1]) > 60
    assert int(bias[2]) == 27 * 3 * 4  # three questions of nine, and their winners
    assert changed is not None
    assert float(changed[1]) > 80
    assert classified["top1"] < 30


def test_a_list_is_ranked_again_and_its_ceiling_stands_beside_it(coloured, serve):
    coloured("run", "-m", "random", "-t", "mine-retrieval")
    (predictions,) = coloured.folder.glob("runs/random*/predictions.safetensors")
    listed = json.loads(next(coloured.folder.glob("runs/random*/result.json")).read_text())
    ceiling = next(m["value"] for m in listed["measurements"] if m["name"] == "t2v/R@10")
    server = serve(seeing)

    record, ranked = run(coloured, "mine-retrieval", "--set", f"list={predictions}", "--set", "best=10")

    assert 0 < ceiling < 100
    assert ranked["t2v/R@1"] == ranked["t2v/R@10"] == pytest.approx(ceiling)
    assert len(server.questions) == 10 * len(COLOURS)
    assert "t2v/R@10 is the list's own" in "\n".join(record["data"]["remarks"])


def test_features_that_bench_did_not_make_from_videos_have_no_frames_to_look_at(bench_command):
    done = bench_command("run", "-m", "video-llm", "-t", "anet-retrieval", "--set", "model=x", exit_code=3)
    assert "video-llm' looks at frames, and features 'sample' of dataset 'anet' were not made of single" in done.stderr


def test_without_probabilities_the_word_counts_and_ties_are_said(coloured, serve):
    def wordy(request):
        if "logprobs" in request.body:
            return chat_server.failing(400, "logprobs are not supported")
        answer = seeing(request)
        answer["choices"][0]["logprobs"] = None
        return answer

    serve(wordy)
    record, ranked = run(coloured, "mine-retrieval")
    assert ranked["t2v/R@1"] == 100
    assert "no probabilities were given" in "\n".join(record["data"]["remarks"])


def test_refused_and_cut_off_answers_are_kept_as_such_and_counted(coloured, serve):
    def squeamish(request):
        if request.is_hello:
            return said("yes")
        seen, _ = colour_in(request)
        if seen in ("red", "rose"):
            return said(None, refusal="I would rather not.")
        return said(f"a {seen} pic", finish="length" if seen == "blue" else "stop")

    serve(squeamish)
    record, _ = run(coloured, "mine-captioning")
    assert "27 answers, 2 refused, 1 cut off" in "\n".join(record["data"]["remarks"])
    lines = next(coloured.folder.glob("runs/*/predictions.jsonl")).read_text().splitlines()[1:]
    assert sum(json.loads(line)["sentences"] == [""] for line in lines) == 2
    assert "refused  2" in " ".join(coloured("answers").stdout.split(" ")).replace("   ", "  ")


def test_another_build_of_the_model_never_meets_the_answers_of_the_one_before(coloured, serve):
    server = serve(seeing)
    run(coloured, "mine-captioning")
    asked = len(server.questions)
    run(coloured, "mine-captioning", "--no-resume")
    same = len(server.questions)

    def other(request):
        return {**seeing(request), "system_fingerprint": "fp_2"}

    server.answer = other
    record, _ = run(coloured, "mine-captioning", "--no-resume")

    assert (asked, same, len(server.questions)) == (27, 27, 54)
    assert f"answered by {MODEL} fp_2 27" in "\n".join(record["data"]["remarks"])


def test_a_run_that_was_stopped_and_killed_asks_every_clip_once_and_its_record_is_the_same(coloured, serve):
    """Stopped by Ctrl-C while answers are under way: they come, and are kept. Killed while none is: nothing is lost."""
    server = serve(seeing)
    whole, _ = run(coloured, "mine-captioning", "--output", "undisturbed")
    server.requests.clear()
    server.answered.clear()
    arguments = ("run", "-m", "video-llm", "-t", "mine-captioning", "--set", f"model={MODEL}", "--set", "at_once=3")
    ended = []
    for number, end in ((8, signal.SIGINT), (16, signal.SIGKILL)):

        def late(request, number=number, end=end):
            if not request.is_hello and len(server.questions) > number:
                with server.lock:
                    server.held += 1
                server.waiting.wait(0.4 if end is signal.SIGINT else 30)
                if end is signal.SIGKILL:
                    return chat_server.broken
            return seeing(request)

        server.waiting, server.held = threading.Event(), 0
        server.answer = late
        process = coloured.start(*arguments)
        wait_until(lambda: server.held == 3)  # as many as are asked at once: what came before is kept
        process.send_signal(end)
        if end is signal.SIGKILL:
            process.wait(60)
            server.waiting.set()
        _, err = process.communicate(timeout=60)
        ended.append((process.returncode, err))
    server.answer = seeing
    resumed, _ = run(coloured, "mine-captioning", "--set", "at_once=3")

    assert ended[0][0] == 130
    assert "Traceback" not in ended[0][1]
    for part in ("measurements", "signature"):
        assert resumed[part] == whole[part]
    assert resumed["data"]["remarks"] == whole["data"]["remarks"]
    pictures = [request.pictures[0]["image_url"]["url"] for request in server.answered]
    assert len(pictures) == len(set(pictures)) == 27


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        ((), 2, "name one of them"),
        (("--set", "model=a", "--set", "repository=./videos"), 2, "name one of them"),
        (("--set", "model=a", "--set", "endpoint=lab"), 2, "Set LAB_BASE_URL"),
        (("--set", "model=a", "--set", "caption_prompt=captions.json"), 4, "is no prompt"),
        (("--set", "model=a", "--set", "options=1"), 2, "not allowed"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_is(coloured, flags, code, told):
    done = coloured("run", "-m", "video-llm", "-t", "mine-captioning", *flags, exit_code=code)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_video_that_changed_since_its_features_were_made_is_told(coloured, serve):
    serve(seeing)
    Image.new("RGB", (64, 48), (1, 2, 3)).save(coloured.folder / "videos" / "v_red.png")
    done = coloured("run", "-m", "video-llm", "-t", "mine-captioning", "--set", f"model={MODEL}", exit_code=4)
    assert "shows other frames than its features were made of" in done.stderr


def test_a_whole_file_is_sent_where_that_is_asked_for(coloured, serve):
    def watching(request):
        return said("yes") if request.is_hello else said(f"a file of {len(request.videos[0]['video_url']['url'])}")

    server = serve(watching)
    record, _ = run(coloured, "mine-captioning", "--set", "send=video")
    assert len(server.questions) == len(COLOURS)
    assert "videos were sent whole (`video_url`), and the server took the frames" in "\n".join(
        record["data"]["remarks"]
    )
