"""Whether a picture is like those that a model was trained on, by what its transform makes of it. No torch.

Learned codecs fail quietly outside of what they know (text, drawings, noise): files grow, and shapes come out wrong. A
few numbers of the latent, the same at every rate, tell such pictures from photographs; a card holds the range that each
had over pictures of the kind that was learned from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Numbers = Mapping[str, float]

LEAST_POSITIONS = 64  # of the latent: a smaller picture is too small to be judged
MOST_POSITIONS = 24_000  # of larger ones, evenly spaced positions are looked at
_QUANTILE = 0.002  # of the pictures on either side do not decide a range
_ENDS = (
    16,
    56,
    128,
)  # of groups of coefficients, from coarse to fine: whatever slices a model codes, they say the same
# How far beyond its range a number may lie: octaves, and a share of the picture.
_MARGINS = {"energy": 0.3, "detail": 0.3, "sparsity": 0.2, "slope": 0.3, "spread": 0.2, "shade": 0.3, "empty": 0.03}
_EMPTY = 0.01  # of the usual deviation of detail: the noise of any camera is more
_CLIPPED = 0.96  # of the level of white, or of black: clipped ground has no grain on photographs either
_TINY = 1e-6

# What is said where a number is above its range, or below.
_WORDS = {
    "energy": ("far more contrast", "far less contrast"),
    "detail": ("far more fine detail", "far less fine detail"),
    "sparsity": ("isolated edges on smooth ground", "detail without edges, as noise has"),
    "slope": ("fine detail without shapes, as noise has", "far less fine detail"),
    "spread": ("sharp detail beside empty ground, as drawings have", "the same detail everywhere, as noise has"),
    "shade": ("extreme light and shade", "hardly any light and shade"),
    "empty": ("areas without any grain, as drawn and rendered pictures have", ""),
}


def latent_numbers(
    coefficients: np.ndarray, deviation: np.ndarray, slices: Sequence[int], white: float
) -> dict[str, float]:
    """What a latent is like; none of a picture that is too small.

    coefficients: h×w×M, the first channel luma's mean. deviation: M, those that the model takes for usual. slices: how
    many of the channels are of each slice, from coarse to fine. white: the first coefficient of white, minus black's.
    Energies, sparsities and spreads are in octaves.
    """
    positions = coefficients.reshape(-1, coefficients.shape[2])
    if len(positions) < LEAST_POSITIONS:
        return {}
    positions = positions[:: -(-len(positions) // MOST_POSITIONS)]
    size = np.abs(positions / deviation)
    found: dict[str, float] = {}
    ends = np.cumsum(slices)
    for place, end in enumerate(ends):
        part = size[:, end - slices[place] : end]
        energy = float(np.mean(part * part, dtype=np.float64))
        found[f"{_kind(place)} {place}"] = math.log2(energy + _TINY)
        mean = float(np.mean(part, dtype=np.float64))
        found[f"sparsity {place}"] = math.log2((energy + _TINY) / (mean * mean + _TINY))
    detail = np.sqrt(np.mean(np.square(size[:, slices[0] :]), axis=1, dtype=np.float64))
    level = positions[:, 0].astype(np.float64)
    found["slope"] = found[f"{_kind(len(slices) - 1)} {len(slices) - 1}"] - found[f"{_kind(0)} 0"]
    found["spread"] = float(np.std(np.log2(detail + 2 * _EMPTY)))
    found["shade"] = math.log2(float(np.std(level)) / float(deviation[0]) + 0.03)
    found["empty"] = float(np.mean((detail < _EMPTY) & (np.abs(level) < _CLIPPED * white)))
    return found


def groups(channels: int) -> list[int]:
    """How many of so many coefficients are looked at together, from coarse to fine."""
    ends = [end for end in _ENDS if end < channels] + [channels]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _kind(place: int) -> str:
    return "detail" if place > 1 else "energy"


@dataclass(frozen=True)
class Ranges:
    """Between what the numbers of pictures lay that are like those a model was trained on."""

    bounds: Mapping[str, tuple[float, float]]

    @staticmethod
    def of(pictures: Iterable[Numbers]) -> Ranges:
        """The ranges over some pictures, without the strangest of them."""
        found = [numbers for numbers in pictures if numbers]
        names = found[0] if found else {}
        columns = {name: [numbers[name] for numbers in found] for name in names}
        ends = (_QUANTILE, 1 - _QUANTILE)
        return Ranges({name: tuple(np.quantile(values, ends).tolist()) for name, values in columns.items()})

    @staticmethod
    def from_card(card: Mapping[str, Any]) -> Ranges:
        """Those of a model card; none where it holds none, or what makes no sense."""
        try:
            entries = card["ranges"]["numbers"].items()
            bounds = {str(name): (float(lo), float(hi)) for name, (lo, hi) in entries}
        except (AttributeError, KeyError, TypeError, ValueError):
            return Ranges({})
        return Ranges({name: (lo, hi) for name, (lo, hi) in bounds.items() if -math.inf < lo <= hi < math.inf})

    def to_json(self) -> dict[str, list[float]]:
        """For a card."""
        return {name: [round(lo, 4), round(hi, 4)] for name, (lo, hi) in self.bounds.items()}

    def unlike(self, numbers: Numbers) -> str:
        """In what a picture lies outside, in words, the farthest first and at most two; "" where it lies inside."""
        said: dict[str, float] = {}
        for name in self.bounds.keys() & numbers.keys():
            outside, words = self._outside(name, numbers[name])
            if outside > 0 and words:
                said[words] = max(outside, said.get(words, 0.0))
        return " and ".join(sorted(said, key=lambda words: (-said[words], words))[:2])

    def _outside(self, name: str, value: float) -> tuple[float, str]:
        """How far a number lies outside, in margins, and what that means; negative inside."""
        lo, hi = self.bounds[name]
        kind = name.partition(" ")[0]
        if kind not in _WORDS:  # of a card that a later program wrote
            return -1.0, ""
        above, below = _WORDS[kind]
        over, under = (value - hi) / _MARGINS[kind] - 1, (lo - value) / _MARGINS[kind] - 1
        return (over, above) if over > under else (under, below)


def warning(said: str) -> str:
    """The remark of an encode."""
    return f"unlike what this model was trained on: {said}"
