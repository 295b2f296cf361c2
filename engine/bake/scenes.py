"""Scenes by chance: rooms, halls and yards with props and lights, no two alike; the same seed gives the same scene."""

from __future__ import annotations

import math

import numpy as np

from engine.bake.bake import Scene
from engine.bake.light import Glow, Light, Sun
from engine.bake.surfaces import Colour, Disc, Quad, Surface, Tube, box

_ALL_SIDES = ("x-", "x+", "y-", "y+", "z+")
_DARK: Colour = (0.1, 0.1, 0.1)
_SKY_HEIGHT = 40.0  # metres above a yard


def random_scene(rng: np.random.Generator) -> Scene:
    """Three in four are rooms, the others yards under the open sky; 10 to 60 charts."""
    return _room(rng) if rng.random() < 0.75 else _yard(rng)


def _room(rng: np.random.Generator) -> Scene:
    size = rng.uniform(3, 12), rng.uniform(3, 12), rng.uniform(2.4, 5)
    windows = {side: _window(rng, size, side) for side in rng.permutation(4)[: rng.integers(0, 4)]}
    surfaces = [*_shell(rng, size, windows)]
    for _ in range(rng.integers(2, 9)):
        surfaces += _prop(rng, size)
    lights: list[Light] = [_sky_in(rng, window) for window in windows.values()]
    if windows and rng.random() < 0.8:
        lights.append(_sun(rng, int(next(iter(windows)))))
    for _ in range(rng.integers(0 if lights else 1, 5)):
        lights.append(_lamp(rng, size))
    return Scene(tuple(surfaces), tuple(lights))


def _yard(rng: np.random.Generator) -> Scene:
    side = rng.uniform(8, 30)
    size = side, side, side / 2
    surfaces: list[Surface] = [Quad((0, 0, 0), (side, 0, 0), (0, side, 0), _colour(rng))]
    for _ in range(rng.integers(4, 12)):
        surfaces += _prop(rng, size)
    above = Quad((-2 * side, 3 * side, _SKY_HEIGHT), (5 * side, 0, 0), (0, -5 * side, 0), _DARK)
    lights: list[Light] = [Glow(above, _light(rng, 0.3, 1.5), samples=32)]
    if rng.random() < 0.8:
        lights.append(_sun(rng, None))
    lights += [_lamp(rng, (side, side, 4.0)) for _ in range(rng.integers(0, 3))]
    return Scene(tuple(surfaces), tuple(lights))


_Window = tuple[int, Quad, tuple[float, float, float, float]]
"""Number of the wall (x = 0, x = X, y = 0, y = Y), the opening's plane, its place in the wall."""


def _walls(size: tuple[float, float, float]) -> list[tuple[Colour, Colour]]:
    """Corner and direction along of each wall, whose lit side faces the room."""
    x, y, _ = size
    return [((0, 0, 0), (0, y, 0)), ((x, y, 0), (0, -y, 0)), ((x, 0, 0), (-x, 0, 0)), ((0, y, 0), (x, 0, 0))]


def _window(rng: np.random.Generator, size: tuple[float, float, float], side: int) -> _Window:
    corner, along = _walls(size)[side]
    length, height = math.hypot(*along), size[2]
    width, tall = rng.uniform(0.15, 0.6) * length, rng.uniform(0.2, 0.7) * height
    left, low = rng.uniform(0.05, 0.95) * (length - width), rng.uniform(0.05, 0.95) * (height - tall)
    unit = np.array(along) / length
    start = np.array(corner) + left * unit + (0, 0, low)
    opening = Quad(_triple(start), _triple(width * unit), (0, 0, tall), _DARK)
    outwards = -0.01 * opening.axes[2]
    return (
        side,
        Quad(_triple(start + outwards), opening.along, opening.up, _DARK),
        (left, low, left + width, low + tall),
    )


def _shell(rng: np.random.Generator, size: tuple[float, float, float], windows: dict[int, _Window]) -> list[Surface]:
    x, y, z = size
    plaster = _colour(rng)
    out: list[Surface] = [
        Quad((0, 0, 0), (x, 0, 0), (0, y, 0), _colour(rng)),
        Quad((0, y, z), (x, 0, 0), (0, -y, 0), plaster),
    ]
    for side, (corner, along) in enumerate(_walls(size)):
        holes = (windows[side][2],) if side in windows else ()
        out.append(Quad(corner, along, (0, 0, z), plaster if rng.random() < 0.7 else _colour(rng), holes=holes))
        if side in windows and rng.random() < 0.5:
            out += _bars(rng, windows[side][1])
    return out


def _bars(rng: np.random.Generator, window: Quad) -> list[Surface]:
    """Upright bars in a window: they only cast shadows."""
    count, share = int(rng.integers(1, 6)), rng.uniform(0.05, 0.5)
    along = np.array(window.along) / count
    starts = [np.array(window.corner) + (n + 0.5 - share / 2) * along for n in range(count)]
    return [Quad(_triple(start), _triple(share * along), window.up, _DARK, charted=False) for start in starts]


