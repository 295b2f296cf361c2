"""AVIF by libavif: AV1 key frames, encoded by aom, decoded by dav1d."""

from __future__ import annotations

from PIL import AvifImagePlugin

from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs import via_pillow
from engine.codecs.checks import require_carried
from engine.image import Image
from engine.io import avif, decode

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.0568, 0.0675, 0.0822, 0.101, 0.122, 0.15, 0.193, 0.244, 0.325,
    0.393, 0.464, 0.584, 0.694, 0.824, 1.18, 1.62, 4.08,
)  # fmt: skip


class AvifCodec:
    """AVIF, 8 bits a sample. Pillow's build has no lossless path: quality 100 is off by up to two levels."""

    info = CodecInfo(
        id="avif",
        label="AVIF",
        family="predictive",
        extension=".avif",
        params=(
            Param("quality", Kind.INT, 60, 0, 100, role=Role.RATE, better=1, label="Quality", typical_bpp=_TYPICAL_BPP),
            Param("chroma", Kind.CHOICE, "4:2:0", choices=("4:2:0", "4:2:2", "4:4:4"), label="Chroma"),
            Param(
                "tune",
                Kind.CHOICE,
                "default",
                choices=("default", "ssim", "psnr"),
                label="Tuned for",
                help="libavif's default is tuned for the eye; psnr saves a tenth at equal PSNR and costs a quarter at "
                "equal MS-SSIM.",
            ),
            Param("speed", Kind.INT, 8, 0, 10, role=Role.EFFORT, label="Speed", help="0 is slowest and smallest."),
        ),
        capabilities=Capabilities(alpha=True, memory=20.0, max_side=32_768),
        about="libavif (aom) through Pillow; one tile, so that bytes do not depend on the machine.",
    )

    def available(self) -> str | None:
        reason = via_pillow.missing("avif", "AVIF")
        if reason is None and AvifImagePlugin.get_codec_version("aom") is None:
            return "the libavif of this Pillow has no aom encoder: install the wheel with 'pip install -U pillow'"
        return reason

    def version(self) -> str:
        return f"aom {AvifImagePlugin.get_codec_version('aom')}, {via_pillow.library('avif', 'libavif')}"

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        require_carried(image, self.info)
        chosen = self.info.complete(settings)
        tune = () if chosen["tune"] == "default" else (("tune", chosen["tune"]),)
        ctx.check()
        data = via_pillow.save(
            image,
            self.info,
            "AVIF",
            quality=chosen["quality"],
            subsampling="4:0:0" if image.is_gray else chosen["chroma"],
            speed=chosen["speed"],
            codec="aom",
            advanced=tune,
            # aom's bytes differ between one thread and several, and tiles between machines. One setting, one file:
            max_threads=1,
            autotiling=False,
        )
        ctx.check()
        return Encoded(data)

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        ctx.check()
        return decode(data, avif.READER, ctx)
