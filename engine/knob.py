"""A RATE parameter as the rate search sees it: a position from fewest bits to most."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Any

from engine.codec import Kind, Param
from engine.errors import UsageError

_RATE_SPAN = 4.0  # ln of the largest by the smallest file, over the whole range of a knob: a first guess
_LEAST_RISE = 0.01  # of typical log-rate between two entries: a flat stretch still needs positions
_DIGITS = 5  # significant digits of a continuous knob


class Knob:
    """A RATE parameter as positions from 0 (fewest bits) to 1 (most bits).

    Where the parameter has a typical curve, equal steps of position are equal steps of typical log-rate: the
    curve of any picture is then nearly a straight line, which is what makes few guesses enough.
    """

    def __init__(self, param: Param) -> None:
        self._param = param
        choices = param.kind is Kind.CHOICE
        lo, hi = (0.0, float(len(param.choices) - 1)) if choices else (param.lo, param.hi)
        if param.kind is Kind.BOOL or lo is None or hi is None or not lo < hi:
            raise UsageError(f"{param.name}: a rate can be searched only over a range of values")
        self._lo, self._hi = lo, hi
        self._log = param.log and lo > 0
        ends = self._scale(lo), self._scale(hi)
        self._start, self._end = ends if param.better >= 0 else ends[::-1]
        self._warp = _warp(param.typical_bpp)
        self.log_span = self._warp[-1] - self._warp[0] if param.typical_bpp else _RATE_SPAN

    @property
    def is_continuous(self) -> bool:
        return self._param.kind is Kind.FLOAT

    def position(self, value: Any) -> float:
        return self._at(self._param.choices.index(value) if self._param.kind is Kind.CHOICE else float(value))

    def value(self, position: float) -> Any:
        """The value that lies nearest to `position`."""
        even = _straighten(min(max(position, 0.0), 1.0), self._levels, self._grid)
        return self._at_even(even)

    def even(self, fraction: float) -> Any:
        """The value at a fraction of the knob's own range, from fewest bits to most."""
        return self._at_even(fraction)

    def first_guess(self, bpp: float) -> Any | None:
        """The value at which a typical picture takes `bpp` bits per pixel; None if nothing is known of that."""
        if not self._param.typical_bpp:
            return None
        return self.value((math.log(bpp) - self._warp[0]) / self.log_span)

    def between(self, low: float, high: float, wish: float) -> float | None:
        """The position of a value strictly between two, nearest to `wish`; None if there is none."""
        candidates = [wish, *sorted(self._steps(low, high), key=lambda step: abs(step - wish)), (low + high) / 2]
        positions = (self.position(self.value(candidate)) for candidate in candidates)
        return next((position for position in positions if low < position < high), None)

    def neighbour(self, position: float, direction: int) -> float | None:
        """The position of the next value of a knob that is not continuous; None at its end."""
        if self.is_continuous:
            return None
        value = self.value(position)
        number = self._param.choices.index(value) if self._param.kind is Kind.CHOICE else value
        number += direction if self._end > self._start else -direction
        return self._at(number) if self._lo <= number <= self._hi else None

    def _steps(self, low: float, high: float) -> list[float]:
        neighbours = (self.neighbour(low, +1), self.neighbour(high, -1))
        return [position for position in neighbours if position is not None]

    def _at(self, number: float) -> float:
        even = (self._scale(number) - self._start) / (self._end - self._start)
        return _straighten(even, self._grid, self._levels)

    def _at_even(self, fraction: float) -> Any:
        scaled = self._start + fraction * (self._end - self._start)
        number = math.exp(scaled) if self._log else scaled
        if self._param.kind is Kind.CHOICE:
            return self._param.choices[round(number)]
        if self._param.kind is Kind.INT:
            return round(number)
        return min(max(float(f"{number:.{_DIGITS}g}"), self._lo), self._hi)

    @property
    def _levels(self) -> list[float]:
        return [(level - self._warp[0]) / (self._warp[-1] - self._warp[0]) for level in self._warp]

    @property
    def _grid(self) -> list[float]:
        return [i / (len(self._warp) - 1) for i in range(len(self._warp))]

    def _scale(self, number: float) -> float:
        return math.log(number) if self._log else float(number)


def _warp(typical_bpp: tuple[float, ...]) -> list[float]:
    """Typical log-rates that strictly increase."""
    levels: list[float] = []
    for bpp in typical_bpp or (1.0, math.e):
        least = levels[-1] + _LEAST_RISE if levels else -math.inf
        levels.append(max(math.log(bpp), least))
    return levels


def _straighten(x: float, xs: list[float], ys: list[float]) -> float:
    """Linear interpolation of increasing `ys` over increasing `xs`, held at the ends."""
    i = min(max(bisect_right(xs, x) - 1, 0), len(xs) - 2)
    fraction = (x - xs[i]) / (xs[i + 1] - xs[i])
    return ys[i] + min(max(fraction, 0.0), 1.0) * (ys[i + 1] - ys[i])
