"""A real server, `transformers serve`, with a tiny model, asked about real clips; the same weights in this process."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from endpoints import chat_server
from endpoints.chat_server import serving, wait_until
from PIL import Image
from plugins.tiny_vlm import make

pytestmark = pytest.mark.extra("serve")

CLIPS = 24
CONFIG = """
version: 1
datasets:
  msvd:
    reader: captions
    root: .
    features: frames
    segments: none
    captions: each
    splits: {{test: {{file: captions.json}}}}
features:
  frames: {{videos: '{videos}', id: '{{id}}.avi', encoder: thumbnails, sampler: linspace-round frames=4}}
"""
ASKED = ("run", "-m", "video-llm", "-t", "msvd-captioning", "--set", "max_tokens=8", "--set", "side=64")


def posted(url, body):
    """Returns what a server answers, whatever proxies the environment names."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as reply:
        return json.load(reply)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Returns the folder of a tiny model."""
    folder = tmp_path_factory.mktemp("served") / "tiny"
    make(folder)
    return folder


@pytest.fixture(scope="module")
def real_server(tiny):
    """Returns the address of `transformers serve`, which loads the tiny model from the folder it runs in."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = ["serve", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    command = [sys.executable, "-m", "transformers.cli.transformers", *program]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (tiny.parent / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=tiny.parent, stdout=log, stderr=log, env=environment)
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        hello = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}

        def is_up():
            assert server.poll() is None, (tiny.parent / "server.log").read_text()[-2000:]
            try:
                return bool(posted(url, hello))
            except OSError:
                return False

        try:
            wait_until(is_up, 180)
            yield url
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture
def clips(bench_command, shared, monkeypatch):
    """Returns the command in a folder that declares 24 clips of MSVD, their features made."""
    folder = shared("data/msvd_clips")
    (bench_command.folder / "bench.yaml").write_text(CONFIG.format(videos=folder))
    captions = json.loads((folder / "captions.json").read_text())
    there = {path.stem for path in folder.glob("*.avi")}
    told = {video_id: sentences[:3] for video_id, sentences in captions.items() if video_id in there}
    assert len(told) == CLIPS
    (bench_command.folder / "captions.json").write_text(json.dumps(told))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    bench_command("features", "extract", "frames", "--jobs", "2")
    return bench_command


@pytest.mark.slow
def test_real_clips_are_captioned_by_a_real_server_killed_twice_resumed_and_asked_once(
    clips, real_server, tiny, monkeypatch
):
    """What stands between counts: each clip reaches the server once; in this process the same weights say the same."""
    proxy_waits = threading.Event()
    proxy_waits.set()

    def forwarded(request):
        if not request.is_hello and server.until is not None and len(server.answered) >= server.until:
            with server.lock:
                server.held += 1
            proxy_waits.wait(60)
            return chat_server.broken
        return posted(real_server, request.body)

    with serving(forwarded) as server:
        server.until, server.held = None, 0
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        asked = (*ASKED, "--set", "model=tiny", "--set", "at_once=2")
        for until in (8, 16):
            server.until, server.held = until, 0
            proxy_waits.clear()
            process = clips.start(*asked)
            wait_until(lambda: server.held >= 2, 240)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
            proxy_waits.set()
        server.until = None
        (resumed,) = json.loads(clips(*asked, "--json").stdout)
        pictures = [tuple(one["image_url"]["url"] for one in request.pictures) for request in server.answered]
        (again,) = json.loads(clips(*asked, "--json", "--output", "undisturbed").stdout)
        (scored,) = json.loads(
            clips(
                "run", "-m", "video-llm", "-t", "msvd-retrieval", "--set", "model=tiny", "--limit", "2", "--json"
            ).stdout
        )
    (local,) = json.loads(clips(*ASKED, "--set", f"repository={tiny}", "--json", "--output", "local").stdout)

    assert len(pictures) == len(set(pictures)) == CLIPS
    assert {len(shown) for shown in pictures} == {4}
    for part in ("measurements", "signature", "data"):
        assert resumed[part] == again[part]
    assert f"{CLIPS} answers, 0 refused" in "\n".join(resumed["data"]["remarks"])
    assert "no probabilities were given" in "\n".join(scored["data"]["remarks"])
    said = [next(Path(clips.folder, folder).glob("*captioning*/predictions.jsonl")) for folder in ("runs", "local")]
    assert said[0].read_text() == said[1].read_text()
    assert "LlavaForConditionalGeneration@" in "\n".join(local["data"]["remarks"])


