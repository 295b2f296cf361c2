"""Mixtures of logistic densities for the latents of learned codecs (csrc/latent_mixture.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import UsageError
from engine.native._base import check, const, ffi, lib, mutable


@dataclass(frozen=True)
class Mixed:
    """Mixtures of K logistic densities, one for each symbol, in any shape: rows (…×K u8) of the table of scales, shifts
    (…×(K-1) i16) of all but the first in 1/16 of a step, weights (…×K u16), 2¹⁵ in all."""

    rows: np.ndarray
    shifts: np.ndarray
    weights: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.rows.shape[:-1]

    def require(self, shape: tuple[int, ...]) -> None:
        """`UsageError` unless there is one for each of so many symbols."""
        if self.shape != shape:
            raise UsageError(f"{shape} values do not go with {self.shape} mixtures")

    def flat(self) -> Mixed:
        """One after another, N×K."""
        return Mixed(*(each.reshape(-1, each.shape[-1]) for each in (self.rows, self.shifts, self.weights)))

    def at(self, places: np.ndarray) -> Mixed:
        """Those at N places, of such as are one after another."""
        return Mixed(self.rows[places], self.shifts[places], self.weights[places])

    @staticmethod
    def joined(parts: Sequence[Mixed]) -> Mixed:
        """N×K, one part after another."""
        flat = [part.flat() for part in parts]
        return Mixed(
            *(np.concatenate(arrays) for arrays in zip(*((p.rows, p.shifts, p.weights) for p in flat), strict=True))
        )


@dataclass(frozen=True)
class Mixing:
    """Tables for mixtures, all i32: inverse, 20480 · 2¹² over each scale (in steps of 1/20); reach of each; logistic
    function at 0, 1/64, … in 2⁻³⁰; powers, 2^(-n/32) in 2⁻¹⁵."""

    inverse: np.ndarray
    reach: np.ndarray
    logistic: np.ndarray
    powers: np.ndarray

    def of(self, mixed: Mixed) -> Any:
        """As C has them, with the densities of symbols."""
        mixtures = mixed.rows.shape[-1]
        if mixed.shifts.shape != (*mixed.shape, mixtures - 1) or mixed.weights.shape != mixed.rows.shape:
            raise UsageError("every mixture needs as many rows and weights, and one shift less")
        densities = const("uint8_t", mixed.rows), const("int16_t", mixed.shifts), const("uint16_t", mixed.weights)
        return self._struct(densities, mixtures)

    def without(self, mixtures: int) -> Any:
        """As C has them, for mixtures of so many densities that are yet to come."""
        return self._struct((ffi.NULL, ffi.NULL, ffi.NULL), mixtures)

    def _struct(self, densities: tuple[Any, Any, Any], mixtures: int) -> Any:
        tables = [const("int32_t", each) for each in (self.inverse, self.reach, self.logistic, self.powers)]
        sizes = mixtures, self.inverse.size, self.logistic.size, self.powers.size
        return ffi.new("rs_latent_mixing *", (*densities, *tables, *sizes))


@dataclass(frozen=True)
class MixedUnits:
    """How a head's sums become means and mixtures: shifts (u8) of its convolution; mantissas (C i32), exponents (C u8)
    of the spread in 1/16; offsets (C i64), rows_per_nat and octaves_per_nat in 2⁻²⁴; whether it gives means."""

    shifts: np.ndarray
    mantissas: np.ndarray
    exponents: np.ndarray
    offsets: np.ndarray
    rows_per_nat: int
    octaves_per_nat: int
    means: bool


def predict_mixed(sums: np.ndarray, units: MixedUnits, mixing: Mixing, mixtures: int) -> tuple[np.ndarray, Mixed]:
    """Means in 1/16 of a step (…×C i32) and mixtures (…×C), from a head's sums (i32)."""
    channels = units.mantissas.size
    outputs = channels * (int(units.means) + 3 * mixtures - 2)
    sizes = {units.exponents.size, units.offsets.size}
    if sums.shape[-1] != outputs or units.shifts.size != outputs or sizes != {channels}:
        raise ValueError(f"{sums.shape} sums are not those of {mixtures} densities of {channels} channels")
    shape = (*sums.shape[:-1], channels)
    means = np.empty(shape, np.int32)
    rows, weights = np.empty((*shape, mixtures), np.uint8), np.empty((*shape, mixtures), np.uint16)
    shifts = np.empty((*shape, mixtures - 1), np.int16)
    given = (
        const("uint8_t", units.shifts),
        const("int32_t", units.mantissas),
        const("uint8_t", units.exponents),
        const("int64_t", units.offsets),
        *(units.rows_per_nat, units.octaves_per_nat, channels, int(units.means)),
    )
    code = lib.rs_latent_predict_mixed(
        const("int32_t", sums),
        means.size // channels,
        ffi.new("rs_latent_units *", given),
        mixing.without(mixtures),
        mutable("int32_t", means),
        mutable("uint8_t", rows),
        mutable("int16_t", shifts),
        mutable("uint16_t", weights),
    )
    check(code, "prediction")
    return means, Mixed(rows, shifts, weights)


def mixed_costs(values: np.ndarray, mixed: Mixed, mixing: Mixing) -> np.ndarray:
    """Bits that :class:`Writer` spends on each symbol under its mixture, f32."""
    mixed.require(values.shape)
    bits = np.empty(values.shape, np.float32)
    what = const("int32_t", values), values.size, mixing.of(mixed)
    check(lib.rs_latent_mixed_costs(*what, mutable("float", bits)), "latent coding")
    return bits
