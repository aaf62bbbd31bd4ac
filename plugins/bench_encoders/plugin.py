"""Offers the encoders, each named by the library or the network it stands on."""

from __future__ import annotations

from collections.abc import Iterable

from bench.api import ClipEncoder, EncoderSpec, FrameEncoder, Setting, TextEncoder, hookimpl

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

FILE = Setting("", "a file of weights, .safetensors or a checkpoint of tensors", kind="file")
REPOSITORY = Setting(
    "", "a folder ./FOLDER, or OWNER/NAME@COMMIT of the Hub's local cache, with all that is needed", kind="hub"
)

OPEN_CLIP = EncoderSpec(
    name="open-clip",
    summary="frames and texts by open_clip: CLIP, SigLIP 2, PE-Core, MobileCLIP 2",
    loader="bench_encoders.open_clip_models:OpenCLIP",
    provides=(FrameEncoder, TextEncoder),
    settings={
        "model": Setting("", "ARCH/TAG, its weights in the Hub's local cache, or ARCH with `weights`"),
        "weights": FILE,
        "repository": REPOSITORY,
    },
    argument="model",
    extra="vtbench[open-clip]",
    paper="Radford et al.: CLIP, ICML 2021; Cherti et al.: OpenCLIP, CVPR 2023",
    fingerprint="bench_encoders.open_clip_models:fingerprint",
)

TRANSFORMERS = EncoderSpec(
    name="transformers",
    summary="what transformers loads: CLIP, SigLIP 2, X-CLIP, VideoMAE, V-JEPA 2, DINOv3",
    loader="bench_encoders.transformers_models:open_model",
    provides=(FrameEncoder, ClipEncoder, TextEncoder),
    by_setting=(FrameEncoder, ClipEncoder, TextEncoder),
    settings={"repository": REPOSITORY},
    argument="repository",
    extra="vtbench[transformers]",
    paper="Wolf et al.: Transformers, EMNLP 2020",
    fingerprint="bench_encoders.transformers_models:fingerprint",
)

TIMM = EncoderSpec(
    name="timm",
    summary="frames by an image network of timm",
    loader="bench_encoders.timm_models:Timm",
    provides=(FrameEncoder,),
    settings={
        "model": Setting("", "NAME.TAG, its weights in the Hub's local cache, or NAME with `weights`"),
        "weights": FILE,
        "repository": REPOSITORY,
    },
    argument="model",
    extra="vtbench[timm]",
    paper="Wightman: PyTorch Image Models, 2019",
    fingerprint="bench_encoders.timm_models:fingerprint",
)

MTEB = EncoderSpec(
    name="mteb",
    summary="models of images or videos by their names in mteb, as mteb encodes",
    loader="bench_encoders.mteb_models:open_model",
    provides=(FrameEncoder, ClipEncoder, TextEncoder),
    by_setting=(FrameEncoder, ClipEncoder, TextEncoder),
    settings={
        "model": Setting("", "as mteb names it, its weights in the Hub's local cache"),
        "modality": Setting(
            "", "what frames are to it; left out: video where it reads videos, else image", ("", "image", "video")
        ),
        "window": Setting(0, "frames of a video; 0: as many as mteb shows the model", minimum=0),
        "task": Setting("MSRVTTT2V", "task of mteb under whose name and instruction it encodes"),
        "remote_code": Setting(False, "whether mteb may run code that lies beside the weights"),
    },
    argument="model",
    extra="vtbench[mteb]",
    paper="Enevoldsen et al.: MMTEB, ICLR 2025; each model has its own",
    fingerprint="bench_encoders.mteb_registry:fingerprint",
)

C3D = EncoderSpec(
    name="c3d",
    summary="windows of 16 frames by C3D, weights of your own",
    loader="bench_encoders.c3d:C3D",
    provides=(ClipEncoder,),
    settings={
        "weights": FILE,
        "layer": Setting("fc6", "which layer's vectors, after its ReLU", ("fc6", "fc7")),
        "channels": Setting(
            "bgr", "order of colours: that of the authors, or of weights trained otherwise", ("bgr", "rgb")
        ),
    },
    extra="vtbench[c3d]",
    paper="Tran et al.: Learning Spatiotemporal Features with 3D Convolutional Networks, ICCV 2015",
)


@hookimpl
def bench_encoders() -> Iterable[EncoderSpec]:
    return [LITE0, MINILM, OPEN_CLIP, TRANSFORMERS, TIMM, MTEB, C3D]
