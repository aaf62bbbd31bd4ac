"""Offers FV-VAE as an encoder of videos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bench.api import SCHEDULE, ModelSpec, Setting, Trainable, VideoEncoder, hookimpl

FVVAE = ModelSpec(
    name="fv-vae",
    summary="Fisher vectors of a variational autoencoder of frames, for the linear probe",
    paper="Qiu, Yao, Mei: Deep Quantization: Encoding Convolutional Activations with Deep Generative Model, CVPR 2017",
    loader="bench_fvvae.model:FVVAE",
    provides=(VideoEncoder, Trainable),
    learns_from="labels",
    uses_segments=False,
    settings={
        "reduced": Setting(128, "numbers of a frame after PCA; at most as many as it has", minimum=1),
        "latent": Setting(32, "hidden variables; an embedding has reduced * (latent + 1) numbers", minimum=1),
        "scale": Setting(7.0, "root mean square of a descriptor's numbers (158 / sqrt 512 in the code)", minimum=0),
        "class_weight": Setting(20.0, "weight of the classifier (1e3 for 50 descriptors in the code)", minimum=0),
        "dropout": Setting(0.5, "share of a descriptor that is dropped in training, below 1", minimum=0),
        **SCHEDULE,
        "batch": replace(SCHEDULE["batch"], default=128),
        "epochs": replace(SCHEDULE["epochs"], default=30),
        "lr_drop": replace(SCHEDULE["lr_drop"], default=20),
    },
    recipes={"sample": {"reduced": 64, "latent": 16, "lr": 1e-2}},
)


@hookimpl
def bench_models() -> Iterable[ModelSpec]:
    return [FVVAE]
