"""Java programs that answer line for line, under supervision: METEOR and Stanford's PTB tokeniser.

Lines are written ahead by a thread while answers are read, so neither side waits for the other. A program that gives no
answer for `PATIENCE` seconds, ends early or cannot be started is killed and becomes a `ToolError`; nothing is left
running, and nothing is written into the installation. Locale and encoding are ours, whatever the user's are.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from bench.errors import ToolError
from bench.reading.numbers import number_of

PATIENCE = 600.0
"""Seconds without an answer after which a program counts as hung; starting METEOR has taken 160 on a busy machine."""
# One short-lived process for each program: compiling less and collecting serially takes a quarter less CPU time.
_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx2G")
# METEOR reads back the counts that it wrote in the user's locale: where that has a decimal comma, it ends.
_OURS = (
    *("-Duser.language=en", "-Duser.country=US", "-Duser.region=US", "-Duser.script=", "-Duser.variant="),
    *("-Duser.language.format=en", "-Duser.country.format=US", "-Duser.script.format=", "-Duser.variant.format="),
    *("-Dfile.encoding=UTF-8", "-Dstdin.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8"),
)
_LAST_WORD = "_JAVA_OPTIONS"  # the one variable that Java reads after its command line
_NOTICES = ("Picked up ", "NOTE: Picked up ")  # what it writes to stderr where the user's variables hold options
_OFF = "score without Java, with equal numbers: --no-java, or java=off of the task."
_WITHOUT = f"Install a Java runtime (Debian: default-jre-headless), or {_OFF}"


def java_program(*, required: bool = False) -> str | None:
    """Returns the path of `java`, or None. Raises: ToolError when it is `required` and not there."""
    program = shutil.which("java")
    if required and program is None:
        raise ToolError(f"the METEOR and PTB programs need Java, and no `java` is on the PATH. {_WITHOUT}")
    return program


def jar(*parts: str) -> Path:
    """Returns the path of a file of pycocoevalcap, found without importing it. Raises: ToolError when it is missing."""
    spec = find_spec("pycocoevalcap")
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place, *parts)
        if path.is_file():
            return path
    raise ToolError(f"{'/'.join(parts)} of pycocoevalcap is missing. Install pycocoevalcap again.")


def _surroundings() -> dict[str, str]:
    """Returns the environment of a program: options that the user gives every Java stay, the locale is ours."""
    told = os.environ.get(_LAST_WORD)
    return {**os.environ, **({_LAST_WORD: " ".join((told, *_OURS))} if told else {})}


class JavaLines:
    """A running Java program that takes lines and answers each with one line. Use it as a context.

    Args:
        name: what it is called in messages.
        arguments: what follows `java` and our own flags.
        patience: seconds without an answer after which it is killed.
    """

    def __init__(self, name: str, arguments: Sequence[str], patience: float = PATIENCE) -> None:
        self._name, self._arguments, self._patience = name, arguments, patience
        self._answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._sent: Sequence[str] = ()
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (closed in __exit__)

    def __enter__(self) -> JavaLines:
        program = java_program(required=True)
        try:
            self._process = subprocess.Popen(
                [str(program), *_FLAGS, *_OURS, *self._arguments],
                env=_surroundings(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                start_new_session=True,  # so that all of it can be killed, and Ctrl-C is ours to pass on
            )
        except OSError as error:
            self._complaints.close()
            raise ToolError(f"{program} cannot be started for {self._name}: {error.strerror}. {_WITHOUT}") from error
        self._start(self._read)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout, self._complaints):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue  # what was buffered for a program that has gone
        self._process.wait()

    def send(self, lines: Sequence[str], *, last: bool = True) -> None:
        """Starts to write all lines; after the `last` ones the program's input is closed, which lets it end.

        Before more lines are sent, all answers have to be taken.
        """
        self._sent = lines
        content = "".join(f"{line}\n" for line in lines).encode("utf-8", errors="replace")
        self._start(self._write, content, last)

    def answers(self, count: int) -> list[str]:
        """Returns the next `count` answers. Raises: ToolError when the program hangs or ends before."""
        lines = []
        for number in range(count):
            try:
                line = self._answers.get(timeout=self._patience)
            except queue.Empty:
                self._kill()
                raise ToolError(
                    f"{self._name} gave no answer for {self._patience:g} s after {number:,} of {count:,} and was "
                    f"killed{self._at(number)}. Try again on a less busy machine, or {_OFF}"
                ) from None
            if line is None:
                raise ToolError(
                    f"{self._name} ended with exit code {self._exit_code()} after {number:,} of "
                    f"{number_of(count, 'answer')}: {self._complaint()}{self._at(number)}. Run `java -version`, or "
                    f"{_OFF}"
                )
            lines.append(line.decode("utf-8", errors="replace").rstrip("\r\n"))
        return lines

    def ended(self) -> bool:
        """Returns whether the program has nothing more to say. Raises: ToolError when it hangs."""
        try:
            return self._answers.get(timeout=self._patience) is None
        except queue.Empty:
            self._kill()
            raise ToolError(f"{self._name} did not end for {self._patience:g} s and was killed. Try again.") from None

    def _start(self, target: object, *arguments: bytes | bool) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _write(self, content: bytes, last: bool) -> None:
        stream = cast("IO[bytes]", self._process.stdin)
        try:
            stream.write(content)
            stream.flush()
            if last:
                stream.close()
        except OSError:
            return  # it has ended: whoever waits for answers says so

    def _read(self) -> None:
        for line in cast("IO[bytes]", self._process.stdout):
            self._answers.put(line)
        self._answers.put(None)

    def _kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _exit_code(self) -> int:
        """Returns how a program left that has closed its output; one that stays is killed."""
        try:
            return self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._kill()
            return self._process.wait()

    def _at(self, number: int) -> str:
        return f" (at {self._sent[number][:60]!r}…)" if number < len(self._sent) else ""

    def _complaint(self) -> str:
        self._complaints.seek(0)
        lines = self._complaints.read(4000).decode("utf-8", errors="replace").split("\n")
        told = (line.strip() for line in lines if not line.startswith(_NOTICES))
        return next(filter(None, told), "no message")
