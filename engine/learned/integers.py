"""Parts of the integer networks: tensors that are checked as they are taken up, and convolutions band by band."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from engine.codec import Ctx
from engine.errors import CorruptStream
from engine.learned import fixed
from engine.native import latent
from engine.native.latent import ACTIVATION_MAX, ALL, Convolution, Every

BAND_POSITIONS = 1 << 13  # cancelling is possible in between

Tensors = Mapping[str, np.ndarray]


class Bands:
    """Runs convolutions a band of rows at a time: in several threads, and able to stop."""

    def __init__(self, ctx: Ctx) -> None:
        self._ctx = ctx

    def check(self) -> None:
        """`Cancelled` if that is wanted."""
        self._ctx.check()

    def layer(
        self,
        convolution: Convolution,
        values: np.ndarray,
        out: np.ndarray,
        every: Every = ALL,
        *,
        leaky: bool = True,
        factors: np.ndarray | None = None,
        add: np.ndarray | None = None,
    ) -> None:
        def band(rows: slice) -> None:
            more = None if add is None else add[rows]
            here = every.rows(rows.start)
            convolution.layer(values[rows], out[rows], here, leaky=leaky, factors=factors, add=more)

        self._each(band, out.shape[:2])

    def sums(self, convolution: Convolution, values: np.ndarray, out: np.ndarray) -> None:
        self._each(lambda rows: convolution.sums(values[rows], out[rows]), out.shape[:2])

    def _each(self, work: Callable[[slice], None], size: tuple[int, ...]) -> None:
        rows, columns = size
        threads = max(1, self._ctx.threads)
        step = max(1, min(-(-rows // threads), BAND_POSITIONS // columns))
        bands = [slice(first, min(first + step, rows)) for first in range(0, rows, step)]

        def checked(band: slice) -> None:
            self._ctx.check()
            work(band)

        if min(threads, len(bands)) == 1:
            for band in bands:
                checked(band)
            return
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(checked, bands):
                pass


def tensor(tensors: Tensors, name: str, kind: type) -> np.ndarray:
    """That of this name and type; `CorruptStream`."""
    if name not in tensors:
        raise CorruptStream(f"the weights lack the integers '{name}'")
    array = tensors[name]
    if array.dtype != kind:
        raise CorruptStream(f"the integers '{name}' are of type {array.dtype}")
    return np.ascontiguousarray(array)


def table(tensors: Tensors, name: str, channels: int, limits: tuple[int, int]) -> np.ndarray:
    """A table over the rates, points×C in 2⁻¹⁶, its values within `limits`."""
    found = tensor(tensors, name, np.int32)
    if found.ndim != 2 or found.shape[0] < 2 or found.shape[1] != channels:
        raise CorruptStream(f"the table '{name}' is {found.shape}, not of {channels} channels")
    low, high = (limit << fixed.TABLE_BITS for limit in limits)
    if found.min() < low or found.max() > high:
        raise CorruptStream(f"the table '{name}' goes beyond {limits[0]}…{limits[1]}")
    return found


def convolution(
    tensors: Tensors,
    name: str,
    *,
    inputs: np.ndarray | None = None,
    outputs: np.ndarray | None = None,
    cross: bool = False,
    zeros: int = 0,
) -> Convolution:
    """The convolution of that name, inputs and outputs put in another order, after so many outputs that are always 0.
    `CorruptStream` if it could overflow."""
    weights = tensor(tensors, f"{name}.weight", np.int8)
    biases, shifts = tensor(tensors, f"{name}.bias", np.int32), tensor(tensors, f"{name}.shift", np.uint8)
    count = len(weights)
    if (
        weights.ndim not in (3, 4)
        or biases.shape != (count,)
        or shifts.shape != (count,)
        or shifts.max() > latent.LARGEST_SHIFT
    ):
        raise CorruptStream(f"the integers of '{name}' do not fit together")
    taps = weights.reshape(count, weights.shape[1], -1)
    largest = (ACTIVATION_MAX + 1) * np.abs(taps.astype(np.int64)).sum((1, 2)) + np.abs(biases.astype(np.int64))
    if largest.max() >= 1 << 31:
        raise CorruptStream(f"sums of '{name}' could exceed 32 bits")
    if cross:
        taps = taps[:, :, [1, 3, 5, 7]]
    if inputs is not None:
        taps = taps[:, inputs]
    if outputs is not None:
        taps, biases, shifts = taps[outputs], biases[outputs], shifts[outputs]
    if zeros:
        taps, biases, shifts = (
            np.concatenate([np.zeros((zeros, *array.shape[1:]), array.dtype), array])
            for array in (taps, biases, shifts)
        )
    return Convolution(*(np.ascontiguousarray(array) for array in (taps, biases, shifts)))
