"""ConSE: the likeliest classes of a frame, as sentences, mixed by their probabilities."""

import torch
from torch.nn import functional

from bench.api import TextEncoder, UsageError
from vtbench_conse import classes


class ConSE:
    """Videos and captions as sentence vectors.

    Departures: a video is the mean of its frames; of the vectors of the classes their mean is subtracted, as what all
    classes share tells none of them from another.
    """

    def __init__(self, settings, execution):
        if not isinstance(settings.get("text"), TextEncoder):
            raise UsageError("conse: text has to name an encoder that reads text, such as --set text=minilm.")
        self.text, self.device = settings["text"], execution.device
        self.mixed = min(settings["classes"], len(classes.names()))
        self.weights, self.biases = (part.to(self.device) for part in classes.classifier())
        told = self.text.embed_texts([settings["sentence"].format(name) for name in classes.names()])
        self.told = (told - told.mean(0)).float().to(self.device)

    def embed_videos(self, videos):
        frames = videos.to(self.device).frames
        likely = (frames.values @ self.weights.t() + self.biases).softmax(1).topk(self.mixed)
        shares = likely.values / likely.values.sum(1, keepdim=True)
        return means((shares[:, :, None] * self.told[likely.indices]).sum(1), frames)

    def embed_paragraphs(self, paragraphs):
        sentences = [sentence for paragraph in paragraphs for sentence in paragraph]
        vectors = functional.normalize(self.text.embed_texts(sentences).float().to(self.device))
        parts = vectors.split([len(paragraph) for paragraph in paragraphs])
        return torch.stack([part.mean(0) for part in parts]) if paragraphs else vectors


def means(rows, sequences):
    """Returns the mean of the rows (sum of lengths, d) of each sequence."""
    total = rows.new_zeros(len(sequences), rows.shape[1])
    return total.index_add(0, sequences.owners(), rows) / sequences.beside(sequences.lengths)[:, None]
