"""One OpenAI-compatible endpoint: a question becomes a request, and a request that fails for now is made again.

On httpx2, which huggingface_hub brings to every installation, and tenacity: waits, tries and their end stand in one
place, and tests give it a clock of their own.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.endpoints.address import Address
from bench.endpoints.questions import Answer, Question, Sampling, Served
from bench.endpoints.replies import LARGEST, AskAgain, answer_in
from bench.errors import CatalogueError, ToolError

if TYPE_CHECKING:
    from tenacity import RetryCallState

LONGEST_WAIT = 900.0
"""Seconds that an endpoint may ask to wait for; beyond, the user is told and decides."""
HELLO = "Answer with the word yes."


@dataclass(frozen=True)
class Patience:
    """How long and how often is asked.

    Attributes:
        seconds: that one request may take in all, however slowly it drips.
        connect: seconds to reach the endpoint at all.
        tries: requests for one question.
        longest: seconds of the longest wait that doubling comes to.
        sleep: waits; None for a wait that `Endpoint.stop` ends.
        clock: seconds that pass.
    """

    seconds: float = 300.0
    connect: float = 20.0
    tries: int = 8
    longest: float = 60.0
    sleep: Callable[[float], None] | None = None
    clock: Callable[[], float] = time.monotonic


class Endpoint:
    """A client of one model behind one endpoint; several threads may ask at the same time."""

    def __init__(self, address: Address, model: str, patience: Patience | None = None, at_once: int = 8) -> None:
        """Opens no connection yet. Raises: CatalogueError without the libraries."""
        try:
            import httpx2
            import tenacity
        except ImportError as error:
            raise CatalogueError(f"asking an endpoint needs {error.name}: pip install 'vtbench[api]'") from None
        self.address, self.model = address, model
        self._patience = patience or Patience()
        self._http, self._tenacity = httpx2, tenacity
        self._most, self._gives_alternatives = "max_tokens", True
        self._served = Served(model)
        self._is_watched = False
        self._stopped = threading.Event()
        limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        waits = httpx2.Timeout(self._patience.seconds, connect=self._patience.connect)
        key = {"Authorization": f"Bearer {address.key}"} if address.key else {}
        self.connections = httpx2.Client(headers=key, timeout=waits, limits=limits, follow_redirects=False)

    def close(self) -> None:
        """Closes all connections."""
        self.connections.close()

    def stop(self) -> None:
        """Ends all waits for another try."""
        self._stopped.set()

    def _sleep(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise ToolError(f"endpoint {self.address.name!r} is asked no more. What was answered is kept.")

    def hello(self, alternatives: int) -> Served:
        """Returns what answers here, asked by one question of a few tokens; a wrong key or model is told here.

        Raises: UsageError, ToolError.
        """
        sampling = Sampling(max_tokens=4, alternatives=alternatives)
        said = [{"type": "text", "text": HELLO}]
        for _ in range(3):
            try:
                answer = self._answer(self._body(said, sampling))
                break
            except ToolError as error:
                self._adapt(str(error), error)
        else:
            answer = self._answer(self._body(said, sampling))
        self._served = replace(answer.served, has_alternatives=bool(answer.alternatives))
        return self._served

    def _adapt(self, reason: str, error: ToolError) -> None:
        """Leaves out, or names otherwise, what an endpoint says that it does not take. Raises: any other ToolError."""
        if "max_completion_tokens" in reason and self._most != "max_completion_tokens":
            self._most = "max_completion_tokens"  # newer models of OpenAI take this name alone
        elif "logprob" in reason and self._gives_alternatives:
            self._gives_alternatives = False
        else:
            raise error

    def ask(self, question: Question, shown: Sequence[bytes], sampling: Sampling) -> Answer:
        """Returns the answer to a question; `shown` are JPEG pictures in order, or one whole video.

        Raises: UsageError, ToolError when there is none.
        """
        pictures = [_video(shown[0])] if question.is_video else [_picture(one) for one in shown]
        body = self._body([*pictures, {"type": "text", "text": question.text}], sampling)
        if not question.is_video:
            return self._answer(body)
        answer = self._answer(body, is_tried=self._is_watched)
        self._is_watched = True
        return answer

    def _body(self, content: list[dict[str, Any]], sampling: Sampling) -> dict[str, Any]:
        asked = asdict(sampling)
        alternatives = asked.pop("alternatives")
        asked[self._most] = asked.pop("max_tokens")
        if alternatives and self._gives_alternatives:
            asked |= {"logprobs": True, "top_logprobs": alternatives}
        return {"model": self.model, "messages": [{"role": "user", "content": content}], **asked}

    def _answer(self, body: dict[str, Any], *, is_tried: bool = True) -> Answer:
        """Returns the answer to a request, made again where that may help.

        Args:
            is_tried: whether it answered one of this form before; else an error that it repeats will last.
        """
        patience, told = self._patience, set[str]()

        def may_pass(error: BaseException) -> bool:
            if isinstance(error, AskAgain) and error.is_its_own and not is_tried:
                if str(error) in told:
                    raise ToolError(
                        f"endpoint {self.address.name!r} answers no video: it said twice of the first one, {error}. "
                        "Its own log may say more. Give it what it needs (docs/video-llms.md), or send=frames."
                    ) from None
                told.add(str(error))
            return isinstance(error, AskAgain)

        tries = self._tenacity.Retrying(
            retry=self._tenacity.retry_if_exception(may_pass),
            stop=self._tenacity.stop_after_attempt(patience.tries),
            wait=self._wait,
            sleep=patience.sleep or self._sleep,
            reraise=True,
        )
        try:
            answer: Answer = tries(self._once, body)
        except AskAgain as failed:
            raise ToolError(
                f"endpoint {self.address.name!r} gave no answer in {patience.tries} tries, the last: {failed}. What "
                "was answered is kept; the same command goes on from there."
            ) from None
        return answer if answer.served.model else replace(answer, served=self._served)

    def _wait(self, state: RetryCallState) -> float:
        """Returns seconds before the next try: as the endpoint says, else doubling with chance. Raises: ToolError."""
        failed = state.outcome.exception() if state.outcome else None
        asked = failed.after if isinstance(failed, AskAgain) else None
        if asked is None:
            doubling = self._tenacity.wait_random_exponential(multiplier=1, max=self._patience.longest)
            return float(doubling(state))
        if asked > LONGEST_WAIT:
            raise ToolError(
                f"endpoint {self.address.name!r} asks to wait for {asked:,.0f} s ({failed}). What was answered is "
                "kept; the same command goes on from there."
            )
        return asked

    def _once(self, body: dict[str, Any]) -> Answer:
        """Returns the answer to one request. Raises: AskAgain, UsageError, ToolError."""
        clock, began = self._patience.clock, self._patience.clock()
        url = f"{self.address.url}/chat/completions"
        try:
            with self.connections.stream("POST", url, json=body) as reply:
                content = b""
                for piece in reply.iter_bytes():
                    content += piece
                    if len(content) > LARGEST:
                        raise AskAgain(f"its reply has more than {LARGEST >> 20} MB")
                    if clock() - began > self._patience.seconds:
                        raise AskAgain(f"its reply took more than {self._patience.seconds:g} s")
            answer = answer_in(self.address, reply.status_code, reply.headers, content)
        except self._http.HTTPError as error:
            raise AskAgain(self.address.clean(f"{type(error).__name__}: {error}")) from None
        return replace(answer, seconds=round(clock() - began, 3))


def _picture(jpeg: bytes) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": _data("image/jpeg", jpeg)}}


def _video(content: bytes) -> dict[str, Any]:
    return {"type": "video_url", "video_url": {"url": _data("video/mp4", content)}}


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
