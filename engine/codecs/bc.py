"""BC6H and BC7: 4×4 blocks of 16 bytes, encoded by Intel's compressor, decoded by another program (bcdec).

One rate: 8 bits per pixel in video memory, whatever the picture. Khronos Data Format Specification 1.3, section 20.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs import texture
from engine.codecs.checks import encoding
from engine.image import Image
from engine.textures import blocks
from engine.textures.formats import BY_NAME


def _effort(choices: tuple[str, ...]) -> Param:
    return Param("effort", Kind.CHOICE, "slow", choices=choices, role=Role.EFFORT, label="Effort")


Compress = Callable[[np.ndarray, str], bytes]


class _BlockCodec:
    """What both share. form: the format's name. compress: a strip of texels and an effort → its blocks."""

    info: CodecInfo
    form: str
    compress: Compress

    def available(self) -> str | None:
        return blocks.missing("ispc")

    def version(self) -> str:
        return texture.library("ispc_texcomp", "imagecodecs")

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        texture.require_texture(image, self.info)
        chosen = self.info.complete(settings)
        form = BY_NAME[self.form if image.data is None else self.form.removesuffix(" sRGB")]
        with encoding(self.info):
            data = texture.in_strips(image.pixels, form, ctx, lambda strip: self.compress(strip, chosen["effort"]))
        return texture.packed(form, image, data, chosen["file"])

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        return texture.decoded(data, type(self).info.id, ctx)


class Bc6hCodec(_BlockCodec):
    """BC6H, unsigned: the HDR format of desktop cards and consoles."""

    form = "BC6H"
    compress = staticmethod(blocks.bc6h)
    info = CodecInfo(
        id="bc6h",
        label="BC6H",
        family="texture",
        extension=".dds",
        params=(_effort(blocks.BC6H_EFFORTS), texture.DDS_OR_KTX2),
        capabilities=Capabilities(
            depths=(32,),
            gray=False,
            wide_gamut=False,
            memory=24.0,
            max_side=texture.MAX_SIDE,
            light="codes light as half floats in blocks of 4 × 4, at 8 bits per pixel in video memory",
        ),
        about="HDR textures of desktop games. Intel's ISPC encoder; decoded by bcdec.",
    )


class Bc7Codec(_BlockCodec):
    """BC7: 8-bit colours, with alpha."""

    form = "BC7 sRGB"
    compress = staticmethod(blocks.bc7)
    info = CodecInfo(
        id="bc7",
        label="BC7",
        family="texture",
        extension=".dds",
        params=(_effort(blocks.BC7_EFFORTS), texture.DDS_OR_KTX2),
        capabilities=Capabilities(alpha=True, gray=False, wide_gamut=False, memory=24.0, max_side=texture.MAX_SIDE),
        about="8-bit textures of desktop games. Intel's ISPC encoder; decoded by bcdec.",
    )
