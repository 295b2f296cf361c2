"""The way of the rate search: which settings it tries, for curves and targets of many kinds.

What is stored of one sweep serves the next one only if that asks for the same settings. A search that was made better
on purpose takes other ways: the new ones, which a failing test prints, then go into tests/golden/searches.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_rate import SHAPES, SMOOTH_KNOB, WHOLE_KNOB, curve

from engine.codec import Param
from engine.knob import Knob
from engine.rate.search import search
from engine.trial import Target, TargetKind, Trial

HINTED = Param(**{**SMOOTH_KNOB.__dict__, "typical_bpp": tuple(0.04 * 170 ** (i / 8) for i in range(9))})
KNOBS = {"smooth": SMOOTH_KNOB, "whole": WHOLE_KNOB, "hinted": HINTED}
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "searches.json").read_text())


def way(name: str) -> str:
    """The values tried for the last target of `name`, after the others were solved, the best of all, what is said."""
    knob, _, shape = name.partition(":")[0].replace(",", "").split()[:3]
    targets, kind = name.partition(": ")[2].replace(", thorough", "").rsplit(" ", 1)
    param, known, made = KNOBS[knob], (), list[float]()
    plain = curve(param, lambda value: SHAPES[shape](value / 100), lambda value: 20 + 25 * (value / 100) ** 1.5)

    def evaluate(value: float) -> Trial:
        made.append(value)
        return plain(value)

    for each in map(float, targets.split(", ")):
        made.clear()
        target = Target(TargetKind.PSNR if kind == "dB" else TargetKind.BPP, each)
        start = Knob(param).first_guess(each) if knob == "hinted" and kind == "bpp" else 50
        thorough = name.endswith("thorough")
        result = search(param, start, target, evaluate, known=known, label="X", thorough=thorough)
        known = tuple({trial.key.settings: trial for trial in (*known, *result.probes)}.values())
    return f"{' '.join(f'{value:g}' for value in made)} -> {result.best.settings['quality']:g} {result.message}".strip()


@pytest.mark.parametrize("name", GOLDEN)
def test_a_search_is_repeated_by_the_same_encodes(name: str) -> None:
    assert way(name) == GOLDEN[name]
