"""Surfaces that block, reflect and receive light: rectangles (with holes), discs and tubes. Metres, z is up.

Each has a chart: a rectangle of (u, v) in metres whose points lie on the surface. Rays are arrays of N×3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

EPSILON = 1e-4  # metres; nearer hits are the surface that a ray starts from

Colour = tuple[float, float, float]
Hit = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Distance (infinite for a miss), u and v, each of N."""


class Surface(Protocol):
    """A surface that reflects diffusely on one side, and blocks light from both."""

    @property
    def albedo(self) -> Colour:
        """The share of light that is reflected, per channel."""
        ...

    @property
    def charted(self) -> bool:
        """Whether it has a place in the atlas."""
        ...

    @property
    def flat_normal(self) -> np.ndarray:
        """The unit normal of a flat surface; zeros for one that is only ever seen from its lit side."""
        ...

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the chart in metres."""
        ...

    def inside(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Where the chart has a surface."""
        ...

    def at(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points and unit normals, N×3 each; the side of the normal is the lit one."""
        ...

    def hit(self, start: np.ndarray, towards: np.ndarray) -> Hit:
        """Where rays meet the surface, from either side."""
        ...


@dataclass(frozen=True)
class Quad:
    """A rectangle: corner, and two sides at right angles. holes: (u0, v0, u1, v1) in metres."""

    corner: Colour
    along: Colour
    up: Colour
    albedo: Colour
    holes: tuple[tuple[float, float, float, float], ...] = ()
    charted: bool = True

    @property
    def size(self) -> tuple[float, float]:
        return math.hypot(*self.along), math.hypot(*self.up)

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Unit vectors along u, along v, and of the normal."""
        u, v = np.array(self.along) / self.size[0], np.array(self.up) / self.size[1]
        return u, v, np.cross(u, v)

    @property
    def flat_normal(self) -> np.ndarray:
        return self.axes[2]

    def inside(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        width, height = self.size
        found = (u >= 0) & (u <= width) & (v >= 0) & (v <= height)
        for left, low, right, high in self.holes:
            found &= ~((u > left) & (u < right) & (v > low) & (v < high))
        return found

    def at(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        along, up, normal = self.axes
        points = np.array(self.corner) + u[:, None] * along + v[:, None] * up
        return points, np.broadcast_to(normal, points.shape)

    def hit(self, start: np.ndarray, towards: np.ndarray) -> Hit:
        along, up, normal = (axis.astype(np.float32) for axis in self.axes)
        slope = towards @ normal
        offset = start - np.array(self.corner, np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = -(offset @ normal) / slope
            u = offset @ along + distance * (towards @ along)
            v = offset @ up + distance * (towards @ up)
            missed = ~((distance > EPSILON) & self.inside(u, v))
        distance[missed] = np.inf
        return distance, u, v


@dataclass(frozen=True)
class Disc:
    """A level disc; its chart is the square around it. faces_up: the lit side."""

    centre: Colour
    radius: float
    albedo: Colour
    faces_up: bool = True
    charted: bool = True

    @property
    def size(self) -> tuple[float, float]:
        return 2 * self.radius, 2 * self.radius

    @property
    def flat_normal(self) -> np.ndarray:
        return np.array([0.0, 0.0, 1.0 if self.faces_up else -1.0])

    def inside(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return (u - self.radius) ** 2 + (v - self.radius) ** 2 <= self.radius**2

    def at(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points = np.stack([u - self.radius, v - self.radius, np.zeros_like(u)], axis=1) + np.array(self.centre)
        return points, np.broadcast_to(self.flat_normal, points.shape)

    def hit(self, start: np.ndarray, towards: np.ndarray) -> Hit:
        offset = start - np.array(self.centre, np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = -offset[:, 2] / towards[:, 2]
            u = offset[:, 0] + distance * towards[:, 0] + np.float32(self.radius)
            v = offset[:, 1] + distance * towards[:, 1] + np.float32(self.radius)
            missed = ~((distance > EPSILON) & self.inside(u, v))
        distance[missed] = np.inf
        return distance, u, v


@dataclass(frozen=True)
class Tube:
    """The outside of an upright cylinder on `base`; its chart is the unrolled side."""

    base: Colour
    radius: float
    height: float
    albedo: Colour
    charted: bool = True

    @property
    def size(self) -> tuple[float, float]:
        return 2 * math.pi * self.radius, self.height

    @property
    def flat_normal(self) -> np.ndarray:
        return np.zeros(3)

    def inside(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return (v >= 0) & (v <= self.height) & (u >= 0) & (u <= self.size[0])

    def at(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        angle = u / self.radius
        normals = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
        points = np.array(self.base) + self.radius * normals
        points[:, 2] += v
        return points, normals

    def hit(self, start: np.ndarray, towards: np.ndarray) -> Hit:
        x, y, z = (start - np.array(self.base, np.float32)).T
        dx, dy, dz = towards.T
        a, b = dx * dx + dy * dy, x * dx + y * dy
        with np.errstate(divide="ignore", invalid="ignore"):
            root = np.sqrt(b * b - a * (x * x + y * y - np.float32(self.radius**2)))
            distance = (-b - root) / a  # the nearer side; nothing looks out from within
            v = z + distance * dz
            angle = np.arctan2(y + distance * dy, x + distance * dx) % np.float32(2 * math.pi)
            missed = ~((distance > EPSILON) & (v >= 0) & (v <= self.height))
        distance = np.where(missed, np.float32(np.inf), distance)
        return distance, angle * np.float32(self.radius), v


def box(low: Colour, high: Colour, albedo: Colour, sides: tuple[str, ...]) -> list[Surface]:
    """Sides of an upright box, by their outward normals; those that touch a wall are left out."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    dx, dy, dz = x1 - x0, y1 - y0, z1 - z0
    made: dict[str, Surface] = {
        "x+": Quad((x1, y0, z0), (0, dy, 0), (0, 0, dz), albedo),
        "x-": Quad((x0, y1, z0), (0, -dy, 0), (0, 0, dz), albedo),
        "y+": Quad((x1, y1, z0), (-dx, 0, 0), (0, 0, dz), albedo),
        "y-": Quad((x0, y0, z0), (dx, 0, 0), (0, 0, dz), albedo),
        "z+": Quad((x0, y0, z1), (dx, 0, 0), (0, dy, 0), albedo),
        "z-": Quad((x0, y1, z0), (dx, 0, 0), (0, -dy, 0), albedo),
    }
    return [made[side] for side in sides]
