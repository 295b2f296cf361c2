"""Rays through a scene: shadow rays to the lights, and the light that surfaces pass on to each other.

Diffuse only. Radiosity on coarse patches (Goral et al. 1984; hits by ray casting) gives what every patch reflects;
a final gather over the hemisphere of finer points reads it. Directions are stratified and shifted point by point
(Cranley and Patterson 1976), so that what noise is left is fine, and a small blur takes it away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.bake.light import Light
from engine.bake.surfaces import EPSILON, Surface

_CHUNK = 1 << 16  # rays at a time: what fits the cache
_GOLDEN = (0.7548776662466927, 0.5698402909980532)  # of the R2 sequence (M. Roberts, 2018)


@dataclass(frozen=True, eq=False)
class Points:
    """Places that receive light. place, normal: N×3. owner: N, the surface's number."""

    place: np.ndarray
    normal: np.ndarray
    owner: np.ndarray

    def part(self, rows: slice) -> Points:
        return Points(self.place[rows], self.normal[rows], self.owner[rows])


def blocked(surfaces: Sequence[Surface], start: np.ndarray, towards: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """N bool: whether anything lies on a ray before `reach`."""
    found = np.zeros(len(start), bool)
    open_ = np.arange(len(start))
    for surface in surfaces:
        distance = surface.hit(start[open_], towards[open_])[0]
        shut = distance < reach[open_]
        found[open_[shut]] = True
        open_ = open_[~shut]
    return found


def nearest(
    surfaces: Sequence[Surface], start: np.ndarray, towards: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of the surface whose lit side each ray meets first (-1: none, or a dark side), and u and v there."""
    best = np.full(len(start), np.inf, np.float32)
    owner = np.full(len(start), -1, np.int32)
    u, v = np.zeros(len(start), np.float32), np.zeros(len(start), np.float32)
    for number, surface in enumerate(surfaces):
        distance, new_u, new_v = surface.hit(start, towards)
        nearer = distance < best
        best[nearer], owner[nearer] = distance[nearer], number
        u[nearer], v[nearer] = new_u[nearer], new_v[nearer]
    normals = np.array([surface.flat_normal for surface in surfaces] + [np.zeros(3)], np.float32)
    owner[np.einsum("ij,ij->i", towards, normals[owner]) > 0] = -1
    return owner, u, v


def direct(
    surfaces: Sequence[Surface], lights: Sequence[Light], points: Points, shift: np.ndarray | None = None
) -> np.ndarray:
    """N×3 f64: light straight from the lights. All points aim at the same places of a light: shadows without noise.

    shift: N×2 in 0…1, by which each point aims elsewhere: shadows with noise in place of steps.
    """
    total = np.zeros((len(points.place), 3))
    for light in lights:
        for index in range(light.samples):
            pair = _sample(index, light.samples)
            for top in range(0, len(points.place), _CHUNK):
                rows = slice(top, top + _CHUNK)
                part = points.part(rows)
                pairs = np.broadcast_to(pair, (len(part.place), 2)) if shift is None else (pair + shift[rows]) % 1.0
                total[rows] += _arrives(surfaces, light, part, pairs) / light.samples
    return total


def _arrives(surfaces: Sequence[Surface], light: Light, points: Points, pairs: np.ndarray) -> np.ndarray:
    towards, reach, amount = light.aim(points.place, points.normal, pairs)
    lit = np.flatnonzero(amount.any(axis=1))
    start = (points.place[lit] + 2 * EPSILON * points.normal[lit]).astype(np.float32)
    shut = blocked(surfaces, start, towards[lit].astype(np.float32), reach[lit].astype(np.float32))
    out = np.zeros_like(amount)
    out[lit[~shut]] = amount[lit[~shut]]
    return out


def around(points: Points, count: int, seed: int) -> np.ndarray:
    """count×N×3 f32 unit directions over the hemispheres of `points`, as dense as the cosine."""
    shift = np.random.default_rng(seed).random((len(points.place), 2))
    side = np.cross(points.normal, np.where(np.abs(points.normal[:, 2:]) < 0.9, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(points.normal, side)
    out = np.empty((count, len(points.place), 3), np.float32)
    for index in range(count):
        pair = (shift + _sample(index, count)) % 1.0
        away, angle = np.sqrt(pair[:, :1]), 2 * math.pi * pair[:, 1:]
        flat = away * (np.cos(angle) * side + np.sin(angle) * other)
        out[index] = flat + np.sqrt(1 - pair[:, :1]) * points.normal
    return out


def _sample(index: int, count: int) -> np.ndarray:
    """Place `index` of `count` in the unit square, spread evenly whatever the count."""
    return np.array([(index + 0.5) / count, (_GOLDEN[1] + index * _GOLDEN[0]) % 1.0])
