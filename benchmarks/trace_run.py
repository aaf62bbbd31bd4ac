"""Counts what one `bench run` executes of our own: functions, their files, and how deep calls go.

python benchmarks/trace_run.py [--list] [bench arguments…]

Without arguments: `bench run --model hse --task anet-retrieval --limit 40 --set epochs=1`, in a folder of its own.
Counted are functions of `bench` and of the bundled plugins that were entered at least once in the main thread; not
bodies of modules and classes, comprehensions and lambdas. Depth counts such frames only. `--list` prints every one of
them by file, with how often it was called and by whom first. To measure another checkout, set PYTHONPATH to it and to
its `plugins`.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections import Counter
from inspect import CO_NEWLOCALS
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

RUN = ("run", "--model", "hse", "--task", "anet-retrieval", "--limit", "40", "--set", "epochs=1", "--device", "cpu")


class Trace:
    """What was entered so far; `depth` is that of our own frames, `deepest` its largest value."""

    def __init__(self, root: Path) -> None:
        self._ours = (f"{root / 'bench'}/", f"{root / 'plugins'}/")
        self.calls: Counter[CodeType] = Counter()
        self.first_callers: dict[CodeType, str] = {}
        self.deepest: tuple[str, ...] = ()
        self._stack: list[str] = []

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(self._ours):
            return
        if code.co_name.startswith("<") or not code.co_flags & CO_NEWLOCALS:  # class bodies have no locals of their own
            return
        if event == "return":
            self._stack.pop()
            return
        self.calls[code] += 1
        self.first_callers.setdefault(code, self._stack[-1] if self._stack else "")
        self._stack.append(f"{Path(code.co_filename).stem}.{code.co_qualname}")
        if len(self._stack) > len(self.deepest):
            self.deepest = tuple(self._stack)

    def by_file(self, root: Path) -> list[str]:
        """Lines for every file and, below it, its functions in the order of the file."""
        files: dict[str, list[CodeType]] = {}
        for code in self.calls:
            files.setdefault(str(Path(code.co_filename).relative_to(root)), []).append(code)
        lines = []
        for file in sorted(files):
            lines.append(f"{file}: {len(files[file])}")
            in_order = sorted(files[file], key=lambda code: code.co_firstlineno)
            lines += [f"  {self.calls[code]:6} {code.co_qualname} < {self.first_callers[code]}" for code in in_order]
        return lines


def main(arguments: tuple[str, ...]) -> None:
    """Runs the command under the trace and prints the counts."""
    listed, arguments = "--list" in arguments[:1], tuple(word for word in arguments if word != "--list")
    package = importlib.util.find_spec("bench")
    root = Path(str(package and package.origin)).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        sys.argv = ["bench", *(arguments or (*RUN, "--output", folder))]
        from bench.cli import main as bench

        trace = Trace(root)
        sys.setprofile(trace)
        try:
            bench()
        except SystemExit as end:
            code = end.code
        else:
            code = 0
        finally:
            sys.setprofile(None)
    if listed:
        print("\n".join(trace.by_file(root)))
    files = {code.co_filename for code in trace.calls}
    print(f"exit {code}: {len(trace.calls)} functions in {len(files)} files, {len(trace.deepest)} frames deep")
    print(" > ".join(trace.deepest))


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
