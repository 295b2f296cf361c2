"""A score is stored under the version of its metric: while that stays, so do the scores of any two pictures.

A metric that was changed on purpose gets a new version, and its scores, which a failing test prints, go into
tests/golden/scores.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.color import DISPLAY_P3, LINEAR_SRGB
from engine.image import Alpha, Image
from engine.metrics import BUILTIN, error_map, metric, refusal, scores
from tests.pictures import whole_number_picture

GOLDEN: dict[str, dict[str, list[float]]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "scores.json").read_text()
)


def pair(height: int, width: int, channels: int, bits: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """A picture, and what a coarse codec might make of it: blocks, too few levels, a shifted row."""
    whole = whole_number_picture(height, width, channels, bits)
    step = 2 ** (bits - 4)
    coarse = (whole // step * step + step // 3).astype(whole.dtype)
    coarse[height // 2 :, : width // 3] = coarse[height // 2 :: 1, : width // 3][:, ::-1]
    return whole, coarse


def pictures(kind: str) -> tuple[Image, Image]:
    if kind == "deep":
        ref, img = pair(41, 55, 3, 12)
        return Image(ref, bits=12), Image(img, bits=12)
    if kind == "grey":
        ref, img = pair(48, 50, 1)
        return Image(ref), Image(img)
    if kind == "alpha":
        ref, img = pair(36, 47, 4)
        return Image(ref, alpha=Alpha.STRAIGHT), Image(img, alpha=Alpha.STRAIGHT)
    if kind == "wide gamut":
        ref, img = pair(33, 40, 3)
        return Image(ref, DISPLAY_P3), Image(img, DISPLAY_P3)
    if kind == "light":
        ref, img = pair(34, 45, 3, 12)
        mask = np.ones((34, 45), bool)
        mask[:5, 7:] = False
        light = [(each.astype(np.float32) / 1024) ** 3 for each in (ref, img)]
        return Image(light[0], LINEAR_SRGB, mask=mask), Image(light[1], LINEAR_SRGB)
    ref, img = pair(187, 203, 3)
    return Image(ref), Image(img)


KINDS = ("colour", "deep", "grey", "alpha", "wide gamut", "light")


def figures(kind: str, metric_id: str) -> list[float]:
    """The score; of the map its mean, its largest value and where that is."""
    ref, img = pictures(kind)
    out = [scores(ref, img, [metric_id])[metric_id]]
    if metric(metric_id).info.has_map:
        errors = error_map(ref, img, metric_id)
        out += [float(errors.mean(dtype=np.float64)), float(errors.max()), float(errors[20, 11]), float(errors[-2, -7])]
    return out


CASES = [
    (kind, metric_id)
    for kind in KINDS
    for metric_id in BUILTIN
    if refusal(metric(metric_id).info, pictures(kind)[0]) is None
]


@pytest.mark.parametrize(("kind", "metric_id"), CASES, ids=lambda case: case)
def test_a_score_stays_what_it_was(kind: str, metric_id: str) -> None:
    assert figures(kind, metric_id) == pytest.approx(GOLDEN[kind][metric_id], rel=2e-5, abs=1e-7)
