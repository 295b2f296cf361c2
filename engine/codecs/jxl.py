"""JPEG XL by libjxl, through imagecodecs (no binding on PyPI that a default install may carry does better).

Light in floats is coded through its logarithm in 16 bits (log_coded.py), or as it is: then the file is a plain JPEG XL
file in linear BT.709 light, and may be lossless.
"""

from __future__ import annotations

from typing import Any

from engine import container
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs import gutters, log_coded, via_imagecodecs
from engine.codecs.checks import encoding, require_carried
from engine.color import LINEAR_SRGB, SRGB
from engine.errors import Unsupported
from engine.image import Image
from engine.io import decode, jxl

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.0817, 0.108, 0.163, 0.231, 0.318, 0.451, 0.648, 0.913, 1.29,
    1.88, 2.59, 3.6, 4.84, 6.09, 7.55, 9.12, 10.8,
)  # fmt: skip

_LOG_BITS = 16


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
            Param(
                "light",
                Kind.CHOICE,
                "log",
                choices=("log", "float"),
                label="HDR light",
                help="How floats are coded: as their logarithm in 16 bits, or as they are (lossless always does). "
                "Other pictures are not concerned.",
            ),
            gutters.param("keep"),
        ),
        capabilities=Capabilities(
            alpha=True,
            depths=(8, 16, 32),
            lossless=True,
            wide_gamut=False,
            memory=40.0,
            light="codes light as log2(x + 2⁻¹⁰) in 16 bits, or as floats, by the setting “HDR light”",
        ),
        about="libjxl through imagecodecs.",
    )

    def available(self) -> str | None:
        return via_imagecodecs.missing("JPEGXL", "JPEG XL")

    def version(self) -> str:
        return via_imagecodecs.library("jpegxl")

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        require_carried(image, self.info)
        chosen = self.info.complete(settings)
        ctx.check()
        image = gutters.filled(image, chosen)
        if image.is_float and not chosen["lossless"] and chosen["light"] == "log":
            data = log_coded.encode(image, "jxl", _LOG_BITS, lambda codes: self._file(codes, chosen, ctx))
        else:
            data = self._file(image, chosen, ctx)
        ctx.check()
        return Encoded(data)

    def _file(self, image: Image, chosen: dict[str, Any], ctx: Ctx) -> bytes:
        """The JPEG XL file of whole numbers, or of linear light in floats."""
        meant = LINEAR_SRGB if image.is_float else SRGB
        if image.icc is not None or (image.color != meant and not image.is_gray):
            raise Unsupported(
                f"imagecodecs writes JPEG XL in {meant} only",
                hint="HDR light coded as its logarithm may have other primaries" if image.is_float else "",
            )
        with encoding(self.info):
            data = via_imagecodecs.load().jpegxl_encode(
                image.pixels[:, :, 0] if image.channels == 1 else image.pixels,
                distance=None if chosen["lossless"] else chosen["distance"],
                lossless=chosen["lossless"],
                effort=chosen["effort"],
                numthreads=ctx.threads,
            )
        return bytes(data)

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        ctx.check()
        if container.is_ours(data):
            return log_coded.decode(data, "jxl", _LOG_BITS, lambda file: decode(file, jxl.READER, ctx))
        return decode(data, jxl.READER, ctx)
