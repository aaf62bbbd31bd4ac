"""Models whose process ends in the middle of a run, once or always: run in workers as a plugin."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from pathlib import Path

import torch

from bench.api import MissingData, ModelSpec, Setting, VideoTextEncoder, hookimpl


class Honest:
    """Embeds counts."""

    def __init__(self, settings, execution):
        pass

    def embed_videos(self, videos):
        return torch.nn.functional.one_hot(videos.segments.lengths.clamp(max=9), 10).float()

    def embed_paragraphs(self, paragraphs):
        return torch.eye(10)[[min(len(paragraph), 9) for paragraph in paragraphs]]


class Dying(Honest):
    """Is killed, as by the system when memory is out, unless the file `alive` is there, which it then writes."""

    def __init__(self, settings, execution):
        marker = Path(settings["marker"])
        if settings["always"] or not marker.exists():
            marker.write_text("it was here")
            os.kill(os.getpid(), signal.SIGKILL)


class Slow(Honest):
    """Says which process it has begun in, and takes its time, unless it has begun before."""

    def __init__(self, settings, execution):
        marker = Path(settings["marker"])
        again = marker.exists()
        marker.write_text(str(os.getpid()))
        if not again:
            time.sleep(60)


class Full(Honest):
    """Finds that no file of a run can be opened any more by its process, unless another did so before."""

    def __init__(self, settings, execution):
        marker = Path(f"{settings['marker']}-{execution.seed}")
        if not marker.exists():
            marker.write_text("it was here")
            sys.addaudithook(_refuse_to_open)


def _refuse_to_open(event, arguments):
    if event != "open" or f"{os.sep}runs{os.sep}" not in str(arguments[0]):
        return
    if isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Unlucky(Honest):
    def __init__(self, settings, execution):
        raise RuntimeError("no licence key")


def _spec(name, loader, **settings):
    return ModelSpec(
        name=name,
        summary="ends its process",
        loader=f"dying_models:{loader}",
        provides=(VideoTextEncoder,),
        settings={key: Setting(value, "") for key, value in settings.items()},
    )


class Unfetched(Honest):
    def __init__(self, settings, execution):
        raise MissingData("unfetched: its weights are not here. Fetch them: fetch unfetched")


@hookimpl
def bench_models():
    return [
        _spec("dying", "Dying", marker="", always=False),
        _spec("slow", "Slow", marker=""),
        _spec("full", "Full", marker=""),
        _spec("unlucky", "Unlucky"),
        _spec("unfetched", "Unfetched"),
        _spec("honest", "Honest"),
    ]
