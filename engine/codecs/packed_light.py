"""RGBM, dLDR and RGBE: light in 8-bit textures, by the definitions in engine/textures/packed.py.

The texels lie as they are or in the blocks that engines put them into. The file is KTX2, which names the packing under
a key of ours, as no standard does; other programs show the texels.
"""

from __future__ import annotations

import numpy as np

from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Settings
from engine.codecs import texture
from engine.codecs.checks import encoding
from engine.image import Image
from engine.textures import blocks
from engine.textures.formats import BY_NAME, TexelFormat, astc_format
from engine.textures.packed import PACKINGS

_TEXELS = ("rgba8", "bc3", "bc7", "astc-4x4", "astc-6x6", "astc-8x8")
_HELP = "How the 8-bit texels lie in video memory: as they are (32 bits per pixel), or in blocks."


def _format(texels: str, kind: str) -> TexelFormat:
    """kind: "sRGB" or ""."""
    if texels.startswith("astc"):
        width, height = texels.removeprefix("astc-").split("x")
        return astc_format((int(width), int(height)), kind)
    return BY_NAME[f"{texels.upper()} {kind}".strip()]


class PackedLightCodec:
    """A codec of one of `engine.textures.packed.PACKINGS`."""

    info: CodecInfo

    def available(self) -> str | None:
        return blocks.missing("ispc", "astc")

    def version(self) -> str:
        return texture.library("ispc_texcomp", "astc-encoder-py", "imagecodecs")

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        texture.require_texture(image, self.info)
        chosen = self.info.complete(settings)
        packing = PACKINGS[type(self).info.id]
        form = _format(chosen.get("texels", "rgba8"), "sRGB" if packing.srgb else "")
        with encoding(self.info):
            data = texture.in_strips(image.pixels, form, ctx, lambda strip: _texels(packing.codes(strip), form))
        found = texture.packed(form, image, data, chosen["file"], light=packing.id)
        clipped = int((image.pixels > packing.brightest).any(axis=2).sum())
        return Encoded(found.data, {**found.stats, "clipped_texels": clipped})

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        return texture.decoded(data, type(self).info.id, ctx)


def _texels(codes: np.ndarray, form: TexelFormat) -> bytes:
    name = form.name.split()[0]
    if name == "BC3":
        return blocks.bc3(codes)
    if name == "BC7":
        return blocks.bc7(codes, "basic")
    if name == "ASTC":
        return blocks.astc_blocks(codes, form, "medium")
    return blocks.with_alpha(codes).tobytes()


def _info(codec_id: str, label: str, light: str, about: str, default: str) -> CodecInfo:
    texels = Param("texels", Kind.CHOICE, default, choices=_TEXELS, label="Texels", help=_HELP)
    return CodecInfo(
        id=codec_id,
        label=label,
        family="texture",
        extension=".ktx2",
        params=((texels, texture.KTX2_ONLY) if default else (texture.KTX2_ONLY,)),
        capabilities=Capabilities(
            depths=(32,), gray=False, wide_gamut=False, memory=40.0, max_side=texture.MAX_SIDE, light=light
        ),
        about=about,
    )


class RgbmCodec(PackedLightCodec):
    info = _info(
        "rgbm",
        "RGBM",
        "codes light up to 34.49 as 8-bit colours and a multiplier; what is brighter is clipped",
        "Unity's lightmaps of Normal Quality: 0 to 5 in gamma, 0 to 34.49 in linear colour space.",
        "bc3",
    )


class DldrCodec(PackedLightCodec):
    info = _info(
        "dldr",
        "dLDR",
        "codes light up to 4.59 as 8-bit colours; what is brighter is clipped",
        "Unity's double LDR, of mobile lightmaps of Low Quality: 0 to 2 in gamma, 0 to 4.59 in linear colour space.",
        "astc-6x6",
    )


class RgbeCodec(PackedLightCodec):
    info = _info(
        "rgbe",
        "RGBE",
        "codes light as three mantissas and one exponent of 8 bits",
        "Radiance's four bytes in an RGBA8 texture, 32 bits per pixel in video memory: blocks break exponents.",
        "",
    )
