"""Where a run stands, and what that means for the learning rate.

Training is a warm-up, then a constant learning rate for as long as one likes. Weights worth using come from a decay
that branches off: it starts from a copy of the run, whose own checkpoint stays as it is, so that the constant part can
go on later and branch again (after A. Hägele et al., "Scaling laws and compute-optimal training beyond fixed training
durations", NeurIPS 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.learned.recipe import Recipe


@dataclass(frozen=True)
class Length:
    """How long to train: minutes on the clock or steps, whichever ends first; None for no end."""

    minutes: float | None = None
    steps: int | None = None

    def share(self, seconds: float, steps: int) -> float:
        """How much of it is over, 0 … 1 and beyond."""
        by_time = seconds / (60 * self.minutes) if self.minutes else 0.0
        return max(by_time, steps / self.steps if self.steps else 0.0)


@dataclass
class Progress:
    """Counters of a run. static_until: the step at which the transform and the decoder's network join in.

    decay_minutes, decay_steps: how long the decay is, both None before one; decay_from: steps and seconds at its start.
    averaged: how often the moving average took in weights since it began.
    """

    steps: int = 0
    seconds: float = 0.0
    pixels: int = 0
    static_until: int = 0
    averaged: int = 0
    decay_minutes: float | None = None
    decay_steps: int | None = None
    decay_from_steps: int = 0
    decay_from_seconds: float = 0.0

    @property
    def decaying(self) -> bool:
        return self.decay_minutes is not None or self.decay_steps is not None

    @property
    def decayed(self) -> float:
        """How much of the decay is over, 0 … 1."""
        length = Length(self.decay_minutes, self.decay_steps)
        return min(1.0, length.share(self.seconds - self.decay_from_seconds, self.steps - self.decay_from_steps))

    def begin_decay(self, length: Length) -> None:
        self.decay_minutes, self.decay_steps = length.minutes, length.steps
        self.decay_from_steps, self.decay_from_seconds = self.steps, self.seconds
        self.averaged = 0

    @property
    def static(self) -> bool:
        """Whether only the entropy model learns yet."""
        return self.steps < self.static_until

    def quantised(self, recipe: Recipe) -> bool:
        return self.decaying and self.decayed >= recipe.decay.quantise_from

    def learning_rate(self, recipe: Recipe) -> float:
        """The factor on the peak learning rates: risen at the start and after the static part, fallen in a decay."""
        since = self.steps if self.static else self.steps - self.static_until
        warm = min(1.0, (since + 1) / max(recipe.training.warmup_steps, 1))
        return warm * max(1 - self.decayed, recipe.decay.final)

    def averaging_weight(self, recipe: Recipe, every: int) -> float:
        """Weight of the newest parameters in the moving average, taken `every` so many steps."""
        reach = min(self.averaged / 8, recipe.training.averaging / every)
        return 1 / max(reach, 1.0)
