"""What it costs a decoder to be unlike the original: in its pixels, and in the statistics of its texture.

The statistics are those that make textures look alike (J. Portilla and E. Simoncelli, "A parametric texture model based
on joint statistics of complex wavelet coefficients", IJCV 2000), as far as a small window holds them: of second
derivatives of luma in four directions at three scales the energies, how sparse the detail is, how magnitudes go
together between directions and with the next scale, how far the detail repeats itself. Each is asked for where it was,
in windows of 16×16 pixels: a texture may differ from the original in its pixels, but not in its kind. Chroma is left
to the other terms: its energy is made up most cheaply by a grid that FLIP does not see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from engine.learned.model import Coded
from engine.learned.recipe import TextureRecipe
from engine.learned.seen_error import seen_error

Means = Callable[[Tensor], Tensor]

_LEVELS = 3
_WINDOW = 16  # pixels; windows overlap by half
_FLOOR = 1.5**2  # in squared 8-bit values: fainter detail has no say
_SHORTEST = 1e-3  # squared magnitude whose gradient is still asked for
_LEAST_SPARSITY = 0.05

# How far apart the kinds of numbers are over photographs: they make all of them count alike.
_ENERGY, _SPARSITY, _TOGETHER, _REPEATS = 0.8, 0.35, 0.25, 0.26
_DISTANCES = (2, 4)  # at which detail may repeat itself: the decoder's own grid has a period of four pixels

_LUMA = (0.299, 0.587, 0.114)  # ITU-T T.871


def texture_cost(coded: Coded, pictures: Tensor, lambdas: Tensor, recipe: TextureRecipe) -> Tensor:
    """What `picture_cost` says of a model's answer; its bits are as they are."""
    return picture_cost(coded.picture, pictures, lambdas, recipe)


def picture_cost(decoded: Tensor, pictures: Tensor, lambdas: Tensor, recipe: TextureRecipe) -> Tensor:
    """The mean over B×3×H×W in 0…1, all terms by their weights: √λ times squared errors, as where rate counts too;
    FLIP; absolute errors of detail, and of texture statistics."""
    squares = (decoded - pictures).square().mean((1, 2, 3)) * 255.0**2
    with torch.no_grad():
        original = list(_scales(_luma(pictures)))
    details = statistics = squares.new_zeros(())
    for ours, theirs in zip(_scales(_luma(decoded)), original, strict=True):
        details = details + (ours.derivatives - theirs.derivatives).abs().mean() / _LEVELS
        statistics = statistics + (ours.statistics - theirs.statistics).abs().mean() / _LEVELS
    return (
        recipe.squares * (lambdas.sqrt() * squares).mean()
        + recipe.seen * seen_error(decoded, pictures)
        + recipe.details * details
        + recipe.statistics * statistics
    )


class _Scale(NamedTuple):
    """derivatives: B×4×h×w, of luma; statistics: B×D×…, of every window."""

    derivatives: Tensor
    statistics: Tensor


def _luma(pictures: Tensor) -> Tensor:
    """B×1×H×W in 8-bit values."""
    weights = torch.tensor(_LUMA, device=pictures.device) * 255
    return (pictures.float() * weights[:, None, None]).sum(1, keepdim=True)


def _scales(luma: Tensor) -> Iterator[_Scale]:
    """From fine to coarse."""
    finer: Tensor | None = None
    for level in range(_LEVELS):
        smooth, derivatives = _smoothed(luma), _second_derivatives(luma)
        numbers, finer = _statistics(derivatives, luma - smooth, finer, max(_WINDOW >> level, 4))
        yield _Scale(derivatives, numbers)
        luma = F.avg_pool2d(smooth, 2)


def _smoothed(planes: Tensor) -> Tensor:
    """Binomial low-pass of five taps both ways, borders repeated."""
    for axis, padding in ((3, (2, 2, 0, 0)), (2, (0, 0, 2, 2))):
        size, wide = planes.shape[axis], F.pad(planes, padding, mode="replicate")
        one, two, three, four, five = (wide.narrow(axis, start, size) for start in range(5))
        planes = (one + five + 4 * (two + four) + 6 * three) / 16
    return planes


def _second_derivatives(luma: Tensor) -> Tensor:
    """B×4×H×W: across, down and along both diagonals, of about unit gain for white noise, borders repeated."""
    wide = F.pad(luma, (1, 1, 1, 1), mode="replicate")
    rows = wide[..., :-2, :] + 2 * wide[..., 1:-1, :] + wide[..., 2:, :]
    columns = wide[..., :-2] + 2 * wide[..., 1:-1] + wide[..., 2:]
    across = (rows[..., :-2] - 2 * rows[..., 1:-1] + rows[..., 2:]) / 6
    down = (columns[..., :-2, :] - 2 * columns[..., 1:-1, :] + columns[..., 2:, :]) / 6
    difference = wide[..., 2:] - wide[..., :-2]
    mixed = (difference[..., 2:, :] - difference[..., :-2, :]) / 6
    both = (across + down) / 2
    return torch.cat([across, down, both + mixed, both - mixed], 1)


def _statistics(derivatives: Tensor, detail: Tensor, finer: Tensor | None, window: int) -> tuple[Tensor, Tensor]:
    """B×D×h×w numbers of one scale's windows, which overlap by half, and its magnitude of detail, halved, for the next.

    derivatives: B×4×H×W; detail: B×1×H×W, the Laplacian band of luma; finer: the magnitude of the scale before.
    """

    def means(values: Tensor) -> Tensor:
        return F.avg_pool2d(F.avg_pool2d(values, window // 2), 2, 1)

    sizes, size = _magnitude(derivatives), _magnitude(detail)
    energies, energy = means(derivatives.square()), means(detail.square()) + _FLOOR
    numbers = [
        (energies + _FLOOR).log() / (2 * _ENERGY),
        (means(size).square() / energy + _LEAST_SPARSITY).log() / _SPARSITY,
        _correlation(means, sizes[:, 0::2], sizes[:, 1::2]) / _TOGETHER,
    ]
    for axis, distance in product((2, 3), _DISTANCES):  # beyond one border lies the other, in both pictures alike
        numbers.append(means(detail * detail.roll(-distance, axis)) / energy / _REPEATS)
    if finer is not None:
        numbers.append(_correlation(means, finer, size) / _TOGETHER)
    return torch.cat(numbers, 1), F.avg_pool2d(size, 2)


def _magnitude(values: Tensor) -> Tensor:
    return (values.square() + _SHORTEST).sqrt()


def _correlation(means: Means, one: Tensor, other: Tensor) -> Tensor:
    """Of two magnitudes; towards 0 where both are faint."""
    first, second = means(one), means(other)
    spread = (means(one.square()) - first.square()).clamp_min(0) + _FLOOR
    spread = spread * ((means(other.square()) - second.square()).clamp_min(0) + _FLOOR)
    return (means(one * other) - first * second) / spread.sqrt()
