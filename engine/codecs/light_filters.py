"""The learned part of `lightmap-multiscale`: filters that take out of decoded light what quantising left in it.

Every place belongs to a class: by the quantisation step, by how restless the light around it is in expected errors,
and by the direction in which it is. A class has a filter of its own, learned by least squares
(engine/learned/light_filters.py). Everything is measured in expected errors, which follow from the step alone, so one
set of filters serves all rates and exposures. All of it is IEEE single precision in one fixed order: decoded light is
the same on every machine, and no network library is needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.native import light as native

# RMS error in stops for a step of one stop, and how it grows: measured on lightmaps, 40 to 60 dB of log2-PSNR.
_ERROR, _GROWTH = 0.06, 0.6
_PER_OCTAVE = 8  # values of the error by which the step counts
_LOWEST, _OCTAVES = -4, 6.5  # of the steps in stops that have classes of their own
STEPS, RESTLESS, DIRECTIONS = 6, 6, 5  # classes
CLASSES = STEPS * RESTLESS * DIRECTIONS
_CALM = 0.125  # expected errors of curvature, below which a place is calm; twice that is the next class
_LEANING = np.float32(1.6)  # one direction's curvature against the other's
_LEAST = np.float32(1e-3)
TIGHT, LOOSE = 1.0, 4.0  # expected errors
LUMA, CHROMA = 0, 1


@dataclass(frozen=True)
class Scale:
    """What a step in stops means. error: the expected error in stops. number: of the step's class."""

    error: float
    number: int

    @staticmethod
    def of(step: float) -> Scale:
        mantissa, exponent = math.frexp(step)
        eighth = sum(mantissa * 2 > bound for bound in _EIGHTHS)
        place = _PER_OCTAVE * (exponent - 1) + eighth
        error = round(_ERROR * 2.0 ** (_GROWTH * place / _PER_OCTAVE) * 2**24) / 2**24
        number = math.floor((place / _PER_OCTAVE - _LOWEST) / _OCTAVES * STEPS)
        return Scale(error, min(max(number, 0), STEPS - 1))


_EIGHTHS = tuple(round(2 ** ((k + 0.5) / _PER_OCTAVE) * 1024) / 1024 for k in range(_PER_OCTAVE))


def classes(luma: np.ndarray, scale: Scale, unit: float) -> np.ndarray:
    """H×W u8 of places of a decoded plane of luma, H×W f32. unit: of its values, to a stop."""
    error = np.float32(scale.error * unit)
    across, down, falling, rising = (_around(each) / error for each in _curvatures(luma))
    restless = np.zeros(luma.shape, np.uint8)
    for level in range(RESTLESS - 1):
        restless += across + down >= np.float32(_CALM * 2**level)
    straight, slanted = _share(across, down), _share(falling, rising)
    leaning = np.maximum(straight, slanted) >= _LEANING
    turned = np.where(across > down, 1, 2)
    diagonal = np.where(falling > rising, 3, 4)
    direction = np.where(leaning, np.where(straight >= slanted, turned, diagonal), 0)
    number = (scale.number * RESTLESS + restless) * DIRECTIONS + direction
    return number.astype(np.uint8)


def corrections(
    planes: list[np.ndarray], numbers: np.ndarray, weights: np.ndarray, scale: Scale, unit: float
) -> list[np.ndarray]:
    """What is to be added to decoded planes, luma first. numbers: from `classes`. weights: 2×CLASSES×WEIGHTS f32."""
    tight, loose = scale.error * unit * TIGHT, scale.error * unit * LOOSE
    return [
        native.correction(plane, numbers, weights[CHROMA if number else LUMA], tight, loose)
        for number, plane in enumerate(planes)
    ]


def _curvatures(plane: np.ndarray) -> list[np.ndarray]:
    """|second differences| along rows, columns and the diagonals, H×W f32 each."""
    height, width = plane.shape
    padded = np.pad(plane, 1, mode="edge")

    def at(dy: int, dx: int) -> np.ndarray:
        return padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    twice = plane + plane
    return [np.abs(at(dy, dx) + at(-dy, -dx) - twice) for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1))]


def _around(values: np.ndarray) -> np.ndarray:
    """Means over 5×5, always added in the same order."""
    height, width = values.shape
    padded = np.pad(values, ((2, 2), (0, 0)), mode="edge")
    rows = sum((padded[k : k + height] for k in range(1, 5)), padded[:height])
    padded = np.pad(rows, ((0, 0), (2, 2)), mode="edge")
    return sum((padded[:, k : k + width] for k in range(1, 5)), padded[:, :width]) * np.float32(1 / 25)


def _share(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.maximum(one, other) / (np.minimum(one, other) + _LEAST)
