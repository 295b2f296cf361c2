"""Learned codecs that share the transform, the gains and the decoder of `hyperprior`, and differ in what is known of a
coefficient before it is coded: from nothing but its channel to everything before it. docs/learned.md compares them.
"""

from __future__ import annotations

from typing import ClassVar

from engine.codecs.photographs import PhotographCodec, learned_info
from engine.container import Section


class ZooCodec(PhotographCodec):
    """Streams of one kind: the weights that they name say how the symbols are coded."""

    section = Section.LATENT
    stream_version = 1
    encoder_revision = 1


class FactorizedCodec(ZooCodec):
    """Nothing but the channel is known of a coefficient."""

    info: ClassVar = learned_info(
        "factorized",
        "Factorized prior",
        "the backbone of hyperprior; one learned density for each coefficient of a block, the same everywhere",
    )


class HyperpriorScaleCodec(ZooCodec):
    """The scale of a coefficient is known, from a hyper-latent."""

    info: ClassVar = learned_info(
        "hyperprior-scale",
        "Scale hyperprior",
        "the backbone of hyperprior; a hyper-latent tells the scale of every coefficient, and nothing else",
    )


class ChannelwiseCodec(ZooCodec):
    """Mean and scale are known from a hyper-latent and from the slices before."""

    info: ClassVar = learned_info(
        "channelwise",
        "Channel-wise",
        "the backbone of hyperprior; many slices of channels, each predicted from those before it in one pass",
    )


class AttentionGmmCodec(ZooCodec):
    """A mixture of densities is known of each coefficient."""

    info: ClassVar = learned_info(
        "attention-gmm",
        "Attention, mixtures",
        "the transform of hyperprior; mixtures of three densities for every coefficient, attention in the decoder",
    )


class RatescopeCodec(ZooCodec):
    """What measured best, together."""

    info: ClassVar = learned_info(
        "ratescope",
        "Ratescope",
        "every coefficient predicted from those before it, a deep decoder with attention: our best",
    )


class ContextArCodec(ZooCodec):
    """Mean and scale are known from a hyper-latent, earlier slices, and all positions before."""

    info: ClassVar = learned_info(
        "context-ar",
        "Autoregressive",
        "the backbone of hyperprior; every coefficient is predicted from the twelve positions before it, one by one",
    )
