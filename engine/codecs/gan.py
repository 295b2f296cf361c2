"""`gan`: the symbols of `hyperprior`, and a second decoder that makes up the texture which few bits leave out.

That was trained against a discriminator and on the statistics of texture (docs/learned.md). The encoder says how far to
go from the faithful decoder to the plausible one: a byte in the stream.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from engine.codec import CodecInfo, Ctx, Kind, Param
from engine.codecs.learned import Model, Source
from engine.codecs.photographs import TYPICAL_BPP, PhotographCodec, learned_info
from engine.container import Picture, Section
from engine.errors import CorruptStream
from engine.image import Image

HIGHEST_QUALITY = 50.0  # of the range that `hyperprior` has: about 0.25 bit per pixel
_WHOLE = 100
DEFAULT_BLEND = 75  # where FLIP and Patch Fréchet are both better than the faithful decoder's at all rates


def _info() -> CodecInfo:
    like = learned_info(
        "gan",
        "GAN",
        "symbols of hyperprior; a second decoder, trained against a discriminator, makes up what few bits leave out",
        TYPICAL_BPP[: len(TYPICAL_BPP) // 2 + 1],
    )
    quality = replace(
        like.params[0],
        default=25.0,
        hi=HIGHEST_QUALITY,
        help="as of hyperprior, with the same symbols at the same quality; up to about 0.25 bit per pixel",
    )
    blend = Param(
        "blend",
        Kind.INT,
        DEFAULT_BLEND,
        0,
        _WHOLE,
        label="Blend",
        help="from 0, the faithful picture that hyperprior shows, to 100, with made-up texture where bits leave it out",
    )
    return replace(like, params=(quality, blend))


class GanCodec(PhotographCodec):
    """The codec of this module."""

    info: ClassVar = _info()
    section = Section.GAN
    stream_version = 1
    encoder_revision = 1
    extra_bytes = 1

    def _source(self, image: Image, chosen: dict[str, Any], model: Model, ctx: Ctx) -> Source:
        return replace(super()._source(image, chosen, model, ctx), extra=bytes([chosen["blend"]]))

    def _claims(self, picture: Picture, extra: bytes) -> None:
        super()._claims(picture, extra)
        if extra[0] > _WHOLE:
            raise CorruptStream(f"the gan stream claims a blend of {extra[0]} %")

    def _blend(self, extra: bytes) -> float:
        return extra[0] / _WHOLE

    def details(self, data: bytes, ctx: Ctx) -> dict[str, Any]:
        """As of the others, and the blend: how much of the plausible decoder is asked for, in per cent."""
        _, head, _ = self._read(data)
        return {**super().details(data, ctx), "blend": head.extra[0]}
