"""Tiny networks with random weights, written as their libraries write them, for encoders to load."""

from __future__ import annotations

import json
from pathlib import Path

import torch

WORDS = ("a", "the", "man", "dog", "cat", "plays", "runs", "on", "grass", "guitar", "with", "red", "ball", "park")


def open_clip_folder(folder: Path, *, tokenizer: str = "") -> Path:
    """Writes a dual encoder of open_clip with its configuration, as on the Hub; a SigLIP with a `tokenizer`."""
    import open_clip
    from safetensors.torch import save_file

    folder.mkdir()
    text = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
    if tokenizer:
        text |= {"vocab_size": 64, "hf_tokenizer_name": "nobody/tiny", "pool_type": "last", "no_causal_mask": True}
        text |= {"tokenizer_kwargs": {"clean": "canonicalize"}}
        word_tokenizer(folder)
    pictured = {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16}
    model = {"embed_dim": 24, "vision_cfg": pictured, "text_cfg": text}
    pictures = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic", "resize_mode": "squash"}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": model, "preprocess_cfg": pictures if tokenizer else {}})
    )
    torch.manual_seed(0)
    built = open_clip.create_model(f"local-dir:{folder}", pretrained=None, load_weights=False)
    tensors = {name: tensor.contiguous() for name, tensor in built.state_dict().items()}
    save_file(tensors, folder / "open_clip_model.safetensors")
    return folder


def word_tokenizer(folder: Path) -> None:
    """Writes a tokenizer of whole words, with marks of start and end."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[BOS]", "[EOS]", *WORDS])}
    marks = {"unk_token": "[UNK]", "pad_token": "[PAD]", "bos_token": "[BOS]", "eos_token": "[EOS]"}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, marks["unk_token"]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[BOS] $A [EOS]", special_tokens=[("[BOS]", 2), ("[EOS]", 3)]
    )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **marks).save_pretrained(folder)


def transformers_folder(folder: Path, kind: str) -> Path:
    """Writes a model of transformers, its processor and tokenizer: clip, siglip, xclip, videomae, vjepa2, dinov3."""
    import transformers as t

    torch.manual_seed(0)
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    picture = {"image_size": 32, "patch_size": 8, **tower}
    marks = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    words = {"vocab_size": 64, "max_position_embeddings": 16, **tower, **marks}
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    if kind == "clip":
        model = t.CLIPModel(t.CLIPConfig(text_config=words, vision_config=picture, projection_dim=24))
        t.CLIPImageProcessor(**size).save_pretrained(folder)
    elif kind == "siglip":
        model = t.SiglipModel(t.SiglipConfig(text_config=words, vision_config=picture))
        t.SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    elif kind == "xclip":
        over_time = {"mit_hidden_size": 24, "mit_intermediate_size": 48, "mit_num_attention_heads": 2}
        vision = {**picture, "num_frames": 4, **over_time}
        model = t.XCLIPModel(t.XCLIPConfig(text_config=words, vision_config=vision, projection_dim=24))
        t.VideoMAEImageProcessor(**size).save_pretrained(folder)
    elif kind == "videomae":
        model = t.VideoMAEModel(t.VideoMAEConfig(num_frames=4, tubelet_size=2, **picture))
        t.VideoMAEImageProcessor(**size).save_pretrained(folder)
    elif kind == "vjepa2":
        predictor = {"pred_hidden_size": 24, "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1}
        config = t.VJEPA2Config(
            crop_size=32, patch_size=8, frames_per_clip=4, tubelet_size=2, hidden_size=32, num_attention_heads=2,
            num_hidden_layers=2, **predictor,
        )  # fmt: skip
        model = t.VJEPA2Model(config)
        t.VJEPA2VideoProcessor(size={"shortest_edge": 36}, crop_size=size["crop_size"]).save_pretrained(folder)
    else:
        model = t.DINOv3ViTModel(t.DINOv3ViTConfig(**picture))
        t.DINOv3ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    model.save_pretrained(folder)
    if kind in ("clip", "siglip", "xclip"):
        word_tokenizer(folder)
    return folder


def c3d_file(path: Path, *, mean: float = 0.0) -> Path:
    """Writes weights of the paper's layout, with a classifier that is not used, in float16: 150 MB."""
    from safetensors.torch import save_file

    from bench_encoders.c3d import C3DNetwork

    torch.manual_seed(0)
    tensors = {name: tensor.half() for name, tensor in C3DNetwork("fc6").state_dict().items()}
    tensors["fc8.weight"] = torch.zeros(1, 1)
    if mean:
        tensors["mean"] = torch.full((3, 16, 128, 171), mean)
    save_file(tensors, path)
    return path
