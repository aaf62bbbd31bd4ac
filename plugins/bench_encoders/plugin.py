"""Offers the encoders, each named by the library or the network it stands on."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import EncoderSpec, FrameEncoder, TextEncoder, hookimpl

LITE0 = EncoderSpec(
    name="efficientnet-lite0",
    summary="frames by a small image network, its weights in a package",
    loader="bench_encoders.lite0:EfficientNetLite0",
    provides=(FrameEncoder,),
    extra="vtbench[encoders]",
    trained_on="ImageNet-1k, classes",
    paper="Tan and Le: EfficientNet, ICML 2019; the Lite variant without squeeze-and-excitation, 2020",
    fingerprint="bench_encoders.lite0:fingerprint",
)

MINILM = EncoderSpec(
    name="minilm",
    summary="texts by all-MiniLM-L6-v2 in eight bits, its weights in a package",
    loader="bench_encoders.minilm:MiniLM",
    provides=(TextEncoder,),
    extra="vtbench[encoders]",
    trained_on="about a billion pairs of sentences, no pictures",
    paper="Wang et al.: MiniLM, NeurIPS 2020; Reimers and Gurevych: Sentence-BERT, EMNLP 2019",
    fingerprint="bench_encoders.minilm:fingerprint",
)


@hookimpl
def bench_encoders() -> Iterable[EncoderSpec]:
    return [LITE0, MINILM]
