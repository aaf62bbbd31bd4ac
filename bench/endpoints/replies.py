"""What an endpoint sends back, read without trust: an answer, or why there is none and whether to ask again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bench.endpoints.address import Address
from bench.endpoints.questions import Answer, How, Served
from bench.errors import BenchError, ToolError, UsageError

LARGEST = 8 << 20
"""Bytes of a reply. An answer of a few hundred tokens with its alternatives has some 100 kB."""
LONGEST_TEXT = 100_000
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses after which the same question may be answered."""
FILTERED = ("content_filter", "content_policy_violation", "content_policy")
SPENT = ("insufficient_quota", "billing_hard_limit_reached")


class AskAgain(Exception):
    """No answer yet: why, without a key, and after how many seconds to ask again where the endpoint says so.

    Attributes:
        is_its_own: whether the server itself failed (500), of which nobody knows whether it passes.
    """

    def __init__(self, reason: str, after: float | None = None, *, is_its_own: bool = False) -> None:
        super().__init__(reason)
        self.after, self.is_its_own = after, is_its_own


def answer_in(address: Address, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Returns the answer in a reply.

    Raises: AskAgain where another try may help; UsageError, ToolError where none does.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if status != 200:
        return _refused(address, status, said, _wait(headers))
    try:
        choice = said["choices"][0]
        message = choice["message"]
        answer = _answer(address, said, choice, message)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
        raise AskAgain("its reply is no chat completion") from None
    return answer


def _answer(address: Address, said: Any, choice: Any, message: Any) -> Answer:
    """Returns the answer in a whole reply. Raises: KeyError, TypeError and the like for a reply of another form."""
    text, refusal = message.get("content"), message.get("refusal")
    if isinstance(text, list):  # some servers answer in parts
        text = "".join(part["text"] for part in text if part.get("type") == "text")
    finish = choice.get("finish_reason")
    if not isinstance(text, str) and not refusal and finish not in FILTERED:
        raise TypeError("no text")
    ended: How = "cut off" if finish == "length" else "said"
    how: How = "refused" if refusal or finish in FILTERED else ended
    usage = said.get("usage") or {}
    return Answer(
        text=_whole(address, str(refusal or text or "")),
        how=how,
        served=served_by(address, said),
        alternatives=_alternatives(choice),
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
    )


def served_by(address: Address, said: Mapping[str, Any]) -> Served:
    """Returns which build of which model a reply is from, as it says itself."""
    model, fingerprint = said.get("model"), said.get("system_fingerprint")
    return Served(address.clean(str(model or ""))[:200], address.clean(str(fingerprint or ""))[:200])


def _alternatives(choice: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """Returns the likeliest first tokens, the likeliest first; () where none are given."""
    first = ((choice.get("logprobs") or {}).get("content") or [{}])[0]
    pairs = [(str(one["token"]), float(one["logprob"])) for one in first.get("top_logprobs") or ()]
    found = [(_encodable(token), max(value, -1e4)) for token, value in pairs if not math.isnan(value)]
    return tuple(sorted(found, key=lambda pair: -pair[1]))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12 else 0


def _whole(address: Address, text: str) -> str:
    return _encodable(address.without_key(text[:LONGEST_TEXT]))


def _encodable(text: str) -> str:
    """Returns a text that every file can hold: JSON may name halves of letters."""
    return text.encode("utf-8", "replace").decode()


def _refused(address: Address, status: int, said: Any, after: float | None) -> Answer:
    """Returns a declared refusal as an answer. Raises: what any other status means."""
    told = said if isinstance(said, dict) else {"message": said}
    error = told.get("error") or told.get("message")
    error = error if isinstance(error, dict) else {"message": error}
    code = str(error.get("code") or error.get("type") or "")
    reason = address.clean(str(error.get("message") or "")) or "no reason given"
    if status == 400 and code in FILTERED:
        return Answer(_whole(address, reason), "refused", Served(""))
    if status in PASSING and code not in SPENT:
        raise AskAgain(f"{status}: {reason}", after, is_its_own=status == 500)
    raise _lasting(address, status, reason)


def _lasting(address: Address, status: int, reason: str) -> BenchError:
    """Returns the error for a status that no other try mends."""
    variable = address.name.upper().replace("-", "_")
    if status in (401, 403):
        return UsageError(f"endpoint {address.name!r} takes no such key ({status}: {reason}). Set {variable}_API_KEY.")
    if status == 404:
        return UsageError(
            f"endpoint {address.name!r} has no such model or address ({reason}). `--set model=` takes an id that it "
            f"lists at {variable}_BASE_URL/models."
        )
    return ToolError(
        f"endpoint {address.name!r} does not answer this question ({status}: {reason}). What was answered is kept."
    )


def _wait(headers: Mapping[str, str]) -> float | None:
    """Returns for how many seconds an endpoint asks to wait; None where it does not."""
    exact, told = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    try:
        seconds = float(exact) / 1000 if exact else float(told)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
