"""AVIF by libavif: AV1 key frames, encoded by aom, decoded by dav1d.

Pictures of 8 bits go through Pillow, which knows aom's tuning; light in floats goes through its logarithm in 12 bits
(log_coded.py), which only imagecodecs writes.
"""

from __future__ import annotations

from typing import Any

from PIL import AvifImagePlugin

from engine import container
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs import log_coded, via_imagecodecs, via_pillow
from engine.codecs.checks import encoding, require_carried
from engine.image import Image
from engine.io import avif, decode

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.0568, 0.0675, 0.0822, 0.101, 0.122, 0.15, 0.193, 0.244, 0.325,
    0.393, 0.464, 0.584, 0.694, 0.824, 1.18, 1.62, 4.08,
)  # fmt: skip

_LOG_BITS = 12


class AvifCodec:
    """AVIF, 8 bits a sample, 12 for light. Pillow's build has no lossless path: quality 100 is off by up to two."""

    info = CodecInfo(
        id="avif",
        label="AVIF",
        family="predictive",
        extension=".avif",
        params=(
            Param("quality", Kind.INT, 60, 0, 100, role=Role.RATE, better=1, label="Quality", typical_bpp=_TYPICAL_BPP),
            Param(
                "chroma",
                Kind.CHOICE,
                "4:2:0",
                choices=("4:2:0", "4:2:2", "4:4:4"),
                label="Chroma",
                help="HDR light is always 4:4:4, which costs it no bits.",
                on_light="4:4:4",
            ),
            Param(
                "tune",
                Kind.CHOICE,
                "default",
                choices=("default", "ssim", "psnr"),
                label="Tuned for",
                help="libavif's default is tuned for the eye; psnr saves a tenth at equal PSNR and costs a quarter at "
                "equal MS-SSIM. HDR light is coded by the default.",
                on_light="default",
            ),
            Param("speed", Kind.INT, 8, 0, 10, role=Role.EFFORT, label="Speed", help="0 is slowest and smallest."),
        ),
        capabilities=Capabilities(alpha=True, depths=(8, 32), memory=20.0, max_side=32_768, light=log_coded.LIGHT_12),
        about="libavif (aom) through Pillow; one tile, so that bytes do not depend on the machine.",
    )

    def available(self) -> str | None:
        reason = via_pillow.missing("avif", "AVIF") or via_imagecodecs.missing("AVIF", "AVIF")
        if reason is None and AvifImagePlugin.get_codec_version("aom") is None:
            return "the libavif of this Pillow has no aom encoder: install the wheel with 'pip install -U pillow'"
        return reason

    def version(self) -> str:
        aom = AvifImagePlugin.get_codec_version("aom")
        return f"aom {aom}, {via_pillow.library('avif', 'libavif')}; light: {via_imagecodecs.library('avif')}"

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        require_carried(image, self.info)
        chosen = self.info.complete(settings)
        ctx.check()
        if image.is_float:
            data = log_coded.encode(image, "avif", _LOG_BITS, lambda codes: self._deep_file(codes, chosen))
        else:
            data = self._file(image, chosen)
        ctx.check()
        return Encoded(data)

    def _file(self, image: Image, chosen: dict[str, Any]) -> bytes:
        """The AVIF file of an 8-bit picture."""
        tune = () if chosen["tune"] == "default" else (("tune", chosen["tune"]),)
        return via_pillow.save(
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

    def _deep_file(self, codes: Image, chosen: dict[str, Any]) -> bytes:
        """The AVIF file of codes of 12 bits."""
        with encoding(self.info):
            data = via_imagecodecs.load().avif_encode(
                codes.pixels[:, :, 0] if codes.is_gray else codes.pixels,
                chosen["quality"],
                speed=chosen["speed"],
                bitspersample=_LOG_BITS,
                pixelformat="400" if codes.is_gray else "444",  # less chroma saves nothing at any quality of light
                codec="aom",
                numthreads=1,
            )
        return bytes(data)

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        ctx.check()
        if container.is_ours(data):
            return log_coded.decode(data, "avif", _LOG_BITS, lambda file: decode(file, avif.READER, ctx))
        return decode(data, avif.READER, ctx)
