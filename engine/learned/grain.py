"""Noise for a decoder that makes texture up: without it, what is alike everywhere could become nothing but a grid.

The same on every machine, and the same for a place of the picture whatever part of it is decoded.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from engine.learned.layers import RateScale

PERIOD = 128  # positions of 4×4 pixels, after which it repeats itself
_VALUES = 16  # at a position
_PER_BLOCK = 4  # positions along the side of a block


class Grain(nn.Module):
    """Adds noise to features at 1/4, as strong as they say themselves; none at first. It has unit variance."""

    noise: Tensor

    def __init__(self, channels: int, points: int) -> None:
        super().__init__()
        self.register_buffer("noise", torch.tensor(_noise()), persistent=False)
        self.shape = nn.Conv2d(_VALUES, channels, 3, padding=1)
        self.strength = nn.Conv2d(channels, channels, 1)
        self.scale = RateScale(points, channels)

    @torch.no_grad()
    def start(self) -> None:
        nn.init.zeros_(self.strength.weight)
        assert self.strength.bias is not None
        nn.init.zeros_(self.strength.bias)

    def forward(self, values: Tensor, weights: Tensor, origin: tuple[int, int]) -> Tensor:
        """values: B×C×h×w, whose first position is that of a picture's block `origin` (row, column)."""
        rows, columns = (
            (torch.arange(side, device=values.device) + _PER_BLOCK * first) % PERIOD
            for side, first in zip(values.shape[2:], origin, strict=True)
        )
        here = self.noise[:, rows][:, :, columns][None].to(values.dtype)
        return values + self.shape(here) * self.scale.scale(self.strength(values), weights)


def _noise() -> np.ndarray:
    """values×PERIOD×PERIOD f32, uniform, by a hash of the place (G. Steele et al., "Fast splittable pseudorandom number
    generators", OOPSLA 2014)."""
    state = np.arange(1, _VALUES * PERIOD * PERIOD + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    state ^= state >> np.uint64(31)
    uniform = (state >> np.uint64(40)).astype(np.float64) / 2.0**24
    return ((uniform * 2 - 1) * np.sqrt(3)).astype(np.float32).reshape(_VALUES, PERIOD, PERIOD)
