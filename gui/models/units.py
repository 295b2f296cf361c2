"""Figures as people read them: a unit always, and no more digits than are true."""

from __future__ import annotations

import math

from engine.metric import MetricInfo
from engine.trial import TargetKind

MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"
NONE = "\N{EM DASH}"


def rate_text(bpp: float) -> str:
    """Bits per pixel without the unit: three decimals below 10, fewer above."""
    return f"{bpp:.3f}" if bpp < 10 else f"{bpp:.2f}"


def size_text(size: float) -> str:
    """Bytes as B, KB (1024 B) or MB, to three figures."""
    if size < 1024:
        return f"{size:.0f}{NBSP}B"
    value, unit = (size / 1024, "KB") if size < 1024 * 1024 else (size / 1024**2, "MB")
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f}{NBSP}{unit}"


def time_text(seconds: float | None, *, busy: bool = False) -> str:
    """A time to two or three figures; "~" where other jobs ran meanwhile; a dash where it was never measured."""
    if seconds is None:
        return NONE
    about = "~" if busy else ""
    if seconds < 0.00095:
        return f"{about}{seconds * 1000:.1f}{NBSP}ms"
    if seconds < 0.9995:
        return f"{about}{seconds * 1000:.0f}{NBSP}ms"
    if seconds < 60:
        return f"{about}{seconds:.1f}{NBSP}s"
    return f"{about}{int(seconds // 60)}{NBSP}min{NBSP}{round(seconds % 60)}{NBSP}s"


def signed(value: float, digits: int) -> str:
    """A number with its sign, the minus as wide as the plus."""
    return f"{value:+.{digits}f}".replace("-", MINUS)


def percent_text(value: float) -> str:
    """A signed percentage: "−28.3 %"."""
    return f"{signed(value, 1)}{NBSP}%"


def score_text(value: float | None, metric: MetricInfo) -> str:
    """A score with the metric's digits and unit; a dash where it was not measured, ∞ for equal pictures."""
    if value is None or math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞"
    number = f"{value:.{metric.digits}f}".replace("-", MINUS)
    space = "" if metric.unit == "°" else NBSP
    return f"{number}{space}{metric.unit}" if metric.unit else number


def target_unit(kind: TargetKind) -> str:
    """The unit in which a target of this kind is shown and typed."""
    return {TargetKind.BPP: "bpp", TargetKind.BYTES: "KB", TargetKind.PSNR: "dB"}[kind]


def target_text(kind: TargetKind, value: float) -> str:
    """A target's number in its `target_unit`, without the unit."""
    if kind is TargetKind.BYTES:
        value /= 1024
    if kind is TargetKind.PSNR:
        return f"{value:.2f}"
    digits = 3 if value < 1 else 2 if value < 100 else 1
    return f"{value:.{digits}f}"


def parse_target(kind: TargetKind, text: str) -> float | None:
    """What was typed, as a target value (bytes for BYTES), or None if it is no positive number.

    A unit may follow: bpp, B, KB, MB, dB. A decimal comma is understood.
    """
    words = text.strip().lower().replace(",", ".").replace(NBSP, " ")
    number = words.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = words[len(number) :].strip()
    factors = {TargetKind.BYTES: {"b": 1, "kb": 1024, "mb": 1024**2, "": 1024}}.get(
        kind, {target_unit(kind).lower(): 1}
    )
    try:
        value = float(number) * factors.get(unit, 1 if not unit else math.nan)
    except ValueError:
        return None
    return value if 0 < value < math.inf else None
