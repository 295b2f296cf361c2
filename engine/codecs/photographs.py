"""What our learned codecs of photographs share: 8-bit grey or colour, one knob."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.codec import Capabilities, CodecInfo, Ctx
from engine.codecs.checks import require_carried
from engine.codecs.learned import LearnedCodec, Model, Source, padded, quality_param
from engine.container import Picture
from engine.errors import CorruptStream
from engine.image import Image

# Of `hyperprior`, measured on six photographs of 768 × 512.
TYPICAL_BPP = (
    0.0699, 0.0812, 0.0947, 0.113, 0.136, 0.164, 0.197, 0.232, 0.274,
    0.322, 0.376, 0.434, 0.498, 0.567, 0.642, 0.722, 0.813,
)  # fmt: skip


def learned_info(codec: str, label: str, about: str, typical_bpp: tuple[float, ...] = TYPICAL_BPP) -> CodecInfo:
    """Who a learned codec of photographs is."""
    quality = quality_param(", about 0.1 to 1 bit per pixel", typical_bpp)
    return CodecInfo(
        id=codec,
        label=label,
        family="learned",
        extension=".rsl",
        params=(quality,),
        capabilities=Capabilities(memory=48.0, regions=True),
        about=about,
    )


class PhotographCodec(LearnedCodec):
    """A learned codec of photographs. Decoded symbols are the same everywhere; pixels may differ by one level."""

    def _source(self, image: Image, chosen: dict[str, Any], model: Model, ctx: Ctx) -> Source:
        """Of 8-bit grey or R, G, B."""
        require_carried(image, self.info)
        from engine.learned import tiles
        from engine.learned.forecast import Outlook

        colours = np.broadcast_to(image.colour_pixels, (image.height, image.width, 3))
        analysis = tiles.Analysis(model.networks, padded(colours), ctx)
        outlook = Outlook(analysis, image.width * image.height, model.symbols.points)
        return Source(Picture.of(image), b"", analysis, outlook, image.importance)

    def _claims(self, picture: Picture, extra: bytes) -> None:
        if picture.bits != 8 or picture.channels not in (1, 3):
            raise CorruptStream(f"the {self.info.id} stream claims a picture of a kind that it cannot hold")

    def _image(self, pixels: np.ndarray, picture: Picture, extra: bytes) -> Image:
        whole = np.rint(pixels.clip(0, 255)).astype(np.uint8)
        return Image(whole, picture.color, picture.alpha, picture.bits, picture.icc)
