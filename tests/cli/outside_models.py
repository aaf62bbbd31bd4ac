"""Models that misbehave, one way each: copied beside an entry point and run through the command line as a plugin."""

from __future__ import annotations

import torch

from bench.api import ClipTextEncoder, ModelSpec, Ragged, Setting, State, Trainable, VideoTextEncoder, hookimpl


class Honest:
    """Embeds counts; the others spoil what it returns."""

    def __init__(self, settings, execution):
        pass

    def embed_videos(self, videos):
        return torch.nn.functional.one_hot(videos.segments.lengths.clamp(max=9), 10).float()

    def embed_paragraphs(self, paragraphs):
        return torch.eye(10)[[min(len(paragraph), 9) for paragraph in paragraphs]]


class WrongShape(Honest):
    def embed_videos(self, videos):
        return super().embed_videos(videos)[:, :, None]


class TooFewRows(Honest):
    def embed_paragraphs(self, paragraphs):
        return super().embed_paragraphs(paragraphs)[:-1]


class NotANumber(Honest):
    def embed_videos(self, videos):
        return super().embed_videos(videos) / 0.0


class DoublePrecision(Honest):
    def embed_videos(self, videos):
        return super().embed_videos(videos).double()


class TwoSpaces(Honest):
    def embed_videos(self, videos):
        return super().embed_videos(videos)[:, :5] + 1.0


class ZeroVector(Honest):
    def embed_videos(self, videos):
        return torch.zeros(len(videos), 10)


class NotATensor(Honest):
    def embed_videos(self, videos):
        return [[1.0] * 10] * len(videos)


class Spendthrift(Honest):
    def spent(self):
        return {"tokens_in": -1, "cost": float("nan")}


class Raises(Honest):
    def embed_videos(self, videos):
        raise ValueError("the weights\nare upside down")


class RaisesAtOnce(Honest):
    def __init__(self, settings, execution):
        raise RuntimeError("no licence key")


class Mute:
    """Declares an encoder and implements nothing."""

    def __init__(self, settings, execution):
        pass


class NotANumberInClips(Honest):
    """Fails at clips and sentences alone, which only `bench diagnose` asks for."""

    def embed_clips(self, videos):
        lengths = videos.segments.lengths
        return Ragged(torch.full((int(lengths.sum()), 2), torch.nan), lengths)

    def embed_sentences(self, paragraphs):
        lengths = torch.tensor([len(paragraph) for paragraph in paragraphs])
        return Ragged(torch.ones(int(lengths.sum()), 2), lengths)


class TooLarge(Honest):
    def embed_videos(self, videos):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has none left.")


class TooLargeToTrain(Honest):
    """Says what PyTorch says on a CPU."""

    def fit(self, data, training):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: not enough memory")

    def state(self):
        return State({}, {})

    def load_state(self, state):
        pass


class TooLargeToLoad(Honest):
    def __init__(self, settings, execution):
        raise MemoryError


FAULTY = ("WrongShape", "TooFewRows", "NotANumber", "DoublePrecision", "TwoSpaces", "ZeroVector", "NotATensor")
FAULTY += ("Raises", "RaisesAtOnce", "Mute", "Absent", "TooLarge", "TooLargeToLoad", "Spendthrift")


@hookimpl
def bench_models():
    return [
        ModelSpec(name=name, summary=name, loader=f"outside_models:{name}", provides=(VideoTextEncoder,))
        for name in ("Honest", *FAULTY)
    ] + [
        ModelSpec(
            name="NotANumberInClips",
            summary="NotANumberInClips",
            loader="outside_models:NotANumberInClips",
            provides=(VideoTextEncoder, ClipTextEncoder),
        ),
        ModelSpec(
            name="TooLargeToTrain",
            summary="TooLargeToTrain",
            loader="outside_models:TooLargeToTrain",
            provides=(VideoTextEncoder, Trainable),
            settings={"batch": Setting(64, "videos per step", minimum=1)},
        ),
    ]
