"""What a search is after, on its own scale: ln of a rate or size, or dB."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from engine.errors import UsageError
from engine.trial import Target, TargetKind, Trial

RATE_TOLERANCE = 0.005  # of the rate, below the target: near enough to stop
PSNR_TOLERANCE = 0.03  # dB above the target
SHORTFALL = 0.02  # of the rate: from here on people are told; 0.1 dB for quality
_PSNR_SHORTFALL = 0.1
PSNR_SLOPE = 5.0  # dB for each e-fold of rate: a first guess


@dataclass(order=True)
class Point:
    position: float
    y: float  # ln bpp, or dB
    trial: Trial = field(compare=False)


class Goal:
    """The target on the scale of the search."""

    LOSSLESS = 120.0  # dB: infinite, but a curve needs a number

    def __init__(self, target: Target) -> None:
        self.target = target
        self.is_rate = target.kind is not TargetKind.PSNR
        if not (math.isfinite(target.value) and (target.value > 0 or not self.is_rate)):
            raise UsageError(f"{target} is no target")
        self.y = math.log(target.value) if self.is_rate else target.value
        self.tolerance = RATE_TOLERANCE if self.is_rate else PSNR_TOLERANCE
        self.scale = 1.0 if self.is_rate else PSNR_SLOPE  # what is far on this scale

    def measure(self, trial: Trial) -> float | None:
        """The trial's place on the scale, or None if it was not measured."""
        if self.target.kind is TargetKind.BYTES:
            return math.log(trial.size)
        if self.target.kind is TargetKind.BPP:
            return math.log(trial.bpp)
        return None if trial.db is None else min(trial.db, self.LOSSLESS)

    def admits(self, trial: Trial) -> bool:
        if self.target.kind is TargetKind.BYTES:
            return trial.size <= self.target.value
        if self.target.kind is TargetKind.BPP:
            return trial.bpp <= self.target.value
        return trial.db is not None and trial.db >= self.target.value

    def shortfall(self, point: Point) -> float:
        """How far an admissible point stays from the target, ≥ 0."""
        return abs(self.y - point.y)

    @property
    def far(self) -> float:
        """From which shortfall on people are told."""
        return SHORTFALL if self.is_rate else _PSNR_SHORTFALL


def rate_text(trial: Trial, goal: Goal) -> str:
    if goal.target.kind is TargetKind.BYTES:
        return f"{trial.size} bytes"
    if goal.is_rate:
        return f"{trial.bpp:.4g} bpp"
    return f"{trial.db:.2f} dB"
