"""Charts packed into a square: shelves of falling height, at the largest scale at which all of them fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GUTTER = 2  # texels around every chart: bilinear filtering and one mip level stay within
_LEAST = 2  # texels a side of a chart


@dataclass(frozen=True)
class Place:
    """Where a chart lies, in texels, its gutter not included."""

    x: int
    y: int
    width: int
    height: int


def pack(sizes: Sequence[tuple[float, float] | None], side: int, gutter: int = GUTTER) -> list[Place | None]:
    """A place for every size (width, height in metres), None for None, all at one scale; `gutter` texels around each.

    ValueError if not even the smallest charts fit.
    """
    low, high, best = 0.0, side / max(max(size) for size in sizes if size is not None), None
    for _ in range(24):
        scale = (low + high) / 2
        found = _shelves(sizes, scale, side, gutter)
        low, high, best = (scale, high, found) if found is not None else (low, scale, best)
    if best is None:
        raise ValueError(f"{len(sizes)} charts do not fit into {side} × {side} texels")
    return best


def _shelves(
    sizes: Sequence[tuple[float, float] | None], scale: float, side: int, gutter: int
) -> list[Place | None] | None:
    wanted = [
        (max(_LEAST, round(size[1] * scale)), max(_LEAST, round(size[0] * scale)), number)
        for number, size in enumerate(sizes)
        if size is not None
    ]
    places: list[Place | None] = [None] * len(sizes)
    x = y = shelf = 0
    for height, width, number in sorted(wanted, key=lambda item: (-item[0], -item[1], item[2])):
        full_width, full_height = width + 2 * gutter, height + 2 * gutter
        if x + full_width > side:
            x, y, shelf = 0, y + shelf, 0
        if full_width > side or y + full_height > side:
            return None
        places[number] = Place(x + gutter, y + gutter, width, height)
        x, shelf = x + full_width, max(shelf, full_height)
    return places
