"""A captioner that names the colour of what it is shown: copied beside an entry point and run as an outside plugin."""

from __future__ import annotations

from bench.api import ModelSpec, VideoCaptioner, hookimpl

NAMES = ("it is red", "all of it is green", "")


class Painter:
    """Says the greatest of three colours in the middle of each segment; of blue it says nothing."""

    def __init__(self, settings, execution):
        pass

    def caption(self, videos):
        rows = iter(videos.clip_frames.values.split(videos.clip_frames.lengths.tolist()))
        middles = [next(rows) for _ in range(len(videos.clip_frames))]
        said = iter([NAMES[int(row[len(row) // 2].argmax())] for row in middles])
        return [tuple(next(said) for _ in range(count)) for count in videos.segments.lengths.tolist()]


class Mute(Painter):
    """Says nothing."""

    def caption(self, videos):
        return [("",) * count for count in videos.segments.lengths.tolist()]


@hookimpl
def bench_models():
    return [
        ModelSpec(name=name, summary=name, loader=f"colour_captioners:{name}", provides=(VideoCaptioner,))
        for name in ("Painter", "Mute")
    ]
