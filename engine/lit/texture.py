"""Textures as a card holds them: levels, each half the one before, and colours between texels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import memory
from engine.color import LINEAR_SRGB, convert
from engine.image import Image
from engine.light import HALF_MAX
from engine.native import lit


@dataclass(frozen=True, eq=False)
class Texture:
    """texels: T×3 f32, the levels one behind the other, the largest first. sizes: width and height of each level.

    repeat: whether it goes on beyond 0 … 1, as an albedo does; else its edge does, as a lightmap's.
    """

    texels: np.ndarray
    sizes: tuple[tuple[int, int], ...]
    repeat: bool = False

    @staticmethod
    def of(pixels: np.ndarray, *, repeat: bool = False) -> Texture:
        """A texture of H×W×3 f32 with all its levels. `LimitExceeded` where they would take too much memory."""
        memory.require(pixels.nbytes * 8 // 3, "the lit view")
        levels = [np.ascontiguousarray(pixels, np.float32)]
        while max(levels[-1].shape[:2]) > 1 and len(levels) < lit.MAX_LEVELS:
            levels.append(halved(levels[-1]))
        sizes = tuple((level.shape[1], level.shape[0]) for level in levels)
        return Texture(np.concatenate([level.reshape(-1, 3) for level in levels]), sizes, repeat)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in texels."""
        return self.sizes[0]

    def level(self, number: int) -> np.ndarray:
        """H×W×3 f32 of one level."""
        start = sum(width * height for width, height in self.sizes[:number])
        width, height = self.sizes[number]
        return self.texels[start : start + width * height].reshape(height, width, 3)

    def sample(
        self, uv: np.ndarray, lod: np.ndarray | None = None, owner: np.ndarray | None = None, *, cubic: bool = False
    ) -> np.ndarray:
        """…×3 f32 at uv (…×2 f32); lod, owner and cubic as `engine.native.lit.sample` has them."""
        return lit.sample(self.texels, self.sizes, uv, lod, owner, cubic=cubic, repeat=self.repeat)


def halved(level: np.ndarray) -> np.ndarray:
    """The next level of H×W×3 f32: means of 2×2 texels, whatever they are, gutters too.

    A side of odd length 2m + 1 becomes m, each a mean over 2 + 1/m texels with weights of their share (S. Guthe and
    P. Heckbert, "Non-Power-of-Two Mipmapping", NVIDIA 2005); a side of 1 stays.
    """
    for axis in (0, 1):
        level = _halved_along(level, axis)
    return level


def _halved_along(level: np.ndarray, axis: int) -> np.ndarray:
    count = level.shape[axis]
    if count == 1:
        return level
    if count % 2 == 0:
        return 0.5 * (_every_second(level, axis, 0, count) + _every_second(level, axis, 1, count))
    half = count // 2
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    place = np.arange(half, dtype=np.float32).reshape(shape)
    parts = ((half - place, 0), (np.float32(half), 1), (place + 1, 2))
    total = np.zeros(1, np.float32)
    for weight, first in parts:
        total = total + weight * _every_second(level, axis, first, first + 2 * half - 1)
    return total / np.float32(count)


def _every_second(level: np.ndarray, axis: int, first: int, stop: int) -> np.ndarray:
    part = slice(first, stop, 2)
    return level[part] if axis == 0 else level[:, part]


def light_of(image: Image) -> np.ndarray:
    """H×W×3 f32: the linear light that a half-float texture holds of a picture.

    In sRGB's primaries, not below 0, at most 65504; what is not a number is 0. Alpha is coverage and left out.
    """
    pixels = image.colour_pixels
    codes = pixels if image.is_float else pixels.astype(np.float32) / np.float32(image.peak)
    light = convert(codes, image.color, LINEAR_SRGB).astype(np.float32, copy=False)
    light = np.nan_to_num(light, nan=0, posinf=HALF_MAX, neginf=0).clip(0, HALF_MAX)
    return np.repeat(light, 3, axis=2) if light.shape[2] == 1 else light
