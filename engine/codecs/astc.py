"""ASTC: blocks of 16 bytes for 4×4 to 12×12 texels, so the block's size is the rate. LDR for codes, HDR for light.

Arm's astcenc encodes and decodes. Khronos Data Format Specification 1.3, section 23.
"""

from __future__ import annotations

from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs import texture
from engine.codecs.checks import encoding
from engine.image import Image
from engine.textures import blocks
from engine.textures.formats import ASTC_BLOCKS, astc_format

_BY_RATE = sorted(ASTC_BLOCKS, key=lambda block: -block[0] * block[1])
_NAMES = {f"{width}x{height}": (width, height) for width, height in _BY_RATE}


class AstcCodec:
    """ASTC, the format of mobile cards."""

    info = CodecInfo(
        id="astc",
        label="ASTC",
        family="texture",
        extension=".ktx2",
        params=(
            Param(
                "block",
                Kind.CHOICE,
                "6x6",
                choices=tuple(_NAMES),
                role=Role.RATE,
                better=1,
                label="Block",
                help="Texels that share 16 bytes: 4x4 is 8 bits per pixel in video memory, 12x12 is 0.89.",
                typical_bpp=tuple(128 / (width * height) for width, height in _BY_RATE),
            ),
            Param(
                *("effort", Kind.CHOICE, "medium"),
                choices=tuple(blocks.ASTC_EFFORTS),
                role=Role.EFFORT,
                label="Effort",
                help="astcenc's presets.",
            ),
            texture.KTX2_ONLY,
        ),
        capabilities=Capabilities(
            alpha=True,
            depths=(8, 32),
            gray=False,
            wide_gamut=False,
            memory=24.0,
            max_side=texture.MAX_SIDE,
            light="codes light as ASTC HDR, whose light is half floats",
        ),
        about="Textures of mobile games, LDR and HDR. Arm's astcenc.",
    )

    def available(self) -> str | None:
        return blocks.missing("astc")

    def version(self) -> str:
        return texture.library("astc-encoder-py")

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        texture.require_texture(image, self.info)
        chosen = self.info.complete(settings)
        form = astc_format(_NAMES[chosen["block"]], "HDR" if image.is_float else "sRGB" if image.data is None else "")
        with encoding(self.info):
            data = texture.in_strips(
                image.pixels, form, ctx, lambda strip: blocks.astc_blocks(strip, form, chosen["effort"])
            )
        return texture.packed(form, image, data, chosen["file"])

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        return texture.decoded(data, type(self).info.id, ctx)
