"""Convolutions whose results are the same on every machine: whole numbers in double precision.

Activations are multiples of 2⁻¹⁶ within ±2048, weights of each output multiples of a power of two, chosen such that no
sum of products can reach 2⁵³. So every product and every partial sum is a whole number that double precision holds
exactly, whatever the order of additions, the library that multiplies matrices, or the number of threads (the idea is
that of J. Ballé et al., "Integer networks for data compression with latent-variable models", ICLR 2019). What is lost
against single precision is less than single precision loses itself: the weights of an output keep 26 bits below the
sum of their magnitudes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import CorruptStream, EngineError

FRACTION_BITS = 16
STEPS = 1 << FRACTION_BITS  # of an activation to 1
LIMIT = (1 << 27) - 1  # of activations, in steps
_EXACT = 1 << 53
_MOST_SHIFT = 30
_LEAST_SHIFT = 8
LEAK = 0.01

Check = Callable[[], None]


def codes_of(name: str, weight: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
    """Integers of a layer from its floats: weights O×I×k×k as i32 in 2^-shift, biases as i64 in 2^-(shift + 16), and
    the shift of each output, u8. `EngineError` where the weights are so large that they would have to be coarse."""
    weight, bias = weight.astype(np.float64), bias.astype(np.float64)
    reach = np.abs(weight).sum((1, 2, 3)) * (LIMIT + 1) + np.abs(bias) * STEPS
    if not np.isfinite(reach).all():
        raise EngineError(f"the weights of '{name}' are no numbers")
    shift = np.floor(np.log2(_EXACT / np.maximum(reach, 1))).astype(np.int64)
    shift = np.minimum(shift - 1, _MOST_SHIFT)  # one less: roundings add up, here and in the check
    if shift.min() < _LEAST_SHIFT:
        raise EngineError(f"the weights of '{name}' are too large for exact arithmetic")
    scale = np.exp2(shift)
    return {
        f"{name}.weight": np.rint(weight * scale[:, None, None, None]).astype(np.int32),
        f"{name}.bias": np.rint(bias * scale * STEPS).astype(np.int64),
        f"{name}.shift": shift.astype(np.uint8),
    }


class ExactLayer:
    """A layer of the integers that `codes_of` made; checked, as they come from a file."""

    def __init__(self, integers: Mapping[str, np.ndarray], name: str, inputs: int, outputs: int, kernel: int) -> None:
        weight, bias, shift = (_tensor(integers, f"{name}.{part}") for part in ("weight", "bias", "shift"))
        if weight.dtype != np.int32 or weight.shape != (outputs, inputs, kernel, kernel):
            raise CorruptStream(f"these weights are no layer {inputs}→{outputs}: '{name}'")
        if (bias.dtype, bias.shape, shift.dtype, shift.shape) != (np.int64, (outputs,), np.uint8, (outputs,)):
            raise CorruptStream(f"the biases or shifts of '{name}' are of another kind")
        magnitudes = np.abs(weight.astype(np.int64)).sum((1, 2, 3))
        # In doubles, where nothing overflows; what is near the limit does not come from `codes_of`.
        if (magnitudes.astype(np.float64) * LIMIT + np.abs(bias.astype(np.float64)) >= _EXACT).any():
            raise CorruptStream(f"sums of '{name}' would not be exact")
        self.kernel, self.outputs = kernel, outputs
        self.taps = np.ascontiguousarray(weight.transpose(2, 3, 1, 0), np.float64)  # k×k×I×O
        self.bias, self._unit = bias.astype(np.float64), np.exp2(-shift.astype(np.float64))

    def convolved(self, values: np.ndarray, check: Check) -> np.ndarray:
        """Sums of H×W×I activations, zeros around them: H×W×O, without biases."""
        rows, columns, inputs = values.shape
        edge = self.kernel // 2
        padded = np.pad(values, ((edge, edge), (edge, edge), (0, 0)))
        sums = np.zeros((rows * columns, self.outputs))
        for down in range(self.kernel):
            for right in range(self.kernel):
                check()
                seen = padded[down : down + rows, right : right + columns].reshape(-1, inputs)
                sums += seen @ self.taps[down, right]
        return sums.reshape(rows, columns, self.outputs)

    def doubled(self, values: np.ndarray, check: Check) -> np.ndarray:
        """Sums of a transposed convolution that doubles the sides: 2H×2W×O, without biases."""
        rows, columns, inputs = values.shape
        flat = np.ascontiguousarray(values).reshape(-1, inputs)
        edge = self.kernel // 2
        sums = np.zeros((2 * rows + self.kernel - 1, 2 * columns + self.kernel - 1, self.outputs))
        for down in range(self.kernel):
            for right in range(self.kernel):
                check()
                part = (flat @ self.taps[down, right]).reshape(rows, columns, self.outputs)
                sums[down : down + 2 * rows : 2, right : right + 2 * columns : 2] += part
        return sums[edge : edge + 2 * rows, edge : edge + 2 * columns]

    def activations(self, sums: np.ndarray, slope: float = 1.0) -> np.ndarray:
        """Activations in whole steps from sums without biases; negative ones times `slope`."""
        values = (sums + self.bias) * self._unit
        if slope != 1.0:
            values = np.where(values < 0, values * slope, values)
        return np.rint(values).clip(-LIMIT, LIMIT)


@dataclass(frozen=True)
class Stage:
    """A layer of a chain. doubling: a transposed convolution. shuffled: its outputs are four pixels each."""

    name: str
    inputs: int
    outputs: int
    kernel: int = 3
    doubling: bool = False
    shuffled: bool = False


class ExactChain:
    """Stages with rectifiers of `slope` in between, and behind the last one where `closed`."""

    def __init__(
        self, integers: Mapping[str, np.ndarray], stages: tuple[Stage, ...], slope: float, *, closed: bool = False
    ) -> None:
        self._stages, self._slope, self._closed = stages, slope, closed
        self._layers = [
            ExactLayer(integers, each.name, each.inputs, each.outputs * (4 if each.shuffled else 1), each.kernel)
            for each in stages
        ]

    def __call__(self, values: np.ndarray, check: Check) -> np.ndarray:
        """H×W×C activations in whole steps, as doubles; the stages say what of."""
        for stage, layer in zip(self._stages, self._layers, strict=True):
            last = layer is self._layers[-1] and not self._closed
            sums = layer.doubled(values, check) if stage.doubling else layer.convolved(values, check)
            values = layer.activations(sums, 1.0 if last else self._slope)
            if stage.shuffled:
                values = _shuffle(values)
        return values


def _shuffle(values: np.ndarray) -> np.ndarray:
    """H×W×4C to 2H×2W×C, as torch's PixelShuffle."""
    rows, columns, channels = values.shape
    fours = values.reshape(rows, columns, channels // 4, 2, 2).transpose(0, 3, 1, 4, 2)
    return fours.reshape(2 * rows, 2 * columns, channels // 4)


def _tensor(integers: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if name not in integers:
        raise CorruptStream(f"these weights have no '{name}'")
    return integers[name]
