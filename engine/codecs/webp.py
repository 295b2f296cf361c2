"""WebP by libwebp: VP8 key frames, or the lossless format of its own."""

from __future__ import annotations

from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs import via_pillow
from engine.codecs.checks import require_carried
from engine.image import Image
from engine.io import decode, pillow

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.0737, 0.134, 0.164, 0.19, 0.216, 0.243, 0.271, 0.298, 0.322,
    0.351, 0.379, 0.407, 0.441, 0.572, 0.781, 1.25, 2.11,
)  # fmt: skip

_LOSSLESS_EFFORT = 75  # with `lossless`, libwebp reads its quality as effort


class WebpCodec:
    """WebP (RFC 9649). Lossy chroma is always 4:2:0; the quality knob takes fractions, as libwebp itself does."""

    info = CodecInfo(
        id="webp",
        label="WebP",
        family="predictive",
        extension=".webp",
        params=(
            Param(
                "quality", Kind.FLOAT, 75.0, 0, 100, role=Role.RATE, better=1, label="Quality", typical_bpp=_TYPICAL_BPP
            ),
            Param("method", Kind.INT, 4, 0, 6, role=Role.EFFORT, label="Method", help="6 is slowest and smallest."),
            Param("lossless", Kind.BOOL, False, label="Lossless", help="Exact; the quality then has no effect."),
        ),
        capabilities=Capabilities(alpha=True, gray=False, lossless=True, memory=14.0, max_side=16_383),
        about="libwebp through Pillow.",
    )

    def available(self) -> str | None:
        return via_pillow.missing("webp", "WebP")

    def version(self) -> str:
        return via_pillow.library("webp", "libwebp")

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        require_carried(image, self.info)
        chosen = self.info.complete(settings)
        lossless = chosen["lossless"]
        ctx.check()
        data = via_pillow.save(
            image,
            self.info,
            "WEBP",
            quality=_LOSSLESS_EFFORT if lossless else chosen["quality"],
            method=chosen["method"],
            lossless=lossless,
            exact=lossless,  # else the colour under full transparency is lost
        )
        ctx.check()
        return Encoded(data)

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        ctx.check()
        return decode(data, pillow.WEBP, ctx)
