"""Where light comes from: sun, sky through an opening, lamps. Each gives points to aim at and how much arrives.

What is baked is irradiance divided by π: the radiance that a white diffuse surface has, as game engines store it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.bake.surfaces import Colour, Quad

FAR = 1e3  # metres

Aim = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Unit directions N×3, distance to the light N, light that arrives if nothing is in between N×3."""


@dataclass(frozen=True)
class Sun:
    """direction: towards the sun. radiance: what a white surface that faces it shows. radius: of its disc, degrees."""

    direction: Colour
    radiance: Colour
    radius: float = 1.0
    samples: int = 64

    def aim(self, points: np.ndarray, normals: np.ndarray, pair: np.ndarray) -> Aim:
        centre = np.array(self.direction) / math.hypot(*self.direction)
        side = np.cross(centre, (0.0, 0.0, 1.0))
        side /= np.linalg.norm(side)
        away = math.tan(math.radians(self.radius)) * np.sqrt(pair[:, :1])
        angle = 2 * math.pi * pair[:, 1:]
        towards = centre + away * (np.cos(angle) * side + np.sin(angle) * np.cross(centre, side))
        towards /= np.linalg.norm(towards, axis=1, keepdims=True)
        cosine = np.clip(np.einsum("ij,ij->i", towards, normals), 0, None)
        return towards, np.full(len(points), FAR), cosine[:, None] * np.array(self.radiance)


@dataclass(frozen=True)
class Glow:
    """A rectangle that sends light to the side of its normal: a lamp, or the sky in a window.

    radiance: at its horizon; zenith: of directions that come from straight above (the sky is bluer there).
    """

    quad: Quad
    radiance: Colour
    zenith: Colour | None = None
    samples: int = 64

    def aim(self, points: np.ndarray, normals: np.ndarray, pair: np.ndarray) -> Aim:
        width, height = self.quad.size
        targets, facing = self.quad.at(pair[:, 0] * width, pair[:, 1] * height)
        way = targets - points
        distance = np.maximum(np.linalg.norm(way, axis=1), 1e-3)
        towards = way / distance[:, None]
        cosines = np.clip(np.einsum("ij,ij->i", towards, normals), 0, None)
        cosines = cosines * np.clip(-np.einsum("ij,ij->i", towards, facing), 0, None)
        # near a large light the solid angle of a sample must not exceed that of the half space
        share = np.minimum(cosines * width * height / (math.pi * distance**2), 1.0)
        radiance = np.broadcast_to(np.array(self.radiance), towards.shape)
        if self.zenith is not None:
            height_share = np.clip(towards[:, 2:], 0, 1)
            radiance = radiance * (1 - height_share) + np.array(self.zenith) * height_share
        return towards, distance - 1e-3, share[:, None] * radiance


Light = Sun | Glow
"""samples: shadow rays for each texel. aim: for each of N points one sample, chosen by `pair` (N×2 in 0…1), as its
share of the whole light."""
