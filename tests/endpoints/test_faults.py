"""An endpoint that fails in every way: nothing lost, nothing asked again after success, costs right."""

from collections import Counter

import pytest
from endpoints import chat_server
from endpoints.chat_server import said
from endpoints.conftest import PROMPT, nothing, question

from bench.endpoints import Question
from bench.errors import ToolError, UsageError

pytestmark = pytest.mark.extra("api")

FAULTS = (
    *(chat_server.limited("1"), chat_server.limited(), chat_server.broken),
    *(chat_server.half, chat_server.wrong_json, chat_server.other_json),
)
LONG = {101: chat_server.hanging, 202: chat_server.dripping, 303: chat_server.hanging, 404: chat_server.dripping}
QUESTIONS = 1000


def faulty():
    """Returns an answer function that fails each question once or twice before it answers; some are refused."""
    tries = Counter()

    def answer(request):
        if request.is_hello:
            return said("yes")
        number = int(request.text)
        tries[number] += 1
        if tries[number] <= 1 + number % 2:
            return LONG.get(number) or FAULTS[(number // 2 + tries[number]) % len(FAULTS)]
        if number % 10 == 3:
            return said(None, refusal="I will not look at that.")
        if number % 10 == 4:
            return chat_server.filtered
        return said(f"answer {number}", finish="length" if number % 10 == 5 else "stop")

    return answer


def test_of_a_thousand_questions_to_a_failing_endpoint_none_is_lost_and_none_is_asked_again(asking):
    server, asker = asking(faulty(), seconds=4.0, at_once=16)
    questions = [question(str(number)) for number in range(QUESTIONS)]

    answers = asker.answers(questions, nothing)
    asked = len(server.requests)
    again = asker.answers(questions, nothing)

    tenth = QUESTIONS // 10
    assert [answer.text for answer in answers if answer.how == "said"] == [
        f"answer {number}" for number in range(QUESTIONS) if number % 10 not in (3, 4, 5)
    ]
    assert asker.tally.hows == {"said": 7 * tenth, "refused": 2 * tenth, "cut off": tenth}
    assert max(server.given.values()) == 1
    assert again == answers
    assert len(server.requests) == asked
    billed = 9 * tenth  # a refusal by status has no tokens
    assert (asker.tally.tokens_in, asker.tally.tokens_out) == (100 * billed, 7 * billed)
    assert asker.tally.cost(2.5, 10.0) == pytest.approx(billed * (100 * 2.5 + 7 * 10) / 1e6)


def test_an_endpoint_that_says_how_long_to_wait_is_waited_for(asking):
    answers = iter([chat_server.limited("17"), said("yes")])
    server, asker = asking(lambda request: next(answers))

    assert asker.served.model == chat_server.MODEL
    assert server.waits == [17.0]


def test_a_wait_without_a_word_doubles_with_chance(asking):
    answers = iter([chat_server.broken, chat_server.broken, chat_server.broken, said("yes")])
    server, asker = asking(lambda request: next(answers))

    assert asker.served.model == chat_server.MODEL
    assert len(server.waits) == 3
    assert all(0 <= waited <= 2 * 2**number for number, waited in enumerate(server.waits))


@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [
        (chat_server.limited("86400"), ToolError, "asks to wait for 86,400 s"),
        (chat_server.broken, ToolError, "no answer in 3 tries, the last: 500"),
        (chat_server.failing(401, "Incorrect API key: {key}"), UsageError, "takes no such key"),
        (chat_server.failing(404, "no such model"), UsageError, "has no such model"),
        (chat_server.failing(429, "no money", "insufficient_quota"), ToolError, "no money"),
        (chat_server.failing(400, "too many pictures"), ToolError, "400: too many pictures"),
        (lambda handler: handler.send_json(500, "overloaded"), ToolError, "the last: 500: overloaded"),
        (lambda handler: handler.send_json(400, ["too long"]), ToolError, "400: .*too long"),
        (lambda handler: handler.send_json(401, 7), UsageError, "takes no such key"),
    ],
)
def test_what_no_other_try_mends_is_told_in_one_line(asking, fault, error, told):
    _, asker = asking(lambda request: said("yes") if request.is_hello else fault, tries=3)

    with pytest.raises(error, match=told) as raised:
        asker.answers([question("1")], nothing)
    assert "\n" not in str(raised.value)


def film(text):
    return Question(PROMPT, text, "cd" * 32, "file as it is", is_video=True)


def films(questions):
    return ((b"a film",) for _ in questions)


def test_a_server_that_says_the_same_of_the_first_video_twice_is_sent_no_other(asking):
    fault = chat_server.failing(500, "The best audio stream is unknown")
    server, asker = asking(lambda request: said("yes") if request.is_hello else fault)

    with pytest.raises(ToolError, match=r"said twice of the first one, 500: The best audio stream.*send=frames"):
        asker.answers([film(str(number)) for number in range(8)], films)
    assert [request.text for request in server.questions] == ["0", "0"]


def test_a_server_that_answered_one_video_is_asked_again_like_any_other(asking):
    asked = Counter()

    def answer(request):
        asked[request.text] += 1
        well = request.is_hello or request.text == "0" or asked[request.text] > 3
        return said("yes") if well else chat_server.failing(500, "out of memory")

    _, asker = asking(answer)
    asker.answers([film(str(number)) for number in range(3)], films)
    assert asked["1"] == asked["2"] == 4


def test_a_failure_keeps_what_the_others_were_answered(asking):
    def answer(request):
        if request.text == "7":
            return chat_server.failing(400, "no")
        return said("yes")

    server, asker = asking(answer, at_once=4)
    with pytest.raises(ToolError):
        asker.answers([question(str(number)) for number in range(8)], nothing)
    before = server.given.copy()
    server.answer = lambda request: said("yes")
    asker.answers([question(str(number)) for number in range(8)], nothing)

    assert before["0"] == 1
    assert all(server.given[text] == count for text, count in before.items() if not text.startswith("Answer"))


def test_a_model_that_knows_the_newer_name_of_the_limit_is_asked_by_it(asking):
    def answer(request):
        if "max_tokens" in request.body:
            return chat_server.failing(400, "use max_completion_tokens instead of max_tokens")
        return said("yes")

    server, asker = asking(answer)
    asker.answers([question("1")], nothing)

    assert server.questions[-1].body["max_completion_tokens"] == 128
