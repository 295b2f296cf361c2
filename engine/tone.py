"""How linear light becomes what a monitor shows: exposure, offset, a curve, gamma. For the eye, never for a metric.

v = light · 2^exposure + offset, then the curve takes v ≥ 0 to 0…1, sRGB codes it, and a power 1/gamma follows. All
works on each channel by itself, so one table over the half floats is the whole tone (`tone_table`): a picture is shown
in another tone by a look-up, and original and decoded picture cannot be treated differently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.color import SRGB, from_linear
from engine.errors import UsageError
from engine.light import HALF_MAX

EXPOSURE_LIMIT = 16.0  # stops either way
OFFSET_LIMIT = 1.0
GAMMA_RANGE = (0.2, 5.0)
_HABLE_WHITE = 11.2
CHANNELS = 4  # of a map of directions or masks, at most
LOOKS = ("picture", "zebra", "stops")


def _clip(v: np.ndarray) -> np.ndarray:
    return v


def _reinhard(v: np.ndarray) -> np.ndarray:
    return v / (1 + v)


def _aces(v: np.ndarray) -> np.ndarray:
    return v * (2.51 * v + 0.03) / (v * (2.43 * v + 0.59) + 0.14)


def _hable(v: np.ndarray) -> np.ndarray:
    return (v * (0.15 * v + 0.05) + 0.004) / (v * (0.15 * v + 0.5) + 0.06) - 0.02 / 0.3


def _filmic(v: np.ndarray) -> np.ndarray:
    return _hable(2 * v) / _hable(np.array(_HABLE_WHITE))


# What light of 0…∞ becomes, before it is clipped to 0…1: sRGB alone; E. Reinhard et al., "Photographic tone
# reproduction for digital images", 2002; the fit to ACES by K. Narkowicz, 2015; J. Hable's for "Uncharted 2", 2010.
CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "clip": _clip,
    "reinhard": _reinhard,
    "aces": _aces,
    "filmic": _filmic,
}


@dataclass(frozen=True)
class Tone:
    """exposure: stops. offset: light added after it. gamma: 1 is plain sRGB, more is brighter. curve: of `CURVES`.

    look: of `LOOKS`: the picture itself, with stripes where it is no proper light or clipped, or its stops in colours.
    channel: of directions and masks, 1 … 4 for one of them alone; 0 is all (`engine.channel_film`).
    """

    exposure: float = 0.0
    offset: float = 0.0
    gamma: float = 1.0
    curve: str = "clip"
    look: str = "picture"
    channel: int = 0

    def __post_init__(self) -> None:
        if self.curve not in CURVES:
            raise UsageError(f"unknown tone curve '{self.curve}'; known are {', '.join(CURVES)}")
        if self.look not in LOOKS:
            raise UsageError(f"unknown look '{self.look}'; known are {', '.join(LOOKS)}")
        if self.channel not in range(CHANNELS + 1):
            raise UsageError(f"there is no channel {self.channel}; they are 1 to {CHANNELS}, and 0 for all")


NEUTRAL = Tone()


@lru_cache(maxsize=8)
def tone_table(tone: Tone) -> np.ndarray:
    """65536 u8: the sRGB code of light by the bits of its half float. NaN is black, infinity the brightest half."""
    light = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float64)
    light = np.nan_to_num(light, nan=0.0, posinf=HALF_MAX, neginf=-HALF_MAX)
    shown = CURVES[tone.curve]((light * 2.0**tone.exposure + tone.offset).clip(0, None)).clip(0, 1)
    table = np.rint(255 * from_linear(shown, SRGB) ** (1 / tone.gamma)).astype(np.uint8)
    table.flags.writeable = False
    return table
