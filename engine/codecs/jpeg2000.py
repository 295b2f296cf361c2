"""JPEG 2000 by OpenJPEG: the 9/7 wavelet with the colour transform, or the reversible 5/3 one.

It goes through imagecodecs rather than Pillow, which links the same library: Pillow hands over no 16-bit colour and
no threads, and leaves the colour transform off. The JP2 boxes around the codestream are written here, so that alpha
and colour profile are declared. Light in floats goes through its logarithm in 16 bits (log_coded.py).
"""

from __future__ import annotations

import struct
from typing import Any

from engine import container
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs import gutters, log_coded, via_imagecodecs
from engine.codecs.checks import encoding, profile_of, require_carried
from engine.image import Image
from engine.io import decode, jpeg2000

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.0064, 0.0071, 0.0127, 0.0263, 0.0616, 0.143, 0.294, 0.533, 0.866,
    1.28, 1.8, 2.38, 2.94, 3.29, 3.47, 3.56, 3.61,
)  # fmt: skip

_ENUMERATED, _RESTRICTED_ICC = 1, 2
_SRGB, _GREY = 16, 17
_LOG_BITS = 16


def _box(kind: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)


_SIGNATURE = _box(b"jP  ", b"\r\n\x87\n")
_FILE_TYPE = _box(b"ftyp", b"jp2 ", bytes(4), b"jp2 ")


class Jpeg2000Codec:
    """JPEG 2000 part 1 (ITU-T T.800) in a JP2 file: one tile, one layer, rate-distortion optimised for a PSNR."""

    info = CodecInfo(
        id="jpeg2000",
        label="JPEG 2000",
        family="wavelet",
        extension=".jp2",
        params=(
            Param(
                "quality",
                Kind.FLOAT,
                36.0,
                15,
                70,
                role=Role.RATE,
                better=1,
                label="Quality (dB)",
                help="The PSNR that OpenJPEG allocates bits for.",
                typical_bpp=_TYPICAL_BPP,
            ),
            Param("lossless", Kind.BOOL, False, label="Lossless", help="Reversible 5/3; quality has no effect."),
            gutters.param("fill"),
        ),
        capabilities=Capabilities(
            alpha=True, depths=(8, 10, 12, 16, 32), lossless=True, memory=16.0, light=log_coded.LIGHT_16
        ),
        about="OpenJPEG, 9/7 wavelet, colour transform on (OpenJPEG has none for pictures with alpha).",
    )

    def available(self) -> str | None:
        return via_imagecodecs.missing("JPEG2K", "JPEG 2000")

    def version(self) -> str:
        return via_imagecodecs.library("jpeg2k")

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        require_carried(image, self.info)
        chosen = self.info.complete(settings)
        ctx.check()
        if image.is_float:
            log_coded.require_lossy(self.info, chosen)
            light = gutters.filled(image, chosen)
            data = log_coded.encode(light, "jpeg2000", _LOG_BITS, lambda codes: self._file(codes, chosen, ctx))
        else:
            data = self._file(image, chosen, ctx)
        ctx.check()
        return Encoded(data)

    def _file(self, image: Image, chosen: dict[str, Any], ctx: Ctx) -> bytes:
        """The JP2 file of whole numbers."""
        with encoding(self.info):
            codestream = via_imagecodecs.load().jpeg2k_encode(
                image.pixels[:, :, 0] if image.channels == 1 else image.pixels,
                level=None if chosen["lossless"] else chosen["quality"],
                codecformat="j2k",
                reversible=chosen["lossless"],
                mct=True,
                bitspersample=image.bits,
                numthreads=ctx.threads,
            )
        return _SIGNATURE + _FILE_TYPE + _header(image) + _box(b"jp2c", bytes(codestream))

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        ctx.check()
        if container.is_ours(data):
            return log_coded.decode(data, "jpeg2000", _LOG_BITS, lambda file: decode(file, jpeg2000.READER, ctx))
        return decode(data, jpeg2000.READER, ctx)


def _header(image: Image) -> bytes:
    """The `jp2h` box: size and depth, colour, and which channel is alpha (ITU-T T.800, I.5.3)."""
    size = _box(b"ihdr", struct.pack(">IIHBBBB", image.height, image.width, image.channels, image.bits - 1, 7, 0, 0))
    icc = profile_of(image)
    if icc is None:
        colour = _box(b"colr", struct.pack(">BBBI", _ENUMERATED, 0, 0, _GREY if image.is_gray else _SRGB))
    else:
        colour = _box(b"colr", struct.pack(">BBB", _RESTRICTED_ICC, 0, 0), icc)
    if not image.has_alpha:
        return _box(b"jp2h", size, colour)
    last = image.channels - 1
    kinds = [(c, 0, c + 1) for c in range(last)] + [(last, 1, 0)]  # 1: opacity, of the whole picture
    channels = _box(b"cdef", struct.pack(">H", len(kinds)), *(struct.pack(">HHH", *kind) for kind in kinds))
    return _box(b"jp2h", size, colour, channels)
