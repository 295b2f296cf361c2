"""HEIC by libheif: HEVC key frames, encoded by x265. An optional extra: x265 is under the GPL (engine/io/heic.py)."""

from __future__ import annotations

import io
from importlib.metadata import PackageNotFoundError, version

from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs.checks import encoding, require_carried
from engine.errors import CodecUnavailable
from engine.image import Image
from engine.io import decode, heic

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.0369, 0.052, 0.0758, 0.127, 0.184, 0.263, 0.367, 0.501, 0.679,
    0.948, 1.38, 2.25, 2.99, 3.72, 4.3, 4.74, 4.75,
)  # fmt: skip

_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo")


class HeicCodec:
    """HEIC, 8 bits a sample, as telephones write it."""

    info = CodecInfo(
        id="heic",
        label="HEIC",
        family="predictive",
        extension=".heic",
        params=(
            Param("quality", Kind.INT, 50, 0, 100, role=Role.RATE, better=1, label="Quality", typical_bpp=_TYPICAL_BPP),
            Param("chroma", Kind.CHOICE, "4:2:0", choices=("4:2:0", "4:2:2", "4:4:4"), label="Chroma"),
            Param("tune", Kind.CHOICE, "ssim", choices=("ssim", "psnr", "grain"), label="Tuned for"),
            Param("preset", Kind.CHOICE, "medium", choices=_PRESETS, role=Role.EFFORT, label="Preset"),
        ),
        capabilities=Capabilities(alpha=True, gray=False, memory=30.0, max_side=8192),
        about="libheif (x265) through pillow-heif; an optional extra, as x265 is under the GPL.",
    )

    def available(self) -> str | None:
        heif = heic.load()
        if heif is None:
            return heic.INSTALL
        return None if heif.libheif_info()["HEIF"] else "this pillow-heif was built without an HEVC encoder"

    def version(self) -> str:
        heif = heic.load()
        try:
            found = heif.libheif_info() if heif is not None else {}
            return f"{found['HEIF']}, libheif {found['libheif']}, pillow-heif {version('pillow-heif')}"
        except (KeyError, PackageNotFoundError):
            return "pillow-heif missing"

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        require_carried(image, self.info)
        chosen = self.info.complete(settings)
        ctx.check()
        heif = heic.load()
        if heif is None:
            raise CodecUnavailable(f"HEIC cannot run here: {heic.INSTALL}")
        with encoding(self.info):
            mode = "RGBA" if image.has_alpha else "RGB"
            file = heif.from_bytes(mode, (image.width, image.height), image.pixels.tobytes())
            if image.icc is not None:
                file.info["icc_profile"] = image.icc
            out = io.BytesIO()
            file.save(
                out,
                quality=chosen["quality"],
                chroma=chosen["chroma"].replace(":", ""),
                color_primaries=image.color.primaries,
                transfer_characteristics=image.color.transfer,
                # One setting, one file: with wavefronts the bytes depend on how many threads there are.
                enc_params={"preset": chosen["preset"], "tune": chosen["tune"], "x265:wpp": "0"},
            )
        ctx.check()
        return Encoded(out.getvalue())

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        ctx.check()
        return decode(data, heic.READER, ctx)
