"""Frames out of video files: which ones a sampler takes, read exactly, in processes of their own."""

from bench.video.backends import BACKENDS, backend_named, versions
from bench.video.decoded import Decoded, FrameRequest
from bench.video.index import CodedPicture, FrameIndex, Span
from bench.video.sampler import Sampler
from bench.video.video_file import Recounted, VideoFile
from bench.video.workers import Limits, Workers, decoded

__all__ = [
    "BACKENDS",
    "CodedPicture",
    "Decoded",
    "FrameIndex",
    "FrameRequest",
    "Limits",
    "Recounted",
    "Sampler",
    "Span",
    "VideoFile",
    "Workers",
    "backend_named",
    "decoded",
    "versions",
]