def _sky_in(rng: np.random.Generator, window: _Window) -> Glow:
    low = _light(rng, 0.4, 3)
    return Glow(window[1], low, zenith=(0.7 * low[0], low[1], 1.5 * low[2]), samples=32)


def _sun(rng: np.random.Generator, side: int | None) -> Sun:
    """side: the wall through whose window it shines."""
    angle = rng.uniform(0, 2 * math.pi)
    if side is not None:
        angle = (math.pi, 0, -math.pi / 2, math.pi / 2)[side] + rng.uniform(-1, 1)
    elevation = rng.uniform(0.15, 1.2)
    direction = math.cos(angle) * math.cos(elevation), math.sin(angle) * math.cos(elevation), math.sin(elevation)
    strength = rng.uniform(2, 30)
    warm = rng.uniform(0.4, 1)
    return Sun(
        direction, (strength, strength * warm**0.5, strength * warm), radius=10 ** rng.uniform(-0.6, 0.7), samples=24
    )


def _lamp(rng: np.random.Generator, size: tuple[float, float, float]) -> Glow:
    """A rectangle that shines down, sideways or up; from a point to a ceiling's panel."""
    width, length = 10 ** rng.uniform(-1.5, 0.2), 10 ** rng.uniform(-1.5, 0.2)
    place = [rng.uniform(0.1, 0.9) * side for side in size]
    strength = 10 ** rng.uniform(0, 1.3) / (width * length) ** 0.7
    axes = [((0, width, 0), (length, 0, 0)), ((0, width, 0), (0, 0, length)), ((width, 0, 0), (0, length, 0))]
    along, up = axes[rng.choice(3, p=(0.7, 0.15, 0.15))]
    colour = _light(rng, 0.5, 1)
    return Glow(Quad(_triple(np.array(place)), along, up, _DARK), _triple(strength * np.array(colour)), samples=24)


def _prop(rng: np.random.Generator, size: tuple[float, float, float]) -> list[Surface]:
    """Something on the floor, on another thing or in the air; things may stick into each other, as they do in games."""
    x, y = rng.uniform(0, size[0]), rng.uniform(0, size[1])
    colour = _colour(rng)
    kind = rng.choice(("box", "boxes", "stairs", "column", "table", "shelf", "wall"))
    if kind == "column":
        return [Tube((x, y, 0), rng.uniform(0.05, 0.4), size[2] * rng.uniform(0.3, 1), colour)]
    if kind == "table":
        radius, height = rng.uniform(0.3, 1), rng.uniform(0.4, 1)
        top, under = Disc((x, y, height), radius, colour), Disc((x, y, height - 0.04), radius, colour, faces_up=False)
        return [top, under, Tube((x, y, 0), radius / 8, height - 0.04, colour)]
    if kind == "stairs":
        depth, rise, wide = rng.uniform(0.2, 0.4), rng.uniform(0.12, 0.3), rng.uniform(0.6, 2)
        steps = [((x + n * depth, y, n * rise), (x + (n + 1) * depth, y + wide, (n + 1) * rise)) for n in range(5)]
        return [side for low, high in steps for side in box(low, high, colour, ("x-", "y-", "y+", "z+"))]
    if kind == "shelf":
        boards = [rng.uniform(0.2, 0.5) * n for n in range(1, 5)]
        width, deep = rng.uniform(0.5, 2), rng.uniform(0.2, 0.5)
        faces = ("y-", "y+", "x-", "z+", "z-")
        return [s for z in boards for s in box((x, y, z), (x + deep, y + width, z + 0.03), colour, faces)]
    if kind == "wall":
        length, high = rng.uniform(1, max(size[:2])), size[2] * rng.uniform(0.4, 1)
        thick = (length, 0.15) if rng.random() < 0.5 else (0.15, length)
        return box((x, y, 0), (x + thick[0], y + thick[1], high), colour, _ALL_SIDES)
    count = 1 if kind == "box" else int(rng.integers(2, 6))
    out: list[Surface] = []
    for _ in range(count):
        low = x + rng.normal(0, 0.4) * (count > 1), y + rng.normal(0, 0.4) * (count > 1), rng.choice((0, 0, 0.5))
        sides = 10 ** rng.uniform(-0.7, 0.3, 3)
        out += box(_triple(np.array(low)), _triple(np.array(low) + sides), colour, _ALL_SIDES)
    return out


def _colour(rng: np.random.Generator) -> Colour:
    """An albedo: mostly grey, now and then strong."""
    return _triple((rng.uniform(0.15, 0.85) * (1 - rng.beta(1, 4, 3))).clip(0.02, 0.9))


def _light(rng: np.random.Generator, low: float, high: float) -> Colour:
    return _triple(rng.uniform(low, high) * (1 - rng.beta(1, 3, 3)))


def _triple(values: np.ndarray) -> Colour:
    x, y, z = (float(value) for value in values)
    return x, y, z
