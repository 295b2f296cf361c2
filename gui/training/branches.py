"""What is drawn of a run: its lines over time or steps, its decays as branches, its curves. Knows nothing of Qt."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from engine.batch.timeleft import spoken
from engine.learned.run_folder import Run, Step, Validation
from engine.palette import ORIGINAL, Look, look
from gui.models.curves import RdPoint
from gui.models.lane import LaneTag
from gui.models.units import MINUS, NBSP, NONE, percent_text

QUALITY = "psnr"
HOURS_FROM = 7200.0  # seconds; below, minutes


@dataclass(frozen=True)
class Measure:
    """Something that is drawn over time or steps: a field of `Validation`, or of `Step` where `of_steps` is set."""

    field: str
    label: str
    about: str
    of_steps: bool = False


MEASURES = (
    Measure("cost", "Cost", "λ·distortion + rate of the pictures held back, mean over the rates"),
    Measure("against_start", "BD-rate (%)", "of the pictures held back, against the run's first curve"),
    Measure("loss", "Loss", "running mean over the patches that are learned from", of_steps=True),
    Measure("learning_rate", "Learning rate", "factor on the peak learning rate", of_steps=True),
)


@dataclass(frozen=True)
class Branch:
    """A line of the plot. points: (seconds or steps, value), rising."""

    key: str
    name: str
    look: Look
    points: tuple[tuple[float, float], ...]


def branches(run: Run, measure: Measure, *, over_steps: bool) -> list[Branch]:
    """The run's line, and that of each decay from where it branched off."""
    own = _points(run, measure, over_steps=over_steps)
    out = [Branch("run", "run", look(0), own)]
    for place, decay in enumerate(run.decays):
        points = _points(decay, measure, over_steps=over_steps)
        if not points:
            continue
        begun = decay.newest.progress if decay.newest else None
        anchor: list[tuple[float, float]] = []
        if begun is not None and begun.decaying:
            at = begun.decay_from_steps if over_steps else begun.decay_from_seconds
            anchor = [point for point in own if point[0] <= min(at, points[0][0])][-1:]
        out.append(Branch(decay.folder.name, _decay_name(decay), look(place + 1), (*anchor, *points)))
    return out


def _points(run: Run, measure: Measure, *, over_steps: bool) -> tuple[tuple[float, float], ...]:
    entries: tuple[Step, ...] | tuple[Validation, ...] = run.validations
    if measure.of_steps and run.steps:  # runs of older programs have none
        entries = run.steps
    found = [
        (float(each.steps) if over_steps else each.seconds, getattr(each, measure.field, None)) for each in entries
    ]
    return tuple((x, value) for x, value in found if value is not None)


def _decay_name(decay: Run) -> str:
    steps = decay.folder.name.removeprefix("decay-")
    return f"decay at {int(steps):,}" if steps.isdecimal() else decay.folder.name


def curves(run: Run) -> list[tuple[LaneTag, list[RdPoint]]]:
    """The newest curve of the run, that of each decay, and the run's first one, as lanes of an RD plot."""
    out = []
    if run.newest is not None:
        out.append((LaneTag("run", f"now, {run.newest.steps:,} steps", look(0)), _curve(run.newest)))
    for place, decay in enumerate(run.decays):
        if decay.newest is not None:
            tag = LaneTag(decay.folder.name, _decay_name(decay), look(place + 1))
            out.append((tag, _curve(decay.newest)))
    if len(run.validations) > 1:
        first = run.validations[0]
        name = "at first" if first.steps == 0 else f"{first.steps:,} steps"
        out.append((LaneTag("first", name, ORIGINAL), _curve(first)))
    return out


def _curve(validation: Validation) -> list[RdPoint]:
    note = f"estimate after {validation.steps:,} steps"
    return [RdPoint(bpp, {QUALITY: decibels}, note=note) for bpp, decibels in validation.curve]


# --- in words


def active(run: Run) -> Run | None:
    """The run, or its decay, that a process trains now."""
    return next((each for each in (run, *run.decays) if each.training), None)


def state_text(run: Run) -> str:
    """What goes on, in a few words."""
    now = active(run)
    if now is run:
        return "Training"
    if now is not None:
        share = (
            f", {100 * now.newest.progress.decayed:.0f}{NBSP}%" if now.newest and now.newest.progress.decaying else ""
        )
        return f"Training: {_decay_name(now)}{share}"
    ready = sum(each.finished for each in run.decays)
    if ready:
        return f"At rest, {ready} {'decay has' if ready == 1 else 'decays have'} ended in weights"
    return "At rest" if run.saved else "Not begun"


def figures(run: Run, now: float | None = None) -> Mapping[str, str]:
    """What the window says of a run, by what it is. now: seconds since 1970."""
    shown = active(run) or run
    newest = shown.newest
    saved = shown.saved
    since = None if saved is None else max(0.0, (time.time() if now is None else now) - saved)
    return {
        "Steps": NONE if shown.taken is None else f"{shown.taken:,}",
        "Trained for": NONE if shown.seconds is None else spoken(shown.seconds),
        "Throughput": _throughput(shown),
        "Loss": _decimal(shown.steps[-1].loss if shown.steps else newest.loss if newest else None),
        "Cost": _decimal(newest.cost if newest else None),
        "Since the start": percent_text(newest.against_start) if newest and newest.against_start is not None else NONE,
        "Skipped steps": NONE if newest is None else f"{newest.skipped:,}",
        "Saved": NONE if since is None else "just now" if since < 2 else f"{_ago(since)} ago",
    }


def _decimal(value: float | None) -> str:
    return NONE if value is None else f"{value:.4f}".replace("-", MINUS)


def _throughput(run: Run) -> str:
    """Steps a second between the two newest lines, megapixels a second over the whole run."""
    newest = run.newest
    entries = run.steps if len(run.steps) > 1 else run.validations
    parts = []
    if len(entries) > 1 and entries[-1].seconds > entries[-2].seconds:
        speed = (entries[-1].steps - entries[-2].steps) / (entries[-1].seconds - entries[-2].seconds)
        parts.append(f"{speed:.2g} steps/s" if speed < 10 else f"{speed:.0f} steps/s")
    if newest is not None and newest.seconds > 0 and newest.progress.pixels:
        parts.append(f"{newest.progress.pixels / newest.seconds / 1e6:.2f} MP/s")
    return " · ".join(parts) or NONE


def _ago(seconds: float) -> str:
    return spoken(seconds) if seconds < 36 * 3600 else f"{seconds / 86400:.0f} days"
