"""`hyperprior`: our learned codec. A lapped transform, an entropy model of integer networks, a learned decoder."""

from __future__ import annotations

from typing import ClassVar

from engine.codecs.photographs import PhotographCodec, learned_info
from engine.container import Section


class HyperpriorCodec(PhotographCodec):
    """The codec of this module."""

    info: ClassVar = learned_info(
        "hyperprior",
        "Hyperprior",
        "lapped transform, sliced two-pass hyperprior in integers, learned decoder; one model for all rates",
    )
    section = Section.HYPERPRIOR
    stream_version = 1
    encoder_revision = 1
