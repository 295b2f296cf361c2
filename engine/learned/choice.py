"""Which symbols an encoder writes: the nearest ones, or by what they cost.

Rate–distortion optimised quantisation in its simplest form: the nearest whole number, or the next one towards zero
where the bits saved are worth more than the error added (G. Sullivan, "Efficient scalar quantization of exponential and
Laplacian random variables", IEEE Trans. Inf. Theory 1996, has the ideal for one density). A stream does not show it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.learned.slice_networks import Densities, mixing
from engine.native import latent
from engine.native.entropy import Tables
from engine.native.mixture import Mixed, mixed_costs

Costs = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Bits (f32) of N symbols (i32) at N places among the densities."""


def chosen(exact: np.ndarray, costs: Costs, squared_step_bits: float) -> np.ndarray:
    """Symbols (i32) for coefficients in steps around their means (f32), both in the order of the densities;
    squared_step_bits: see `ModelRecipe`."""
    nearest: np.ndarray = np.rint(exact).clip(-latent.SYMBOL_MAX, latent.SYMBOL_MAX).astype(np.int32)
    if not squared_step_bits:
        return nearest
    at = np.flatnonzero(nearest)
    own, symbols = exact.ravel()[at], nearest.ravel()[at]
    smaller = symbols - np.sign(symbols)
    error = np.square(own - smaller.astype(np.float32)) - np.square(own - symbols.astype(np.float32))
    saved = costs(symbols, at) - costs(smaller, at)
    nearest.ravel()[at] = np.where(saved > np.float32(squared_step_bits) * error, smaller, symbols)
    return nearest


def under(densities: Densities, tables: Tables) -> Costs:
    """What symbols cost under rows of tables, or mixtures, in any shape."""
    if isinstance(densities, Mixed):
        mixed = densities.flat()
        return lambda symbols, at: mixed_costs(symbols, mixed.at(at), mixing())
    rows = densities.ravel()
    return lambda symbols, at: latent.costs(symbols, rows[at], tables)
