"""Weights that transformers loads, asked in this process as an endpoint is: the same prompts, pictures and answers."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from bench.api import Answer, CatalogueError, Execution, InvalidData, Question, Sampling, Served
from bench_encoders.hub import offline
from bench_encoders.torchvision_import import import_torchvision


class InProcess:
    """A model of `AutoModelForImageTextToText` with its processor; one question at a time."""

    def __init__(self, folder: str, execution: Execution) -> None:
        """Loads the weights. Raises: CatalogueError without the libraries; InvalidData for a folder without such."""
        self._execution, self._one = execution, threading.Lock()
        path = Path(folder)
        dtype = torch.bfloat16 if execution.precision == "bf16" else torch.float32
        try:
            if find_spec("torchvision"):  # some processors need it, and say so
                import_torchvision()
            from transformers import AutoModelForImageTextToText, AutoProcessor
        except ImportError as error:
            raise CatalogueError(f"weights here need {error.name}: pip install 'vtbench[transformers]'") from None
        local = {"local_files_only": True, "trust_remote_code": False}
        with offline():
            try:
                self._processor: Any = AutoProcessor.from_pretrained(path, **local)
                model: Any = AutoModelForImageTextToText.from_pretrained(
                    path, dtype=dtype, use_safetensors=True, **local
                )
            except (OSError, ValueError, KeyError) as error:
                reason = " ".join(str(error).split())[:200]
                raise InvalidData(f"{path} holds no model of pictures and text for transformers: {reason}") from None
        self._model = model.eval().to(execution.device)
        self._name = type(model).__name__
        self._weights = _digest(path)

    def hello(self, alternatives: int) -> Served:
        """Returns the weights by their digest, and what computes."""
        device = self._execution.device.partition(":")[0]
        made = f"{self._execution.precision} {device} transformers {version('transformers')} torch {version('torch')}"
        return Served(f"{self._name}@{self._weights[:16]}", made)

    def stop(self) -> None:
        """Does nothing: nobody waits."""

    def ask(self, question: Question, shown: Sequence[bytes], sampling: Sampling) -> Answer:
        """Returns the answer to a question about JPEG pictures."""
        from PIL import Image

        began = time.perf_counter()
        pictures = [Image.open(io.BytesIO(jpeg)).convert("RGB") for jpeg in shown]
        content = [
            *({"type": "image", "image": picture} for picture in pictures),
            {"type": "text", "text": question.text},
        ]
        drawn = {"temperature": sampling.temperature} if sampling.temperature else {}
        with self._one, torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(sampling.seed)
            inputs = self._processor.apply_chat_template(
                [{"role": "user", "content": content}],
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            ).to(self._execution.device, dtype=self._model.dtype)
            made = self._model.generate(
                **inputs,
                max_new_tokens=sampling.max_tokens,
                output_logits=True,
                return_dict_in_generate=True,
                do_sample=bool(drawn),
                **drawn,
            )
        asked = inputs["input_ids"].shape[1]
        tokens = made.sequences[0, asked:].tolist()
        ends = self._model.generation_config.eos_token_id
        ended = tokens[-1:] and tokens[-1] in (ends if isinstance(ends, list) else [ends])
        return Answer(
            text=self._processor.decode(tokens, skip_special_tokens=True),
            how="said" if ended or len(tokens) < sampling.max_tokens else "cut off",
            served=self.hello(sampling.alternatives),
            alternatives=self._alternatives(made.logits[0][0], sampling.alternatives),
            tokens_in=asked,
            tokens_out=len(tokens),
            seconds=round(time.perf_counter() - began, 3),
        )

    def _alternatives(self, logits: torch.Tensor, count: int) -> tuple[tuple[str, float], ...]:
        best = torch.log_softmax(logits.float(), dim=-1).topk(min(count, logits.shape[-1]))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return tuple((self._processor.decode([token]), max(value, -1e4)) for token, value in pairs)


def _digest(folder: Path) -> str:
    """Returns the commit of a folder in the Hub's cache, else the SHA-256 of all files of a folder."""
    import hashlib

    if folder.parent.name == "snapshots":
        return folder.name
    state = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            state.update(f"{path.relative_to(folder)} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return state.hexdigest()
