"""Where an axis is marked: 1-2-5 steps, labelled only where the labels have room."""

from __future__ import annotations

import math

Major = list[tuple[float, str]]
_LEADS = ((1, 2, 5), (1, 3), (1,))  # tried in turn: how many marks a decade gets
_MINOR_LEADS = range(1, 10)


def _text(value: float) -> str:
    """A tick's number: plain, short, and exact for 1-2-5 steps."""
    return f"{value:.10g}" if abs(value) < 1e6 else f"{value:.3g}"


def linear_ticks(lo: float, hi: float, length: float, room: float) -> tuple[Major, list[float]]:
    """Labelled and plain marks of a linear axis.

    lo < hi in value, length and room (a label with its gap) in pixels. The step is 1, 2 or 5 times a power
    of ten, the smallest that leaves each label its room.
    """
    if not (math.isfinite(lo) and math.isfinite(hi)) or hi <= lo or length <= 0:
        return [], []
    least = (hi - lo) * room / length
    power = 10.0 ** math.floor(math.log10(least))
    step = next(lead * power for lead in (1, 2, 5, 10) if lead * power >= least * (1 - 1e-9))
    small = step / (4 if round(step / 10 ** math.floor(math.log10(step) + 1e-9)) == 2 else 5)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    major = [
        (k * step, f"{k * step:.{digits}f}") for k in range(math.ceil(lo / step - 1e-9), int(hi / step + 1e-9) + 1)
    ]
    minor = [k * small for k in range(math.ceil(lo / small - 1e-9), int(hi / small + 1e-9) + 1)]
    return major, minor


def log_ticks(lo: float, hi: float, length: float, room: float) -> tuple[Major, list[float]]:
    """Labelled and plain marks of a logarithmic axis, 0 < lo < hi; else as `linear_ticks`.

    Marks at 1, 2 and 5 of each decade, at fewer where they would touch. A view of less than a factor
    of three gets evenly spaced values, since hardly a 1-2-5 value may fall into it.
    """
    if not (0 < lo < hi < math.inf) or length <= 0:
        return [], []
    if hi / lo < 3:
        # even steps stand closer at the right end of a logarithmic axis than on a linear one, by this ratio
        return linear_ticks(lo, hi, length, room * hi * math.log(hi / lo) / (hi - lo))
    decade = length / math.log10(hi / lo)
    powers = range(math.floor(math.log10(lo)), math.ceil(math.log10(hi)) + 1)
    minor = [v for p in powers for lead in _MINOR_LEADS if lo <= (v := _exact(lead, p)) <= hi]
    stride = max(1, math.ceil(room / decade))  # every how many decades, when even they are too close
    for leads in _LEADS:
        gaps = (math.log10(b / a) for a, b in zip(leads, (*leads[1:], 10), strict=True))
        if min(gaps) * decade >= room:
            return [(v, _text(v)) for p in powers for lead in leads if lo <= (v := _exact(lead, p)) <= hi], minor
    return [(v, _text(v)) for p in powers if p % stride == 0 and lo <= (v := _exact(1, p)) <= hi], minor


def _exact(lead: int, power: int) -> float:
    """lead · 10^power, as the nearest double of its decimal text."""
    return float(f"{lead}e{power}")


def _multiples(lo: float, hi: float, step: float) -> range:
    return range(math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9) + 1)
