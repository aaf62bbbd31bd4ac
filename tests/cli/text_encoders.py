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


class Blind:
    dim = 2
    preprocessing = "none"

    def __init__(self, settings, execution): ...

    def prepare(self, frame): ...

    def embed_frames(self, frames): ...


@hookimpl
def bench_encoders():
    size = {"size": Setting(8, "numbers", minimum=1)}
    text = EncoderSpec(
        "bag", "hashed words", "text_encoders:Bag", (TextEncoder,), size, argument="size",
        fingerprint="text_encoders:released",
    )  # fmt: skip
    return [text, EncoderSpec("blind", "reads no text", "text_encoders:Blind", (FrameEncoder,))]


def released(settings):
    return "words 1"
