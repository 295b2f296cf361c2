"""The results of a sweep as a document, as means, and as a chart: what `ratescope rd` prints, writes and draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine import registry
from engine.chart import Chart, Series
from engine.curves import Curve
from engine.errors import EngineError
from engine.experiment import Experiment, ExperimentResult
from engine.metric import MetricInfo
from engine.palette import ORIGINAL, look
from engine.trial import Trial

Point = dict[str, Any]
Steps = Mapping[int, Trial]
"""A picture's trials by the number of the setting or target that they belong to."""


def point_of(trial: Trial) -> Point:
    """A trial as a point of a curve: both rates, bytes, every score, times, settings."""
    return {
        **trial.rates,
        "bytes": trial.size,
        **trial.scores,
        "encode_s": trial.encode_s,
        "decode_s": trial.decode_s,
        "busy": trial.busy,
        "settings": trial.settings,
    }


def rd_document(experiment: Experiment, result: ExperimentResult) -> dict[str, Any]:
    """What `rd --json` prints: each picture's points by rising rate, and their means over the pictures.

    The means are over the pictures that every codec coded, and over the steps that all of those have.
    """
    points = {
        codec: {name: _points(experiment, steps) for name, steps in images.items()}
        for codec, images in result.curves.items()
    }
    return {
        **curves_document(points, list(experiment.inputs)),
        "failures": [vars(failure) for failure in result.failures],
        "environment": result.environment,
    }


def curves_document(points: Mapping[str, Mapping[str, Mapping[int, Point]]], inputs: Sequence[str]) -> dict[str, Any]:
    """The curves in a document, from codec -> input -> step -> point: each input's own, and their means."""
    common = [name for name in inputs if all(name in images for images in points.values())]
    return {
        "inputs": len(common),
        "codecs": {
            codec: {
                "points": means([images[name] for name in common]),
                "images": {name: by_rate(steps.values()) for name, steps in images.items()},
            }
            for codec, images in points.items()
        },
    }


def _points(experiment: Experiment, steps: Steps) -> dict[int, Point]:
    wanted = experiment.metrics
    out = {}
    for step, trial in steps.items():
        scores = {name: score for name, score in trial.scores.items() if name in wanted}
        target = {"target_bpp": experiment.points[step].value} if isinstance(experiment.points, tuple) else {}
        out[step] = {**target, **point_of(replace(trial, scores=scores))}
    return out


def means(pictures: Sequence[Mapping[int, Point]]) -> list[Point]:
    """The mean point of every step that all pictures have: each number averaged, each setting that is shared."""
    shared = set.intersection(*(set(steps) for steps in pictures)) if pictures else set()
    return by_rate(_mean([steps[number] for steps in pictures]) for number in shared)


def by_rate(points: Iterable[Point]) -> list[Point]:
    return sorted(points, key=lambda point: point["bpp"])


def _mean(points: Sequence[Point]) -> Point:
    out: Point = {}
    for name in points[0]:
        values = [point.get(name) for point in points]
        if name == "settings":
            out[name] = dict(set.intersection(*(set(value.items()) for value in values if value is not None)))
        elif name == "busy":
            out[name] = any(values)
        elif all(isinstance(value, int | float) for value in values):
            out[name] = sum(values) / len(values)  # type: ignore[arg-type]
        else:
            out[name] = None  # a time or score that is not known of every picture
    return out


def rd_chart(curves: Sequence[Curve], info: MetricInfo, references: Sequence[Curve] = (), **style: Any) -> Chart:
    """The codecs' curves over `info`'s metric; those that do not have it are left out. `style` goes to :class:`Chart`.

    `EngineError` if no curve has the metric.
    """
    drawn = [
        Series(registry.codec(curve.name).info.label, curve.pairs(info.id), look(place))
        for place, curve in enumerate(curves)
        if curve.has(info.id)
    ]
    if not drawn:
        raise EngineError(f"no curve has the metric {info.id}")
    under = [Series(curve.name, curve.pairs(info.id), ORIGINAL) for curve in references if curve.has(info.id)]
    quality = f"{info.label} ({info.unit})" if info.unit else info.label
    return Chart(drawn, quality, references=under, **style)
