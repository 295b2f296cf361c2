"""What errors of light cost: squared error in stops, and what is seen or felt of it besides, where texels count.

Values are in units of 1/64 stop. With e the error and w the texels that count (1 or 0), all means over a picture's
texels, those that do not count as zeros, so that the sum stands beside the bits of the whole picture:

- the mean of w·e², over R, G and B;
- *gradient*: squares of the differences of e between neighbours that both count, at full size and halved once and
  twice: false contours are steps of e that go on along a line, and halving keeps these while noise fades;
- *structure*: 1 − SSIM of the luma (Z. Wang et al., 2004) in windows of 8×8 of the same three sizes (after Z. Wang,
  E. Simoncelli and A. Bovik, "Multiscale structural similarity", 2003, as a sum): it asks more where light is smooth;
- *lighting*: squares of e low-passed over 8×8 and 16×16 texels, luma and chroma apart: the light itself must stay.

The cost of a picture is λ times this plus bits per pixel, and what is minimised is its logarithm: BD-rates count
shares of the rate, and a map of grain takes a hundred times the bits of a smooth one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from engine.learned.model import Coded
from engine.learned.recipe import LightRecipe

UNITS = 64.0  # for each stop
CODE_UNITS = 255.0  # between 0 and 1 in what networks take and give
COST_FLOOR = 0.01  # bits per pixel, about: what costs less is not worth shares
_SCALES = 3  # sizes at which gradients and structure are looked at …
_LOW = (3, 4)  # … and those of the lighting
_WINDOW, _WINDOW_STEP = 8, 4
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # SSIM's constants for a range of four stops


def as_codes(stops: Tensor) -> Tensor:
    """Stops as networks take them: 0.5 for 0, 64/255 a stop."""
    return 0.5 + stops * (UNITS / CODE_UNITS)


def as_stops(codes: Tensor) -> Tensor:
    """The inverse of :func:`as_codes`."""
    return (codes - 0.5) * (CODE_UNITS / UNITS)


def light_cost(coded: Coded, patches: Tensor, lambdas: Tensor, recipe: LightRecipe) -> Tensor:
    """The mean of the logarithms of (λ·distortion + bpp). patches: B×4×H×W, codes and what counts."""
    pixels = patches.shape[-2] * patches.shape[-1]
    cost = lambdas * distortion(coded.picture, patches, recipe) + coded.bits / pixels
    return torch.log(cost + COST_FLOOR).mean()


def squared_light_error(picture: Tensor, patches: Tensor) -> Tensor:
    """B: the sum over all texels that count, divided by all texels, in units of 1/64 stop."""
    error = (picture - patches[:, :3]) * CODE_UNITS
    return (error.square() * patches[:, 3:]).mean((1, 2, 3))


def distortion(picture: Tensor, patches: Tensor, recipe: LightRecipe) -> Tensor:
    """B, in squared units; see the module's text."""
    counts = patches[:, 3:]
    error = (picture - patches[:, :3]) * CODE_UNITS
    total = (error.square() * counts).mean((1, 2, 3))
    luma_error, light = error.mean(1, keepdim=True), patches[:, :3].mean(1, keepdim=True) * CODE_UNITS
    kinds = torch.cat([error, luma_error, light], 1)
    weights = counts
    for level in range(max(_LOW) + 1):
        if level:
            kinds, weights = _halved(kinds, weights)
        error, luma_error, light = kinds[:, :3], kinds[:, 3:4], kinds[:, 4:]
        if level < _SCALES:
            total = total + recipe.gradient * _gradients(error, weights) / _SCALES
            total = total + recipe.structure * _unlike(light, light + luma_error, weights) / _SCALES
        if level in _LOW:
            chroma = (error - luma_error).square().mean(1, keepdim=True)
            low = (luma_error.square() + chroma) * weights
            total = total + recipe.lighting * low.mean((1, 2, 3)) / len(_LOW)
    return total


def _halved(values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Means of 2×2 texels by weight, and the means of the weights."""
    total = F.avg_pool2d(weights, 2)
    return F.avg_pool2d(values * weights, 2) / total.clamp_min(1e-6), total


def _gradients(error: Tensor, weights: Tensor) -> Tensor:
    """B: squared differences between neighbours, along both axes."""
    across = (error[..., 1:] - error[..., :-1]).square() * (weights[..., 1:] * weights[..., :-1])
    down = (error[..., 1:, :] - error[..., :-1, :]).square() * (weights[..., 1:, :] * weights[..., :-1, :])
    return across.mean((1, 2, 3)) + down.mean((1, 2, 3))


def _unlike(one: Tensor, other: Tensor, weights: Tensor) -> Tensor:
    """B: 1 − SSIM of two B×1×H×W in windows, each by the share of it that counts."""
    total = F.avg_pool2d(weights, _WINDOW, _WINDOW_STEP)
    middle = (F.avg_pool2d(one * weights, _WINDOW) / F.avg_pool2d(weights, _WINDOW).clamp_min(1e-6)).detach()
    middle = F.interpolate(middle, one.shape[-2:])  # large means would eat up the digits of the squares
    planes = torch.cat([one - middle, other - middle], 1)
    first, second = planes[:, :1], planes[:, 1:]
    products = torch.cat([planes, first * first, second * second, first * second], 1) * weights
    means = F.avg_pool2d(products, _WINDOW, _WINDOW_STEP) / total.clamp_min(1e-6)
    a, b, aa, bb, ab = means.split(1, 1)
    mean_part = 1 - (a - b).square() / ((a - b).square() + _C1)
    spread = (aa - a * a).clamp_min(0) + (bb - b * b).clamp_min(0)
    like = mean_part * (2 * (ab - a * b) + _C2) / (spread + _C2)
    return ((1 - like) * total).mean((1, 2, 3))
