"""An endpoint of our own on this machine: it answers by a function, fails as it is told, and remembers all."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "toy-vlm"


def said(text, *, alternatives=(), finish="stop", refusal=None, fingerprint="fp_1"):
    """Returns a chat completion as JSON."""
    tokens = [{"token": token, "logprob": value} for token, value in alternatives]
    choice = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": text, "refusal": refusal},
        "logprobs": {"content": [{**tokens[0], "top_logprobs": tokens}]} if tokens else None,
    }
    usage = {"prompt_tokens": 100, "completion_tokens": 7}
    return {"model": MODEL, "system_fingerprint": fingerprint, "choices": [choice], "usage": usage}


class Request:
    """What was asked: the text, how many pictures beside it, and the body."""

    def __init__(self, body, headers):
        self.body, self.headers = body, headers
        parts = body["messages"][0]["content"]
        self.text = "".join(part["text"] for part in parts if part["type"] == "text")
        self.pictures = [part for part in parts if part["type"] == "image_url"]
        self.videos = [part for part in parts if part["type"] == "video_url"]
        self.is_hello = self.text.startswith("Answer with the word yes")


class ChatServer(ThreadingHTTPServer):
    """Answers `POST /v1/chat/completions` with `answer(request)`: JSON, or a fault (see `Handler`)."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.lock = threading.Lock()
        self.requests = []
        self.given = Counter()
        self.answered = []
        self.over = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def questions(self):
        """What was asked beside the greeting."""
        return [request for request in self.requests if not request.is_hello]

    def handle_error(self, request, client_address):
        """Says nothing of clients that were killed or gave up."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request(json.loads(body), dict(self.headers))
        with self.server.lock:
            self.server.requests.append(request)
        answer = self.server.answer(request)
        if callable(answer):
            answer(self)
            return
        self.send_json(200, answer)
        with self.server.lock:
            self.server.given[request.text] += 1
            if not request.is_hello:
                self.server.answered.append(request)

    def send_json(self, status, value, **headers):
        content = json.dumps(value).encode()
        self.send_bytes(status, content, len(content), **headers)

    def send_bytes(self, status, content, length, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        """Says nothing."""


def limited(after=None):
    """429, with or without `Retry-After`."""
    headers = {} if after is None else {"Retry_After": after}
    return lambda handler: handler.send_json(429, {"error": {"message": "slow down", "code": "rate_limit"}}, **headers)


def broken(handler):
    """500 with a page in place of JSON."""
    handler.send_bytes(500, b"<h1>Internal Server Error</h1>", 30)


def hanging(handler):
    """Takes the request and never answers."""
    handler.server.over.wait(30)
    handler.close_connection = True


def half(handler):
    """Promises a whole answer, sends a half, and hangs up."""
    content = json.dumps(said("a whole answer")).encode()
    handler.send_bytes(200, content[: len(content) // 2], len(content))
    handler.close_connection = True


def wrong_json(handler):
    """200 with half of a JSON text, complete as HTTP."""
    handler.send_bytes(200, b'{"choices": [{"mess', 19)


def other_json(handler):
    """200 with JSON that is no chat completion."""
    handler.send_json(200, {"choices": [], "detail": "busy"})


def dripping(handler):
    """Sends a byte now and then: no single read ever takes long."""
    content = json.dumps(said("late")).encode()
    handler.send_bytes(200, b"", len(content))
    for byte in content:
        if handler.server.over.wait(0.02):
            break
        handler.wfile.write(bytes([byte]))
    handler.close_connection = True


def filtered(handler):
    """400 as Azure and OpenAI refuse."""
    handler.send_json(400, {"error": {"message": "the content was filtered", "code": "content_filter"}})


def failing(status, message, code=""):
    """Any status with a message."""
    return lambda handler: handler.send_json(status, {"error": {"message": message, "code": code}})


@contextmanager
def serving(answer):
    """Runs a server while the block runs."""
    server = ChatServer(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def wait_until(condition, seconds=60.0):
    """Returns once a condition holds; fails after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
