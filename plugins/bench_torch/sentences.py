"""Sentences as vectors of a frozen text encoder, each computed once: what networks read in place of words."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bench.api import Execution, InvalidData, Paragraph, Ragged, TextEncoder, UsageError, length_ordered
from bench_torch.text import Text


class FrozenSentences:
    """A text encoder that remembers what it embedded: candidates and epochs read every sentence again.

    Attributes:
        dim: numbers of a sentence vector.
    """

    def __init__(self, encoder: object, execution: Execution) -> None:
        """Takes what a setting `text` names. Raises: UsageError for an encoder that reads no text."""
        if not isinstance(encoder, TextEncoder):
            raise UsageError(
                "text: that encoder reads no text. Name one that provides a TextEncoder: `bench list encoders`."
            )
        self._encoder, self._execution = encoder, execution
        self._known: dict[str, Tensor] = {}
        self.dim = encoder.dim_text

    def encode(self, paragraphs: Sequence[Paragraph]) -> Text:
        """Returns paragraphs whose sentences are sequences of one vector, on the CPU.

        Raises: InvalidData for a paragraph without sentences.
        """
        if not all(paragraphs):
            raise InvalidData("a paragraph has no sentences and cannot be embedded. Drop it.")
        sentences = [sentence for paragraph in paragraphs for sentence in paragraph]
        self._learn(list(dict.fromkeys(sentence for sentence in sentences if sentence not in self._known)))
        vectors = torch.stack([self._known[s] for s in sentences]) if sentences else torch.zeros(0, self.dim)
        counts = torch.tensor([len(paragraph) for paragraph in paragraphs], dtype=torch.int64)
        return Text(Ragged(vectors, torch.ones(len(sentences), dtype=torch.int64)), counts)

    def _learn(self, sentences: Sequence[str]) -> None:
        """Embeds sentences in full precision, whatever their reader computes in, and remembers them."""
        lengths = torch.tensor([len(sentence) for sentence in sentences]).numpy()
        device = torch.device(self._execution.device).type
        with torch.inference_mode(False), torch.no_grad(), torch.autocast(device, enabled=False):
            for group in length_ordered(lengths, self._execution.batch_size):
                vectors = self._encoder.embed_texts([sentences[i] for i in group]).float().cpu()
                self._known.update(zip((sentences[i] for i in group), vectors, strict=True))
