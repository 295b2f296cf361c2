"""Pictures between two others, and pictures of nobody: what the latent of the variational autoencoder knows.

A latent between two is a blend of theirs, decoded. Blends of independent coefficients have less energy than either, and
so less contrast: that of both is kept (after T. White, "Sampling generative networks", 2016), but for the blocks' own
brightness and colour, whose blend is a cross-fade. Draws are from the prior, which knows nothing of neighbours.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.codec import Ctx
from engine.errors import UsageError
from engine.learned import entropy, fixed
from engine.learned.layers import rate_weights
from engine.learned.model import GRANULE, LatentModel
from engine.learned.priors import VariationalPrior
from engine.learned.spans import computing
from engine.learned.transform import BLOCK

LEVEL = 0.5  # share of its energy from which on a basis function is a block's brightness or colour


class Latents:
    """The latents of two pictures of one size, H×W×3 u8, sides multiples of 64; at a rate in 1/256."""

    def __init__(self, model: LatentModel, first: np.ndarray, second: np.ndarray, rate: int, ctx: Ctx) -> None:
        self._model, self._ctx = model, ctx
        with computing(ctx.threads):
            self._weights = _weights(model, rate)
            pictures = [torch.from_numpy(each.astype(np.float32)).permute(2, 0, 1)[None] for each in (first, second)]
            gain = model.units(self._weights).gain
            self._steps = [model.transform.analysis(picture - 127.5) * gain for picture in pictures]

    def at(self, share: float) -> np.ndarray:
        """H×W×3 u8 of the latent that is so far from the first to the second, 0…1."""
        self._ctx.check()
        with computing(self._ctx.threads):
            first, second = self._steps
            mixed = (1 - share) * first + share * second
            energy = ((1 - share) ** 2 + share**2) ** 0.5
            kept = torch.where(levels(self._model), 1.0, 1 / energy)
            return _shown(self._model, mixed * kept[:, None, None], self._weights)


def draw(model: LatentModel, seed: int, side: int, rate: int, ctx: Ctx) -> np.ndarray:
    """Of the prior, side×side×3 u8, the side a multiple of 64; the same seed gives the same draw."""
    prior = model.prior
    if not isinstance(prior, VariationalPrior) or side % GRANULE:
        raise UsageError("only weights of a variational autoencoder draw pictures, of sides that are multiples of 64")
    ctx.check()
    with computing(ctx.threads):
        weights = _weights(model, rate)
        generator = torch.Generator().manual_seed(seed)
        uniform = torch.rand(2, 1, model.recipe.channels, side // BLOCK, side // BLOCK, generator=generator)
        return _shown(model, prior.draw(uniform, model.units(weights), weights), weights)


def levels(model: LatentModel) -> Tensor:
    """Which coefficients are a block's brightness or colour, M bool: functions that are even within each channel."""
    functions = model.transform.analysis_matrix.unflatten(1, (BLOCK * BLOCK, 3))
    even = BLOCK * BLOCK * functions.mean(1).square().sum(1)
    return even > LEVEL * functions.square().sum((1, 2))


def _weights(model: LatentModel, rate: int) -> Tensor:
    return rate_weights(torch.tensor([rate / fixed.RATE_STEPS]), model.rate.points)


def _shown(model: LatentModel, steps: Tensor, weights: Tensor) -> np.ndarray:
    units = model.units(weights)
    picture = model.render(steps / units.gain, entropy.features(steps / units.spread), weights)
    whole: np.ndarray = (picture[0].clamp(0, 1) * 255).round().permute(1, 2, 0).to(torch.uint8).numpy()
    return whole
