"""Frames out of video files: which ones a sampler takes, read exactly, in processes of their own."""

from bench.video.index import FrameIndex, Picture, Span
from bench.video.sampler import Sampler
from bench.video.video_file import BACKENDS, Recounted, VideoFile, versions

__all__ = ["BACKENDS", "FrameIndex", "Picture", "Recounted", "Sampler", "Span", "VideoFile", "versions"]
