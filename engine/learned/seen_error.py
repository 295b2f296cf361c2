"""FLIP as a cost: how different two pictures look, with gradients.

After P. Andersson et al., "FLIP: a difference evaluator for alternating images", HPG 2020, whose constants these are,
at 67 pixels per degree: colours are filtered by contrast sensitivity, compared in L*a*b* by HyAB; edges and points in
one picture alone make a difference count for more. Borders are repeated. `flip` in engine.metrics measures with the
authors' own program, and not with this.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

PIXELS_PER_DEGREE = 67.0
_SENSITIVITY = (((1.0, 0.0047), (0.0, 1e-5)), ((1.0, 0.0053), (0.0, 1e-5)), ((34.1, 0.04), (13.5, 0.025)))
_FEATURE_WIDTH = 0.082  # degrees
_COLOUR_POWER, _FEATURE_POWER = 0.7, 0.5
_KNEE, _AT_KNEE = 0.4, 0.95
_LARGEST = 41.2760  # HyAB of green and blue, to the power 0.7
_TO_XYZ = (
    (0.4123907993, 0.3575843394, 0.1804807884),
    (0.2126390059, 0.7151686788, 0.0721923154),
    (0.0193308187, 0.1191947798, 0.9505321522),
)  # IEC 61966-2-1
_LEAST = 1e-6  # of what a root is taken of, for its gradient


def seen_error(decoded: Tensor, pictures: Tensor) -> Tensor:
    """The mean FLIP of B×3×H×W in 0…1, sRGB; no gradient leads to `pictures`."""
    with torch.no_grad():
        original = _seen(pictures)
    ours = _seen(decoded)
    light, colour = (ours[0] - original[0]).split((1, 2), 1)
    apart = (light.abs() + (colour.square().sum(1, keepdim=True) + _LEAST).sqrt()) ** _COLOUR_POWER
    knee = _KNEE * _LARGEST
    apart = torch.where(
        apart < knee, apart * (_AT_KNEE / knee), _AT_KNEE + (apart - knee) / (_LARGEST - knee) * (1 - _AT_KNEE)
    )
    features = torch.maximum((ours[1] - original[1]).abs(), (ours[2] - original[2]).abs()) / math.sqrt(2)
    return (apart.clamp(_LEAST, 1) ** (1 - (features.clamp(0, 1) + _LEAST) ** _FEATURE_POWER)).mean()


def _seen(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """B×3×H×W in L*a*b* as seen, adjusted after Hunt; how strong edges and points are, B×1×H×W."""
    codes = pictures.float().clamp(0, 1)
    linear = torch.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055).clamp_min(0.01) ** 2.4)
    to_xyz = torch.tensor(_TO_XYZ, device=pictures.device)
    relative = _mixed(to_xyz / to_xyz.sum(1, keepdim=True), linear)
    x, y, z = relative.split(1, 1)
    opponent = torch.cat([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)
    edges, points = _features((opponent[:, :1] + 16) / 116)
    filtered = torch.cat(
        [_filtered(plane, *curves) for plane, curves in zip(opponent.split(1, 1), _SENSITIVITY, strict=True)], 1
    )
    return _adjusted(filtered, to_xyz), edges, points


def _adjusted(opponent: Tensor, to_xyz: Tensor) -> Tensor:
    """L*a*b*, a* and b* by how light it is, of filtered opponent colours that are clamped to what can be shown."""
    y = (opponent[:, :1] + 16) / 116
    relative = torch.cat([y + opponent[:, 1:2] / 500, y, y - opponent[:, 2:] / 200], 1)
    white = to_xyz.sum(1, keepdim=True)
    shown = _mixed(torch.linalg.inv(to_xyz / white), relative).clamp(0, 1)
    relative = _mixed(to_xyz / white, shown)
    edge = 6 / 29
    rooted = torch.where(relative > edge**3, relative.clamp_min(edge**3) ** (1 / 3), relative / (3 * edge**2) + 4 / 29)
    x, y, z = rooted.split(1, 1)
    light = 116 * y - 16
    return torch.cat([light, 5 * light * (x - y), 2 * light * (y - z)], 1)


def _mixed(matrix: Tensor, planes: Tensor) -> Tensor:
    return torch.einsum("ij,bjhw->bihw", matrix, planes)


def _filtered(plane: Tensor, *curves: tuple[float, float]) -> Tensor:
    """B×1×H×W by a sum of Gaussians in the frequency domain, a·exp(−b·f²) each, of unit gain for what is flat."""
    total, gain = torch.zeros_like(plane), 0.0
    for weight, width in curves:
        if weight:
            strength = weight * math.pi / width  # of the Gaussian in pixels, up to a common factor
            strength *= 2 * math.pi * (sigma := PIXELS_PER_DEGREE * math.sqrt(width / 2) / math.pi) ** 2
            total = total + strength * _separable(plane, _gaussian(sigma, plane.device), _gaussian(sigma, plane.device))
            gain += strength
    return total / gain


def _features(light: Tensor) -> tuple[Tensor, Tensor]:
    """How strong edges and points are in B×1×H×W of 0…1."""
    sigma = _FEATURE_WIDTH * PIXELS_PER_DEGREE / 2
    smooth = _gaussian(sigma, light.device)
    places = _places(sigma, light.device)
    first = -places * smooth
    second = (places.square() / sigma**2 - 1) * smooth
    strengths = []
    for taps in (first, second):
        up, down = taps.clamp_min(0), taps.clamp_max(0)
        kernel = up / up.sum() + down / -down.sum()
        both = _separable(light, kernel, smooth).square() + _separable(light, smooth, kernel).square()
        strengths.append((both + _LEAST).sqrt())
    return strengths[0], strengths[1]


def _places(sigma: float, device: torch.device) -> Tensor:
    reach = math.ceil(3 * sigma)
    return torch.arange(-reach, reach + 1, device=device).float()


def _gaussian(sigma: float, device: torch.device) -> Tensor:
    """Taps that add up to 1."""
    taps = torch.exp(-_places(sigma, device).square() / (2 * sigma**2))
    return taps / taps.sum()


def _separable(plane: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """B×1×H×W filtered by taps along rows and along columns: as products of matrices, which is fastest."""
    return _banded(down, plane.shape[2]) @ plane @ _banded(across, plane.shape[3]).T


def _banded(taps: Tensor, size: int) -> Tensor:
    """size×size: what filters a column of so many samples, borders repeated."""
    reach = len(taps) // 2
    places = torch.arange(size, device=taps.device)[:, None] + torch.arange(-reach, reach + 1, device=taps.device)
    matrix = torch.zeros((size, size), device=taps.device)
    return matrix.scatter_add(1, places.clamp(0, size - 1), taps.expand(size, -1))
