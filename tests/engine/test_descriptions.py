"""What codecs and metrics say of themselves: scripts, saved settings and stored results rely on it.

Something that changes on purpose is changed in tests/golden/descriptions.json too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine import metrics, registry
from engine.codec import Param

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "descriptions.json").read_text())


def knob(param: Param) -> dict[str, Any]:
    words = ("label", "help")
    return {name: value for name, value in param.to_json().items() if name not in words}


def codec(codec_id: str) -> dict[str, Any]:
    info = registry.codec(codec_id).info
    carried = {name: value for name, value in info.capabilities.to_json().items() if not isinstance(value, str)}
    typical = [list(param.typical_bpp) for param in info.params]
    about = {"label": info.label, "family": info.family, "extension": info.extension}
    return {**about, "params": [knob(param) for param in info.params], "carries": carried, "typical": typical}


def metric(metric_id: str) -> dict[str, Any]:
    fields = ("label", "unit", "higher_is_better", "has_map", "map_range", "digits", "min_side", "memory", "of")
    info = metrics.metric(metric_id).info
    return json.loads(json.dumps({**{name: getattr(info, name) for name in fields}, "domain": str(info.domain)}))


@pytest.mark.parametrize("codec_id", GOLDEN["codecs"])
def test_a_codec_keeps_its_settings_their_ranges_and_what_it_carries(codec_id: str) -> None:
    assert codec(codec_id) == GOLDEN["codecs"][codec_id]


@pytest.mark.parametrize("metric_id", GOLDEN["metrics"])
def test_a_metric_keeps_its_unit_its_direction_and_its_limits(metric_id: str) -> None:
    assert metric(metric_id) == GOLDEN["metrics"][metric_id]


def test_built_ins_keep_their_order() -> None:
    assert [each for each in registry.BUILTIN if each in GOLDEN["codecs"]] == list(GOLDEN["codecs"])
    assert [each for each in metrics.BUILTIN if each in GOLDEN["metrics"]] == list(GOLDEN["metrics"])
