"""JPEG XL by libjxl, through imagecodecs (no binding on PyPI that a default install may carry does better)."""

from __future__ import annotations

from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs import via_imagecodecs
from engine.codecs.checks import encoding, require_carried
from engine.color import SRGB
from engine.errors import Unsupported
from engine.image import Image
from engine.io import decode, jxl

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.0817, 0.108, 0.163, 0.231, 0.318, 0.451, 0.648, 0.913, 1.29,
    1.88, 2.59, 3.6, 4.84, 6.09, 7.55, 9.12, 10.8,
)  # fmt: skip


class JxlCodec:
    """JPEG XL (ISO/IEC 18181): VarDCT by Butteraugli distance, or the lossless modular mode."""

    info = CodecInfo(
        id="jxl",
        label="JPEG XL",
        family="predictive",
        extension=".jxl",
        params=(
            Param(
                "distance",
                Kind.FLOAT,
                1.0,
                0.02,
                25,
                role=Role.RATE,
                better=-1,
                log=True,
                label="Distance",
                help="Butteraugli distance: 1 is visually lossless, larger is smaller and worse.",
                typical_bpp=_TYPICAL_BPP,
            ),
            Param("effort", Kind.INT, 5, 1, 10, role=Role.EFFORT, label="Effort", help="9 and 10 are very slow."),
            Param("lossless", Kind.BOOL, False, label="Lossless", help="Exact; distance has no effect."),
        ),
        capabilities=Capabilities(alpha=True, depths=(8, 16), lossless=True, wide_gamut=False, memory=40.0),
        about="libjxl through imagecodecs.",
    )

    def available(self) -> str | None:
        return via_imagecodecs.missing("JPEGXL", "JPEG XL")

    def version(self) -> str:
        return via_imagecodecs.library("jpegxl")

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        require_carried(image, self.info)
        if image.icc is not None or (image.color != SRGB and not image.is_gray):
            raise Unsupported("imagecodecs writes sRGB JPEG XL only", hint="convert the picture to sRGB first")
        chosen = self.info.complete(settings)
        ctx.check()
        with encoding(self.info):
            data = via_imagecodecs.load().jpegxl_encode(
                image.pixels[:, :, 0] if image.channels == 1 else image.pixels,
                distance=None if chosen["lossless"] else chosen["distance"],
                lossless=chosen["lossless"],
                effort=chosen["effort"],
                numthreads=ctx.threads,
            )
        ctx.check()
        return Encoded(bytes(data))

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        ctx.check()
        return decode(data, jxl.READER, ctx)
