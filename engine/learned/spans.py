"""Tiles that overlap by what networks see beyond them, so that the inner part of each is what the whole would give."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Span:
    """A tile along one axis, in pixels: the part it is for, and what it is computed from."""

    start: int
    stop: int
    low: int
    high: int

    @staticmethod
    def along(side: int, margin: int, tile: int) -> list[Span]:
        limits = [(start, min(start + tile, side)) for start in range(0, side, tile)]
        return [Span(start, stop, max(0, start - margin), min(side, stop + margin)) for start, stop in limits]

    def of(self, unit: int) -> slice:
        """What the tile is computed from, in units of so many pixels."""
        return slice(self.low // unit, self.high // unit)

    def inner(self, unit: int) -> slice:
        """The part that the tile is for, in such units from its own beginning."""
        return slice((self.start - self.low) // unit, (self.stop - self.low) // unit)

    def part(self, unit: int) -> slice:
        """The same in the picture."""
        return slice(self.start // unit, self.stop // unit)


def tiles_of(size: tuple[int, int], margin: int, tile: int) -> list[tuple[Span, Span]]:
    """Rows and columns of the tiles of a picture of `size` pixels."""
    columns = Span.along(size[1], margin, tile)
    return [(row, column) for row in Span.along(size[0], margin, tile) for column in columns]


@contextlib.contextmanager
def computing(threads: int) -> Iterator[None]:
    """Without gradients, with so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, threads))
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)
