"""Learned codecs with transforms and decoders of their own, without a context: what an autoencoder is worth by itself,
and one that is variational. docs/learned.md compares them with the others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from engine.codec import CodecInfo
from engine.codecs.learned_zoo import ZooCodec
from engine.codecs.photographs import learned_info

HIGHEST_QUALITY = 80.0  # of the range that the backbone has: for more, vectors would take too many codes


class AutoencoderCodec(ZooCodec):
    """One quantisation step for all coefficients, a static table for each."""

    info: ClassVar = learned_info(
        "ae",
        "Autoencoder",
        "one quantisation step for a fixed lapped transform, static tables; a decoder that knows squared errors only",
        (0.167, 0.201, 0.242, 0.29, 0.347, 0.412, 0.488, 0.57, 0.664, 0.763, 0.873, 0.991, 1.11, 1.25, 1.39, 1.54, 1.7),
    )


class VariationalCodec(ZooCodec):
    """Latents are Gaussian; what is paid for is their divergence from the prior. A stream holds their means."""

    info: ClassVar = learned_info(
        "vae",
        "β-VAE",
        "a variational autoencoder: Gaussian latents of learned deviations, rounded to them; a static learned prior",
        (
            0.097,
            0.109,
            0.122,
            0.139,
            0.16,
            0.189,
            0.223,
            0.264,
            0.312,
            0.369,
            0.432,
            0.506,
            0.583,
            0.67,
            0.758,
            0.849,
            0.951,
        ),
    )


def _vector_info() -> CodecInfo:
    like = learned_info(
        "vqvae",
        "VQ-VAE",
        "the transform of hyperprior; coefficients are coded some at a time, as indices into learned codebooks",
        (0.079, 0.108, 0.147, 0.2, 0.272, 0.362, 0.477, 0.607, 0.763),
    )
    quality = replace(like.params[0], default=40.0, hi=HIGHEST_QUALITY)
    return replace(like, params=(quality,), capabilities=replace(like.capabilities, regions=False))


class VectorCodec(ZooCodec):
    """Vectors are coded by the code that costs least, bits and error together."""

    info: ClassVar = _vector_info()
