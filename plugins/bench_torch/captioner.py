"""What models share that describe segments by one trained network.

A model built on it says what its network is, and has the settings `beam` and `max_words` beside those of training.
"""

from __future__ import annotations

from itertools import islice
from typing import cast

from torch import Tensor

from bench.api import Paragraph, VideoBatch
from bench_torch.captioning import CaptioningNetwork
from bench_torch.network_model import NetworkModel
from bench_torch.search import Beam


class Captioner(NetworkModel):
    """Base of models that say a sentence of each segment.

    Trained on pairs of a segment and its sentence, where segments belong to sentences. Where they do not, a sentence
    is learnt as one of any segment of its video; of whole videos with several captions each (video, caption) is a pair.
    """

    def build(self, dim: int, vectors: Tensor) -> CaptioningNetwork:
        """Returns a fresh network for features of `dim` numbers and words that start from `vectors` (words, d)."""
        raise NotImplementedError

    @property
    def network(self) -> CaptioningNetwork:
        """The network. Raises: ModelError before `fit` or `load_state`."""
        return cast("CaptioningNetwork", super().network)

    def caption(self, videos: VideoBatch) -> list[Paragraph]:
        """Returns B paragraphs: a sentence for each segment. Raises: InvalidData for features of another dimension."""
        self.check_dim(videos)
        beam = Beam(self.setting("beam", int), self.setting("max_words", int))
        with self.predicting():
            said = self.network.say(self.network.watch(videos.to(self.execution.device)), beam)
        sentences = iter(self.vocabulary.decode(said.tolist()))
        return [tuple(islice(sentences, count)) for count in videos.segments.lengths.tolist()]
