"""Encoders of an outside plugin, small enough for tests: what a frame becomes can be worked out by hand."""

from bench.api import ClipEncoder, EncoderSpec, FrameEncoder, Setting, hookimpl

SETTINGS = {"scale": Setting(1.0, "what every number is multiplied by")}


class Means:
    """A frame becomes the means of its colours, and the mean of its left half."""

    dim = 4
    preprocessing = "means of colours"

    def __init__(self, settings, execution):
        import torch

        self.torch, self.scale = torch, settings["scale"]

    def prepare(self, frame):
        half = frame[:, : max(1, frame.shape[1] // 2)].mean()
        return self.torch.tensor([*frame.mean(axis=(0, 1)).tolist(), float(half)])

    def embed_frames(self, frames):
        return frames.float() * self.scale


class Numbers(Means):
    """A frame becomes the number that it carries: twelve bars, black or white, over its upper three quarters."""

    dim = 1
    preprocessing = "bars"

    def prepare(self, frame):
        width, number = frame.shape[1] / 12, 0
        for bar in range(12):
            middle = int((bar + 0.5) * width)
            number = number * 2 + (frame[: frame.shape[0] // 2, middle - 2 : middle + 3].mean() > 125)
        return self.torch.tensor([float(number)])


class Windows(Means):
    """A window of two frames becomes the means of the first, and how the second is brighter."""

    window = 2
    preprocessing = "means of colours of two frames"

    def prepare_window(self, frames):
        first, second = (Means.prepare(self, frame) for frame in frames)
        return self.torch.cat([first[:3], (second - first).mean()[None]])

    def embed_windows(self, windows):
        return windows.float() * self.scale

    prepare = embed_frames = None


class Crowd(Means):
    """Rows that depend on what is encoded together, as rounding does, only more."""

    def embed_frames(self, frames):
        return frames + len(frames) + frames.mean()


class Threads(Means):
    """Rows that say on how many threads they are made."""

    def embed_frames(self, frames):
        return self.torch.full((len(frames), 4), float(self.torch.get_num_threads()))


class Breaks(Means):
    def embed_frames(self, frames):
        raise ValueError("no such kernel\nhere")


class Infinite(Means):
    def embed_frames(self, frames):
        return frames / 0


class Wide(Means):
    def embed_frames(self, frames):
        return self.torch.zeros(len(frames), 5)


def spec(name, kind, provides=(FrameEncoder,)):
    return EncoderSpec(name, "for tests", f"outside_encoders:{kind.__name__}", provides, settings=SETTINGS)


@hookimpl
def bench_encoders():
    return [
        spec("means", Means),
        spec("numbers", Numbers),
        spec("windows", Windows, (ClipEncoder,)),
        spec("crowd", Crowd),
        spec("threads", Threads),
        spec("breaks", Breaks),
        spec("infinite", Infinite),
        spec("wide", Wide),
    ]
