"""OpenEXR's lossy compression, DWAA and DWAB: the file is a plain .exr, which every program of film and games opens.

Half floats go through a curve that is a power below 1 and a logarithm above, then through an 8 × 8 DCT; its AC
coefficients are coded by Huffman, the DC ones by zlib, for 32 (DWAA) or 256 (DWAB) rows at a time. By DreamWorks
Animation, described in OpenEXR's `internal_dwa.c`.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs import texture
from engine.codecs.checks import encoding, require_carried
from engine.errors import CorruptStream
from engine.image import Image
from engine.io import decode, exr
from engine.light import HALF_MAX

# Measured on nine lightmaps of 128² to 1024² texels at default settings.
_TYPICAL_BPP = (
    0.0379, 0.058, 0.0855, 0.13, 0.192, 0.293, 0.426, 0.675, 1.02,
    1.51, 2.21, 3.21, 4.63, 6.4, 8.1, 9.63, 11.1,
)  # fmt: skip

_BLOCKS = {"32": "DWAA", "256": "DWAB"}


class ExrDwaCodec:
    """DWA in OpenEXR: the DCT of half floats."""

    info = CodecInfo(
        id="exr-dwa",
        label="OpenEXR DWA",
        family="dct",
        extension=".exr",
        params=(
            Param(
                "level",
                Kind.FLOAT,
                45.0,
                0.05,
                100_000,
                role=Role.RATE,
                better=-1,
                log=True,
                label="DWA level",
                help="OpenEXR's dwaCompressionLevel: 45 is what programs begin with, larger is smaller and worse.",
                typical_bpp=_TYPICAL_BPP,
            ),
            Param(
                "block",
                Kind.CHOICE,
                "256",
                choices=tuple(_BLOCKS),
                label="Block",
                help="Rows that are coded at a time: 32 is DWAA, which programs read in parts, 256 is DWAB, smaller.",
            ),
        ),
        capabilities=Capabilities(
            depths=(32,),
            memory=24.0,
            light="rounds light to half floats, up to 65504, and codes it lossily as DWA",
        ),
        about="OpenEXR's lossy compression, DWAA and DWAB. Files that every EXR reader opens.",
    )

    def available(self) -> str | None:
        if find_spec("OpenEXR") is None:  # not loaded: the window asks every codec when it starts
            return "the OpenEXR package is missing: install it with 'pip install OpenEXR'"
        return None

    def version(self) -> str:
        return texture.library("OpenEXR")

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        import OpenEXR

        require_carried(image, self.info)
        chosen = self.info.complete(settings)
        ctx.check()
        halves = image.pixels.clip(0, HALF_MAX).astype(np.float16)
        channels = {name: halves[:, :, place] for place, name in enumerate("Y" if image.is_gray else "RGB")}
        header = {
            "compression": getattr(OpenEXR, f"{_BLOCKS[chosen['block']]}_COMPRESSION"),
            "dwaCompressionLevel": chosen["level"],
        }
        with encoding(self.info):
            data = exr.written(channels, header, image.color)
        ctx.check()
        return Encoded(data)

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        ctx.check()
        image = decode(data, exr.READER, ctx)
        if not exr.is_dwa(data):
            raise CorruptStream("the OpenEXR file is not compressed by DWA")
        return image.with_pixels(np.maximum(image.pixels, 0))  # the DCT rings below black
