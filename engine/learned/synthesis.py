"""The decoder's network: what the linear synthesis cannot know, added to its picture."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from engine.learned.grain import Grain
from engine.learned.layers import SLOPE, Attention, RateScale, Residual
from engine.learned.recipe import ModelRecipe

OUTPUT_GAIN = 4.0  # grey levels for an output of 1
PICTURE_SCALE = 1 / 64  # of the linear reconstruction as input


class SynthesisNetwork(nn.Module):
    """Works at 1/16 on the latent's features, then at 1/8 and 1/4 with the linear reconstruction beside them."""

    def __init__(self, recipe: ModelRecipe, points: int, *, grain: bool = False) -> None:
        super().__init__()
        channels, blocks = recipe.looked_at, recipe.synthesis_blocks
        fine, middle, coarse = recipe.synthesis_widths
        self.enter = nn.Conv2d(channels, coarse, 3, padding=1)
        self.blocks16 = nn.ModuleList(Residual(coarse, points) for _ in range(blocks[2]))
        self.attention16 = Attention(coarse) if recipe.attention else None
        self.up8 = nn.Conv2d(coarse, 4 * middle, 1)
        self.picture8 = nn.Conv2d(3 * 8 * 8, middle, 1)
        self.blocks8 = nn.ModuleList(Residual(middle, points) for _ in range(blocks[1]))
        self.attention8 = Attention(middle) if recipe.attention else None
        self.up4 = nn.Conv2d(middle, 4 * fine, 1)
        self.picture4 = nn.Conv2d(3 * 4 * 4, fine, 3, padding=1)
        self.scale4 = RateScale(points, fine)
        self.grain = Grain(fine, points) if grain else None
        self.blocks4 = nn.ModuleList(Residual(fine) for _ in range(blocks[0]))
        self.leave = nn.Conv2d(fine, 3 * 4 * 4, 3, padding=1)

    def forward(self, known: Tensor, linear: Tensor, weights: Tensor, origin: tuple[int, int] = (0, 0)) -> Tensor:
        """known: features B×M×h×w; linear: the linear reconstruction B×3×16h×16w; origin: where in the picture they
        begin, in blocks. Returns the correction to the reconstruction."""
        linear = linear * PICTURE_SCALE
        values = self.enter(known)
        for block in self.blocks16:
            values = block(values, weights)
        if self.attention16 is not None:
            values = self.attention16(values)
        values = F.pixel_shuffle(self.up8(values), 2) + self.picture8(F.pixel_unshuffle(linear, 8))
        for block in self.blocks8:
            values = block(values, weights)
        if self.attention8 is not None:
            values = self.attention8(values)
        values = F.pixel_shuffle(self.up4(values), 2) + self.picture4(F.pixel_unshuffle(linear, 4))
        values = self.scale4.scale(values, weights)
        if self.grain is not None:
            values = self.grain(values, weights, origin)
        for block in self.blocks4:
            values = block(values, weights)
        return OUTPUT_GAIN * F.pixel_shuffle(self.leave(F.leaky_relu(values, SLOPE)), 4).float()
