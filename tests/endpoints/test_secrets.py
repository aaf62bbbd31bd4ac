"""A key is sent to its endpoint and reaches nothing else; addresses with secrets are refused."""

import logging
from contextlib import closing
from pathlib import Path

import pytest
from endpoints import chat_server
from endpoints.chat_server import said
from endpoints.conftest import KEY, nothing, question

from bench.endpoints.address import address_of
from bench.endpoints.client import Endpoint
from bench.errors import UsageError

pytestmark = pytest.mark.extra("api")


def test_an_endpoint_that_repeats_the_key_does_not_spread_it(asking, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)

    def answer(request):
        if request.text == "bad":
            return chat_server.failing(400, f"your key {KEY} is bad")
        return said(f"your key is {KEY}", fingerprint=KEY, alternatives=[("yes", -0.1)])

    server, asker = asking(answer)
    answers = asker.answers([question("good")], nothing)
    with pytest.raises(Exception, match="your key") as raised:
        asker.answers([question("bad")], nothing)

    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    seen = [str(answers), str(raised.value), caplog.text, repr(asker.tally), repr(address_of("openai"))]
    kept = [path.read_bytes().decode(errors="replace") for path in Path(tmp_path).iterdir()]
    assert kept
    assert not [text for text in [*seen, *kept] if KEY in text]


def test_a_server_without_keys_is_sent_none(asking, monkeypatch):
    server, _ = asking(lambda request: said("yes"))
    monkeypatch.setenv("LAB_BASE_URL", server.url)
    with closing(Endpoint(address_of("lab"), "toy-vlm")) as lab:
        lab.hello(0)

    assert "Authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "http://me:secret@host/v1",
        "http://host/v1?key=secret",
        "ftp://host",
        "host/v1",
        "http://[::1/v1",
        "http://h:99999/",
    ],
)
def test_an_address_that_is_none_or_could_hold_a_secret_is_refused_without_repeating_it(monkeypatch, url):
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(UsageError, match="OPENAI_BASE_URL is no plain address") as raised:
        address_of("openai")
    assert "secret" not in str(raised.value)


def test_an_endpoint_of_another_name_says_which_variables_it_needs(monkeypatch):
    with pytest.raises(UsageError, match="Set MY_LAB_BASE_URL, such as http"):
        address_of("my-lab")
    monkeypatch.setenv("MY_LAB_BASE_URL", "http://lab:8000/v1/")
    assert address_of("my-lab").url == "http://lab:8000/v1"


def test_a_key_with_a_line_break_is_refused_without_repeating_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one\nsk-two")
    with pytest.raises(UsageError, match="OPENAI_API_KEY holds white space") as raised:
        address_of("openai")
    assert "sk-" not in str(raised.value)
