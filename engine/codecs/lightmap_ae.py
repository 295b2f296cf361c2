"""`lightmap-ae`: the networks of `hyperprior` trained on lightmaps, on the logarithm of light.

Stops, log2(x + 2⁻¹⁰), take the place of code values, 64 units for each, around the map's own middle: an error is worth
the same in shadow and in sun, and no range need be known. All coefficients of a block are kept, the last 480 coded only
where they say anything. Texels that do not count are filled smoothly, as they were for training: a fill of few
coefficients at the rate's own steps, as `wavelet` has it, took 5 % more bits where gutters are wide, as the networks do
not expect it. docs/learned.md tells the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from engine import charts
from engine.codec import Capabilities, CodecInfo, Ctx
from engine.codecs import gutters
from engine.codecs.checks import require_carried
from engine.codecs.learned import LearnedCodec, Model, Source, padded, quality_param
from engine.container import Picture, Section
from engine.errors import CorruptStream, Unsupported
from engine.image import Image
from engine.light import LogTransfer
from engine.stops import covered, light_of, middle_of, stops_of

if TYPE_CHECKING:
    from engine.learned.symbols import SymbolNetwork

# Geometric means over the bundled lightmap and five more of the baker.
_TYPICAL_BPP = (
    0.024, 0.03, 0.038, 0.049, 0.063, 0.081, 0.1, 0.14, 0.18,
    0.24, 0.31, 0.4, 0.52, 0.7, 0.92, 1.2, 1.5,
)  # fmt: skip

UNITS = 64  # for each stop
_MIDDLE = np.float32(127.5)  # what networks take for nothing
_QUARTERS = 4  # of a stop: in these the map's middle stands in the stream


class LightmapAeCodec(LearnedCodec):
    """The codec of this module. Decoded symbols are the same everywhere; light may differ by its last bits."""

    info: ClassVar = CodecInfo(
        id="lightmap-ae",
        label="Lightmap AE",
        family="learned",
        extension=".rsl",
        params=(
            quality_param(": log2-PSNR of about 36 to 62 dB", _TYPICAL_BPP),
            gutters.param("fill"),
        ),
        capabilities=Capabilities(memory=80.0, depths=(32,), light="codes light as log2(x + 2⁻¹⁰) in floats"),
        about="the hyperprior's networks on the logarithm of light, trained on lightmaps; one model for all rates",
    )
    section = Section.LIGHTMAP_AE
    stream_version = 1
    encoder_revision = 1
    rounded = False
    extra_bytes = 2  # the middle in quarter stops, signed; slices that are coded

    def _source(self, image: Image, chosen: dict[str, Any], model: Model, ctx: Ctx) -> Source:
        """Of finite light without alpha, grey or R, G, B."""
        require_carried(image, self.info)
        from engine.learned import tiles

        if not np.isfinite(image.pixels).all():
            raise Unsupported("floats are coded only where they are finite")
        counts = covered(image) if gutters.are_free(image, chosen) else np.ones(image.pixels.shape[:2], bool)
        light = np.broadcast_to(image.colour_pixels, (image.height, image.width, 3))
        stops = charts.filled(Image(stops_of(light), image.color, mask=counts)).pixels
        middle = middle_of(stops, counts)
        pixels = padded((stops - np.float32(middle)) * np.float32(UNITS) + _MIDDLE)
        ctx.check()
        picture = Picture.of(image, LogTransfer.reaching(float(image.pixels.max())))
        extra = round(middle * _QUARTERS).to_bytes(1, "little", signed=True)
        return Source(picture, extra, tiles.Analysis(model.networks, pixels, ctx))

    def _sliced(self, steps: np.ndarray, model: Model) -> tuple[int, bytes]:
        """All slices, but for the last where all of it is rounded to nothing."""
        slices = model.symbols.recipe.slices
        count = len(slices) - 1 if np.abs(steps[:, :, -slices[-1] :]).max() < 0.5 else len(slices)
        return count, bytes([count])

    def _slices(self, extra: bytes, network: SymbolNetwork) -> int:
        if extra[1] > len(network.recipe.slices):
            raise CorruptStream("the lightmap-ae stream claims more of a latent than its model has")
        return extra[1]

    def _claims(self, picture: Picture, extra: bytes) -> None:
        if picture.transfer is None or picture.channels not in (1, 3):
            raise CorruptStream("the lightmap-ae stream claims a picture of a kind that it cannot hold")

    def _image(self, pixels: np.ndarray, picture: Picture, extra: bytes) -> Image:
        middle = int.from_bytes(extra[:1], "little", signed=True) / _QUARTERS
        light = light_of((pixels - _MIDDLE) / np.float32(UNITS) + np.float32(middle))
        assert picture.transfer is not None
        return Image(np.minimum(light, np.float32(picture.transfer.brightest)), picture.color, icc=picture.icc)
