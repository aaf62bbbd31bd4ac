"""Offers the model `conse`."""

from dataclasses import replace

from bench.api import TEXT, ModelSpec, Setting, VideoTextEncoder, hookimpl

BENCH_API = 1


@hookimpl
def bench_models():
    return [
        ModelSpec(
            name="conse",
            summary="a frame as the mix of the sentence vectors of its likeliest ImageNet classes; nothing is trained",
            paper="Norouzi et al.: Zero-Shot Learning by Convex Combination of Semantic Embeddings, ICLR 2014",
            loader="vtbench_conse.model:ConSE",
            provides=(VideoTextEncoder,),
            settings={
                "text": replace(TEXT["text"], default="minilm"),
                "classes": Setting(10, "how many of the likeliest classes are mixed", minimum=1),
                "sentence": Setting("a photo of a {}.", "what is said of a class, {} for its name"),
            },
            uses_segments=False,
            dim=1280,
            fingerprint="vtbench_conse.classes:fingerprint",
        )
    ]