def test_a_whole_video_needs_torchcodec_at_this_server_for_a_model_without_ears_too(real_server, tiny, shared):
    """It takes the sound out of every video first: docs/video-llms.md says so, and so does the command."""
    clip = next(shared("data/msvd_clips").glob("*.avi")).read_bytes()
    url = f"data:video/mp4;base64,{base64.b64encode(clip).decode()}"
    content = [{"type": "video_url", "video_url": {"url": url}}, {"type": "text", "text": "what?"}]
    with pytest.raises(urllib.error.HTTPError, match="500") as refused:
        posted(real_server, {"model": "tiny", "messages": [{"role": "user", "content": content}], "max_tokens": 2})
    refused.value.close()
    log = tiny.parent / "server.log"  # which is written after the reply
    wait_until(lambda: "Loading audio from this source needs torchcodec" in log.read_text(), 30)


def paint(path, colours):
    """Writes a video of one second in each colour, at ten frames a second."""
    import av
    import numpy as np

    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=10, options={"qscale": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for colour in colours:
            for _ in range(10):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), colour, dtype=np.uint8), format="rgb24")
                file.mux(stream.encode(frame))
        file.mux(stream.encode())


def test_each_segment_is_asked_about_by_its_own_frames_in_order(bench_command, monkeypatch):
    """A video of three seconds in three greys; what is seen of a segment is its greys, and nothing of the others."""
    import numpy as np

    folder = bench_command.folder
    (folder / "videos").mkdir()
    for number in range(2):
        paint(folder / "videos" / f"v_{number}.mp4", (20 + 10 * number, 120 + 10 * number, 220 + 10 * number))
    told = {"duration": 3.0, "timestamps": [[0, 0.9], [1.0, 2.9]], "sentences": ["one", "two"]}
    (folder / "captions.json").write_text(json.dumps({f"v_{number}": told for number in range(2)}))
    (folder / "bench.yaml").write_text(
        "version: 1\n"
        "datasets: {greys: {reader: activitynet, root: ., features: frames,\n"
        "  splits: {test: {file: captions.json}}}}\n"
        "features: {frames: {videos: videos, encoder: thumbnails, sampler: fps=5}}\n"
    )

    def greys(request):
        if request.is_hello:
            return chat_server.said("yes")
        means = []
        for part in request.pictures:
            jpeg = base64.b64decode(part["image_url"]["url"].partition(",")[2])
            means.append(round(float(np.asarray(Image.open(io.BytesIO(jpeg))).mean()) / 10))
        return chat_server.said(" ".join(map(str, means)))

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    bench_command("features", "extract", "frames", "--jobs", "1")
    with serving(greys) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        for task in ("greys-captioning", "greys-paragraph-captioning"):
            bench_command("run", "-m", "video-llm", "-t", task, "--set", "model=m")
    lines = [
        json.loads(line)["sentences"]
        for line in next(folder.glob("runs/*--greys-captioning--*/predictions.jsonl")).read_text().splitlines()[1:]
    ]
    first, second = sorted(lines)
    assert len(server.questions) == 4  # the paragraph asks what was answered
    for number, (early, late) in enumerate((first, second)):
        assert set(early.split()) <= {str(2 + number), str(12 + number)}
        assert early.split()[0] == str(2 + number)
        assert set(late.split()) == {str(12 + number), str(22 + number)}
        assert late.split() == sorted(late.split(), key=int)
