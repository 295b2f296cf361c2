"""What lies between two pictures, as latents and as pixels, and draws from a prior: the work of `ratescope interpolate`
and of the window's view. Pictures are scaled down first: this is for looking, not for keeping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine import registry
from engine.codec import Ctx
from engine.display import to_display
from engine.errors import CodecUnavailable
from engine.image import Image
from engine.learned import fixed, stored

if TYPE_CHECKING:
    from engine.learned.model import LatentModel
    from engine.tasks import LoadTask
    from engine.workers import TaskCtx

CODEC = "vae"
SIDE = 512  # of the pictures between, at most; a multiple of 64
_GRANULE = 64


@dataclass(frozen=True, eq=False)
class Between:
    """H×W×3 u8 both: the decoded blend of two latents, and the blend of their pixels."""

    latents: np.ndarray
    pixels: np.ndarray


@dataclass(frozen=True)
class PairTask:
    """Reads two pictures, for `BetweenTask`."""

    first: LoadTask
    second: LoadTask

    @property
    def what(self) -> str:
        return self.first.what

    def run(self, ctx: TaskCtx) -> tuple[np.ndarray, np.ndarray]:
        return fitted(self.first.run(ctx).image, self.second.run(ctx).image)


@dataclass(frozen=True, eq=False)
class BetweenTask:
    """What is at `shares` of the way between two pictures, H×W×3 u8 of one size as `fitted` gives them."""

    first: np.ndarray
    second: np.ndarray
    shares: tuple[float, ...]
    quality: float

    @property
    def what(self) -> str:
        return "the blend of two latents"

    def run(self, ctx: TaskCtx | Ctx) -> list[Between]:
        from engine.learned.between import Latents

        model, rate = _model(self.quality)
        latents = Latents(model, self.first, self.second, rate, ctx)
        pixels = [each.astype(np.float32) for each in (self.first, self.second)]
        return [
            Between(latents.at(share), np.rint((1 - share) * pixels[0] + share * pixels[1]).astype(np.uint8))
            for share in self.shares
        ]


@dataclass(frozen=True)
class DrawTask:
    """A picture that the prior believes in, side×side×3 u8, by a seed."""

    seed: int
    side: int
    quality: float

    @property
    def what(self) -> str:
        return "a draw from the prior"

    def run(self, ctx: TaskCtx | Ctx) -> np.ndarray:
        from engine.learned.between import draw

        model, rate = _model(self.quality)
        return draw(model, self.seed, self.side, rate, ctx)


def why_not() -> str | None:
    """Why there is nothing to interpolate with here, in words; None if there is."""
    return registry.codec(CODEC).available()


def fitted(first: Image, second: Image, side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Both H×W×3 u8 of one size: the first scaled down to `side` and cut to multiples of 64, the second to the same,
    from its middle."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    pictures = [Pillow.fromarray(to_display(image, background="#ffffff")) for image in (first, second)]
    width, height = pictures[0].size
    scale = min(1.0, side / max(width, height))
    size = tuple(max(_GRANULE, round(extent * scale) // _GRANULE * _GRANULE) for extent in (width, height))
    way = Pillow.Resampling.LANCZOS
    shown = [np.asarray(ImageOps.fit(picture, (size[0], size[1]), way)) for picture in pictures]
    return shown[0], shown[1]


def _model(quality: float) -> tuple[LatentModel, int]:
    """The networks that are installed, and the rate of a quality in 1/256; `CodecUnavailable`."""
    from engine.codecs.learned import load

    weights = stored.preferred(CODEC)
    if weights is None:
        raise CodecUnavailable(stored.nothing_installed(CODEC))
    return load(weights).networks, fixed.rate_of(quality, weights.points)
