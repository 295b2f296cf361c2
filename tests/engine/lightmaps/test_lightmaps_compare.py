"""The table of lightmaps, from curves that are known: ratios of rate, the better anchor, scores at one rate."""

from __future__ import annotations

import math

import pytest

from engine.bd import NotComparable, bd_set, rate_at
from engine.lightmaps.compare import AT, METRIC, against, at_one_rate, better, geometric_mean, mean_curve, nearest

DBS = (40.0, 45.0, 50.0, 55.0, 60.0)


def curve(scale: float, dbs: tuple[float, ...] = DBS, banding: float = 0.0) -> list[dict[str, float]]:
    """Rates that double every 5 dB, `scale` bpp at 50 dB; banding falls by as much."""
    return [
        {"bpp": scale * 2 ** ((db - 50) / 5), METRIC: db, "vram_bpp": 64.0, "banding": banding * 2 ** ((50 - db) / 5)}
        for db in dbs
    ]


ANCHOR = {"a": curve(1.0, banding=4.0), "b": curve(2.0, banding=2.0), "c": curve(0.5)}


def test_a_row_is_the_geometric_mean_of_the_maps_own_bd_rates() -> None:
    found = against(ANCHOR, {"a": curve(0.5), "b": curve(1.0), "c": curve(1.0)})
    assert found.ratios == pytest.approx({"a": 0.5, "b": 0.5, "c": 2.0})
    assert found.percent == pytest.approx(100 * (0.5 ** (1 / 3) - 1)) and found.whole == 3
    pairs = {name: ([(p["bpp"], p[METRIC]) for p in ANCHOR[name]],) * 2 for name in ANCHOR}
    assert bd_set(pairs, within=(42, 58)).value == pytest.approx(against(ANCHOR, ANCHOR).percent, abs=1e-9)


def test_maps_that_cannot_be_compared_are_named_with_the_reason() -> None:
    found = against(ANCHOR, {"a": curve(0.5, DBS[:4]), "b": curve(1.0, DBS[:2]), "d": curve(1.0)})
    assert set(found.ratios) == {"a"} and found.whole == 0
    assert set(found.refused) == {"b", "d"} and all(found.refused.values())
    assert against(ANCHOR, {}).percent is None


def test_a_codec_of_one_rate_is_compared_at_its_own_quality() -> None:
    found = against(ANCHOR, {"a": curve(8.0, (55.0,)), "b": curve(8.0, (70.0,))}, one_rate=True)
    assert found.ratios == pytest.approx({"a": 8.0}) and "70" in found.refused["b"]


def test_the_better_anchor_is_chosen_map_by_map() -> None:
    second = {"a": curve(0.5), "b": curve(3.0), "d": curve(1.0)}
    best, is_second = better(ANCHOR, second)
    assert is_second == {"a": True, "b": False, "c": False, "d": True}
    assert best["a"] is second["a"] and best["b"] is ANCHOR["b"] and best["d"] is second["d"]


def test_scores_are_compared_at_the_anchors_rate() -> None:
    found = at_one_rate(ANCHOR, {"a": curve(0.5, banding=1.0), "c": curve(0.5, DBS[:1])}, "banding")
    assert found == (
        pytest.approx(0.5),
        pytest.approx(4.0),
        1,
    )  # at 1 bpp it is at 55 dB, where its banding is half of 1
    assert at_one_rate(ANCHOR, {"c": curve(0.5, DBS[:1])}, "banding") is None


def test_a_chart_shows_a_row_where_half_of_the_maps_have_it() -> None:
    drawn = mean_curve(ANCHOR, {"a": curve(0.5), "b": curve(1.0), "c": curve(0.25, DBS[:3])}, (44.0, 50.0, 56.0, 61.0))
    assert [db for _, db in drawn] == [44.0, 50.0, 56.0]
    assert [bpp for bpp, _ in drawn] == pytest.approx([0.5 * 2 ** ((db - 50) / 5) for _, db in drawn])


def test_the_rate_at_a_quality_lies_on_the_curve_and_nowhere_beyond() -> None:
    points = [(point["bpp"], point[METRIC]) for point in curve(1.0)]
    assert rate_at(points, 47.0) == pytest.approx(2 ** (-3 / 5))
    assert rate_at(points[:2], 42.5) == pytest.approx(math.sqrt(points[0][0] * points[1][0]))
    assert [rate_at(points, db) for db in DBS] == pytest.approx([rate for rate, _ in points])
    for quality in (39.9, 60.1):
        with pytest.raises(NotComparable):
            rate_at(points, quality)


def test_means_of_nothing_are_none() -> None:
    assert geometric_mean([]) is None and geometric_mean([2.0, 8.0]) == pytest.approx(4.0)
    assert nearest([]) is None
    assert (nearest(curve(1.0)) or {})[METRIC] == AT
