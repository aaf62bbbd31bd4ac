"""Offers `video-llm`, one model for whatever is asked in words, and `thumbnails`, features that cost nothing."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import (
    EncoderSpec,
    FrameEncoder,
    ModelSpec,
    Setting,
    VideoCaptioner,
    VideoTextReranker,
    ZeroShotClassifier,
    hookimpl,
)

BENCH_API = 1
PROMPT = "in place of ours: a file with a first line '# prompt NAME version 1' and the places"

VIDEO_LLM = ModelSpec(
    name="video-llm",
    summary="a model that reads frames and words, behind an OpenAI-compatible endpoint or in this process",
    loader="bench_video_llms.model:VideoLLM",
    provides=(VideoCaptioner, VideoTextReranker, ZeroShotClassifier),
    settings={
        "model": Setting("", "what the endpoint calls the model"),
        "endpoint": Setting("openai", "the endpoint's name: NAME_BASE_URL and NAME_API_KEY of the environment"),
        "repository": Setting("", "in place of an endpoint: weights that transformers loads here", kind="hub"),
        "send": Setting("frames", "frames as pictures, or the video whole (`video_url`)", ("frames", "video")),
        "side": Setting(448, "longer side of a picture that is sent, in pixels at most", minimum=16),
        "quality": Setting(90, "of a picture's JPEG", minimum=1),
        "temperature": Setting(0.0, "0 takes the likeliest token", minimum=0),
        "max_tokens": Setting(96, "where a caption is cut off", minimum=1),
        "caption_prompt": Setting("", f"{PROMPT} {{frames}}", kind="file"),
        "pair_prompt": Setting("", f"{PROMPT} {{frames}} {{text}}", kind="file"),
        "choice_prompt": Setting("", f"{PROMPT} {{frames}} {{options}}", kind="file"),
        "list": Setting("", "another run's predictions.safetensors, whose list is ranked again", kind="file"),
        "best": Setting(50, "how many videos of each text's list are ranked again", (5, 10, 50)),
        "options": Setting(10, "classes that are asked at once, at most 20", tuple(range(2, 21))),
        "orders": Setting(2, "shuffled orders in which classes are asked", minimum=1),
        "price_in": Setting(0.0, "of a million tokens that are read, in any money", minimum=0),
        "price_out": Setting(0.0, "of a million tokens that are written", minimum=0),
        "at_once": Setting(8, "questions under way at the same time", minimum=1),
        "timeout": Setting(300.0, "seconds that one request may take in all", minimum=0.1),
    },
    max_rows=32,
    reads_pictures=True,
    fingerprint="bench_video_llms.asked:fingerprint",
)

THUMBNAILS = EncoderSpec(
    name="thumbnails",
    summary="frames as four by four mean colours: for models that look at the frames themselves",
    loader="bench_video_llms.thumbnails:Thumbnails",
    provides=(FrameEncoder,),
)


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    """Returns the model."""
    return [VIDEO_LLM]


@hookimpl
def bench_encoders() -> Iterable[EncoderSpec]:
    """Returns the encoder."""
    return [THUMBNAILS]
