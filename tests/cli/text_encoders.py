"""Tiny encoders as a distribution of its own would hold them: bags of hashed words, and one that reads no text."""

from zlib import crc32

import torch

from bench.api import EncoderSpec, FrameEncoder, Setting, TextEncoder, hookimpl


class Bag:
    """A text as counts of its first four words, hashed."""

    max_tokens = 4

    def __init__(self, settings, execution):
        self.dim_text = settings["size"]

    def embed_texts(self, texts):
        vectors = torch.zeros(len(texts), self.dim_text)
        for row, text in zip(vectors, texts, strict=True):
            for word in text.lower().split()[: self.max_tokens]:
                row[crc32(word.encode()) % self.dim_text] += 1.0
        return vectors

    def truncated(self, texts):
        return sum(len(text.split()) > self.max_tokens for text in texts)


COLOURS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0), "white": (1.0, 1.0, 1.0)}


class Blind:
    """A frame as its mean colour; reads no text."""

    dim = 3
    preprocessing = "mean colour"

    def __init__(self, settings, execution):
        self.gain = settings.get("gain", 1.0)

    def prepare(self, frame):
        return torch.from_numpy(frame.reshape(-1, 3).mean(0)).float()

    def embed_frames(self, frames):
        return self.gain * (frames + 1.0) / 256


class Colours(Blind):
    """The same, and a text as the colours that it names: a dual encoder."""

    dim_text, max_tokens = 3, 1000

    def embed_texts(self, texts):
        named = [[COLOURS[word] for word in text.lower().split() if word in COLOURS] for text in texts]
        return torch.tensor([torch.tensor(one or [(0.3, 0.2, 0.1)]).sum(0).tolist() for one in named])

    def truncated(self, texts):
        return 0


@hookimpl
def bench_encoders():
    size = {"size": Setting(8, "numbers", minimum=1)}
    text = EncoderSpec(
        "bag", "hashed words", "text_encoders:Bag", (TextEncoder,), size, argument="size",
        fingerprint="text_encoders:released",
    )  # fmt: skip
    gain = {"gain": Setting(1.0, "a factor", minimum=0)}
    folder = {"weights": Setting("", "a folder of weights", kind="hub")}
    return [
        text,
        EncoderSpec(
            "stored",
            "colours, with weights",
            "text_encoders:Colours",
            (FrameEncoder, TextEncoder),
            folder,
            argument="weights",
        ),
        EncoderSpec("blind", "reads no text", "text_encoders:Blind", (FrameEncoder,)),
        EncoderSpec(
            "colours", "mean colours, words of colours", "text_encoders:Colours", (FrameEncoder, TextEncoder), gain
        ),
    ]


def released(settings):
    return "words 1"
