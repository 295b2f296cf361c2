"""Gutters of lightmaps in the lapped transform: what nobody looks at becomes what takes few coefficients.

Iterated projection at the very steps that coefficients are coded with, as for `wavelet` (engine/codecs/gutters.py has
the sources): transform, leave out what is less than half a step, transform back, put back what counts, and again, with
thresholds that fall to that, so that what is coarse settles first.
"""

from __future__ import annotations

import numpy as np
import torch

from engine.codec import Ctx
from engine.learned.model import HyperpriorModel
from engine.learned.tiles import TILE, computing, gains
from engine.learned.transform import BLOCK

ROUNDS = 6
_FALL = 1.4  # of the threshold from round to round
_DEAD = 0.6  # steps that a coefficient of the last round must have


def sparse(model: HyperpriorModel, pixels: np.ndarray, free: np.ndarray, rate: int, ctx: Ctx) -> np.ndarray:
    """H×W×3 f32 pixels (0…255, sides multiples of 64), those that are `free` (H×W bool) such that they cost little at a
    rate in 1/256. On one thread, so that a file does not depend on their number."""
    out = pixels.copy()
    with computing(1):
        gain = torch.from_numpy(gains(model, rate))[None, :, None, None]
        lowest = torch.from_numpy(_lowest(model))[None, :, None, None]
        for top in range(0, pixels.shape[0], TILE):
            for left in range(0, pixels.shape[1], TILE):
                here = slice(top, top + TILE), slice(left, left + TILE)
                if free[here].any():
                    out[here] = _projected(model, pixels[here], free[here], (gain, lowest), ctx)
    return out


def _projected(
    model: HyperpriorModel, pixels: np.ndarray, free: np.ndarray, units: tuple[torch.Tensor, torch.Tensor], ctx: Ctx
) -> np.ndarray:
    gain, lowest = units
    fixed = torch.from_numpy(pixels - np.float32(127.5)).permute(2, 0, 1)[None]
    open_ = torch.from_numpy(free)[None, None]
    picture = fixed
    for turn in range(ROUNDS - 1, -1, -1):
        ctx.check()
        coefficients = model.transform.analysis(picture)
        kept = ((coefficients * gain).abs() >= _DEAD * _FALL**turn) | lowest
        picture = torch.where(open_, model.transform.synthesis(coefficients * kept), fixed)
    done: np.ndarray = picture[0].permute(1, 2, 0).numpy() + np.float32(127.5)
    return done


def _lowest(model: HyperpriorModel) -> np.ndarray:
    """M bool: the coefficients that are the means of blocks."""
    first = model.transform.analysis_matrix.detach().numpy().reshape(-1, BLOCK * BLOCK, 3)
    spread = first.std(axis=1).max(axis=1)
    flat: np.ndarray = spread < 1e-4
    return flat
