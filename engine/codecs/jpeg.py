"""JPEG by libjpeg-turbo: the anchor of every comparison, with optimised Huffman tables and progressive scans."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import ImageFile

from engine.bit_map import BitMap
from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.codecs import jpeg_bits, via_pillow
from engine.codecs.checks import require_carried
from engine.image import Image
from engine.io import decode, pillow

# Measured on six photographs of 768 × 512 at default settings.
_TYPICAL_BPP = (
    0.0807, 0.133, 0.197, 0.263, 0.318, 0.362, 0.406, 0.445, 0.481,
    0.53, 0.58, 0.645, 0.727, 0.864, 1.14, 1.71, 4.25,
)  # fmt: skip

_buffer_lock = threading.Lock()


class JpegCodec:
    """Baseline or progressive JPEG (ITU-T T.81), Huffman tables optimised per file."""

    info = CodecInfo(
        id="jpeg",
        label="JPEG",
        family="dct",
        extension=".jpg",
        params=(
            Param("quality", Kind.INT, 75, 1, 100, role=Role.RATE, better=1, label="Quality", typical_bpp=_TYPICAL_BPP),
            Param("chroma", Kind.CHOICE, "4:2:0", choices=("4:2:0", "4:2:2", "4:4:4"), label="Chroma"),
            Param("progressive", Kind.BOOL, True, label="Progressive", help="Slightly smaller; opens in passes."),
        ),
        capabilities=Capabilities(memory=6.0, max_side=65_500),
        about="libjpeg-turbo through Pillow, optimised Huffman tables.",
    )

    def available(self) -> str | None:
        return via_pillow.missing("jpg", "JPEG")

    def version(self) -> str:
        return via_pillow.library("libjpeg_turbo", "libjpeg-turbo")

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        require_carried(image, self.info)
        chosen = self.info.complete(settings)
        ctx.check()
        with _room_for(image):
            data = via_pillow.save(
                image,
                self.info,
                "JPEG",
                quality=chosen["quality"],
                subsampling=chosen["chroma"],
                progressive=chosen["progressive"],
                optimize=True,
            )
        ctx.check()
        return Encoded(data, mapped=self.bit_map)

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        ctx.check()
        return decode(data, pillow.JPEG, ctx)

    def bit_map(self, data: bytes, ctx: Ctx) -> BitMap:
        return jpeg_bits.bit_map(data, self.info, ctx)


@contextmanager
def _room_for(image: Image) -> Iterator[None]:
    """Let Pillow hand libjpeg a buffer that holds any file.

    It sizes the one buffer of an optimised file by guess, and fails where the file is larger, as noise at high
    quality is. It takes the size from a module global; two bytes a sample always suffice.
    """
    with _buffer_lock:
        before = ImageFile.MAXBLOCK
        ImageFile.MAXBLOCK = max(before, 2 * image.pixels.size)
        try:
            yield
        finally:
            ImageFile.MAXBLOCK = before
