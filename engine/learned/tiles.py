"""Pictures of any size through the networks around the entropy coder, in float: bounded memory, the same result.

Large pictures go in tiles that overlap by what the networks see, so that a tile's inner part is what the whole picture
would give there. The symbols in between are coded for the whole picture at once (engine/learned/symbols.py): its
integer networks take little memory, and a context that ends at seams would cost bits.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.codec import Ctx
from engine.learned import fixed
from engine.learned.domain import groups, latent_numbers
from engine.learned.fixed import MEAN_STEPS
from engine.learned.layers import rate_weights
from engine.learned.model import GRANULE, LatentModel
from engine.learned.spans import Span, computing, tiles_of
from engine.learned.symbols import Latent
from engine.learned.transform import BLOCK

TILE = 1536  # pixels along a side, a multiple of 64; smaller pictures go through whole
COUNTED = 6000  # positions of the latent, about those of 1200 × 1200 pixels
ANALYSIS_MARGIN = 128  # what the hyper-analysis (7 blocks) and the pre-filter see, in whole cells of the hyper-latent


def _weights(model: LatentModel, rate: int) -> Tensor:
    return rate_weights(torch.tensor([rate / fixed.RATE_STEPS]), model.rate.points)


def _gains(model: LatentModel, rate: int) -> np.ndarray:
    """M f32: quantisation steps for each unit of the coefficients at a rate in 1/256."""
    with computing(1):
        gain: np.ndarray = model.log_gain(_weights(model, rate)).exp().numpy().ravel()
    return gain


class Analysis:
    """What an encoder's networks make of H×W×3 pixels (0…255), sides multiples of 64: at once what is the same at every
    rate, then symbols at any. On one thread, so that a file does not depend on their number."""

    def __init__(self, model: LatentModel, pixels: np.ndarray, ctx: Ctx) -> None:
        self._model = model
        self._size = pixels.shape[0], pixels.shape[1]
        self._tiles = tiles_of(self._size, ANALYSIS_MARGIN, TILE)
        self._entered: list[Tensor] = []
        self._coefficients = self._empty(BLOCK, model.recipe.channels, np.float32)
        with computing(1):
            for tile in self._tiles:
                ctx.check()
                rows, columns = (span.of(1) for span in tile)
                picture = torch.from_numpy(pixels[rows, columns].astype(np.float32)).permute(2, 0, 1)[None]
                coefficients = model.transform.analysis(picture - 127.5)
                ctx.check()
                self._entered.append(model.hyper_entered(coefficients))
                _put(self._coefficients, coefficients, tile, BLOCK)
                ctx.progress(len(self._entered) / len(self._tiles))

    def symbols(self, rate: int, ctx: Ctx) -> tuple[np.ndarray, np.ndarray]:
        """Hyper-latent (h×w×C i32) and coefficients in quantisation steps (4h×4w×M f32) at a rate in 1/256."""
        hyper = self._empty(GRANULE, self._model.recipe.hyper_channels, np.int32)
        with computing(1):
            weights = _weights(self._model, rate)
            for entered, tile in zip(self._entered, self._tiles, strict=True):
                ctx.check()
                _put(hyper, self._model.prior.hyper_symbols(entered, weights), tile, GRANULE)
        return hyper, self._coefficients * _gains(self._model, rate)

    def numbers(self, size: tuple[int, int]) -> dict[str, float]:
        """What the latent of a picture of this height and width is like: see `engine.learned.domain`."""
        inside = self._coefficients[: size[0] // BLOCK, : size[1] // BLOCK]  # of what continues it nothing is said
        deviation = self._model.transform.deviation.numpy()
        with computing(1):
            white = torch.full((1, 3, 4 * BLOCK, 4 * BLOCK), 127.5)
            level = float(self._model.transform.analysis(white)[0, 0, 2, 2].abs())
        return latent_numbers(inside, deviation, groups(self._model.recipe.channels), level)

    def nonzero(self, rate: int) -> float:
        """The number of coefficients that are a whole step or more when rounded, from a part of them if many."""
        positions = self._coefficients.reshape(-1, self._coefficients.shape[2])
        some = positions[:: -(-len(positions) // COUNTED)]
        return float(np.count_nonzero(np.abs(some) * _gains(self._model, rate) > 0.5) * len(positions) / len(some))

    def _empty(self, unit: int, channels: int, kind: type) -> np.ndarray:
        return np.empty((self._size[0] // unit, self._size[1] // unit, channels), kind)


def _put(out: np.ndarray, values: Tensor, tile: tuple[Span, Span], unit: int) -> None:
    """The inner part of a tile, 1×C×h×w, to where it belongs in H×W×C."""
    rows, columns = tile
    out[rows.part(unit), columns.part(unit)] = (
        values[0, :, rows.inner(unit), columns.inner(unit)].permute(1, 2, 0).numpy()
    )


def render(model: LatentModel, latent: Latent, rate: int, ctx: Ctx, *, blend: float = 1.0) -> np.ndarray:
    """H×W×3 f32 pixels, 0…255 but not clamped, from what a stream says at a rate in 1/256. blend: as the model's."""
    height, width = (BLOCK * side for side in latent.values.shape[:2])
    pixels = np.empty((height, width, 3), np.float32)
    tiles = tiles_of((height, width), _synthesis_margin(model), TILE)
    with computing(ctx.threads):
        weights = _weights(model, rate)
        units = MEAN_STEPS * model.log_gain(weights).exp()
        for number, (rows, columns) in enumerate(tiles):
            ctx.check()
            values, features = (
                torch.from_numpy(array[rows.of(BLOCK), columns.of(BLOCK)].astype(np.float32)).permute(2, 0, 1)[None]
                for array in (latent.values, latent.features)
            )
            origin = rows.of(BLOCK).start, columns.of(BLOCK).start
            picture = model.render(values / units, features / fixed.ACTIVATION_STEPS, weights, blend, origin)
            inner = picture[0, :, rows.inner(1), columns.inner(1)].permute(1, 2, 0).numpy()
            pixels[rows.part(1), columns.part(1)] = inner * np.float32(255)
            ctx.progress((number + 1) / len(tiles))
    return pixels


def _synthesis_margin(model: LatentModel) -> int:
    """How far the decoder's network and the post-filter see, in pixels: a multiple of the blocks' side."""
    fine, middle, coarse = model.recipe.synthesis_blocks
    blocks = 1 + 2 * coarse + middle + -(-(2 * fine + 2) // 4) + 1
    return BLOCK * blocks
