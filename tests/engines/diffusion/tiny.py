"""Make pipelines of real classes with few random weights, in folders like those of real models."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

CHARACTERS = [chr(code) for code in range(33, 127)]
NORMS = 4


def _of(name: str) -> Any:
    return import_module(name)


def instruct_pix2pix(folder: Path) -> Path:
    """A `StableDiffusionInstructPix2PixPipeline`."""
    diffusers = _of("diffusers")
    tokenizer, text_encoder = _clip(folder / "words")
    unet = diffusers.UNet2DConditionModel(
        block_out_channels=(8, 8),
        layers_per_block=1,
        sample_size=64,
        in_channels=8,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
        norm_num_groups=NORMS,
    )
    pipeline = diffusers.StableDiffusionInstructPix2PixPipeline(
        vae=_autoencoder(),
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=diffusers.DDIMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder / "model")
    return folder / "model"


def flux_kontext(folder: Path) -> Path:
    """A `FluxKontextPipeline`."""
    diffusers, transformers = _of("diffusers"), _of("transformers")
    tokenizer, text_encoder = _clip(folder / "words")
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    second_tokenizer = transformers.T5Tokenizer(
        vocab=pieces + [(character, -3.0) for character in CHARACTERS],
        extra_ids=0,
        model_max_length=512,
    )
    second_encoder = transformers.T5EncoderModel(
        transformers.T5Config(
            vocab_size=len(second_tokenizer), d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=4
        )
    )
    transformer = diffusers.FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=1,
        joint_attention_dim=16,
        pooled_projection_dim=16,
        axes_dims_rope=(2, 2, 4),
        guidance_embeds=True,
    )
    pipeline = diffusers.FluxKontextPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=_autoencoder(shift_factor=0.0, scaling_factor=1.0),
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        text_encoder_2=second_encoder,
        tokenizer_2=second_tokenizer,
        transformer=transformer,
    )
    pipeline.save_pretrained(folder / "model")
    return folder / "model"


def text_to_image(folder: Path) -> Path:
    """A pipeline that edits nothing."""
    diffusers = _of("diffusers")
    pipeline = diffusers.DDPMPipeline(
        unet=diffusers.UNet2DModel(
            sample_size=8,
            block_out_channels=(8,),
            norm_num_groups=NORMS,
            down_block_types=("DownBlock2D",),
            up_block_types=("UpBlock2D",),
        ),
        scheduler=diffusers.DDPMScheduler(),
    )
    pipeline.save_pretrained(folder / "model")
    return folder / "model"


def _clip(folder: Path) -> tuple[Any, Any]:
    """A tokenizer that knows single characters, and a text encoder for it."""
    transformers = _of("transformers")
    words = CHARACTERS + [f"{character}</w>" for character in CHARACTERS]
    words += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True)
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({word: number for number, word in enumerate(words)}))
    merges.write_text("#version: 0.2\n")
    tokenizer = transformers.CLIPTokenizer(str(vocabulary), str(merges), model_max_length=77)
    config = transformers.CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=16,
        num_attention_heads=4,
        num_hidden_layers=1,
        bos_token_id=len(words) - 2,
        eos_token_id=len(words) - 1,
    )
    return tokenizer, transformers.CLIPTextModel(config)


def _autoencoder(**options: Any) -> Any:
    """One that makes latents an eighth of the size, as real ones do."""
    return _of("diffusers").AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=NORMS,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        **options,
    )
