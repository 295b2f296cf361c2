"""Learned codecs with transforms and decoders of their own, without a context: what an autoencoder is worth by itself,
and one that is variational. docs/learned.md compares them with the others.
"""

from __future__ import annotations

from typing import ClassVar

from engine.codecs.learned_zoo import ZooCodec
from engine.codecs.photographs import learned_info


class AutoencoderCodec(ZooCodec):
    """One quantisation step for all coefficients, a static table for each."""

    info: ClassVar = learned_info(
        "ae",
        "Autoencoder",
        "one quantisation step for a fixed lapped transform, static tables; a decoder that knows squared errors only",
    )


class VariationalCodec(ZooCodec):
    """Latents are Gaussian; what is paid for is their divergence from the prior. A stream holds their means."""

    info: ClassVar = learned_info(
        "vae",
        "β-VAE",
        "a variational autoencoder: Gaussian latents of learned deviations, rounded to them; a static learned prior",
    )
