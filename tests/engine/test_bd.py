"""Bjøntegaard deltas against curves whose answer is known, and against scipy's interpolation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import Akima1DInterpolator, PchipInterpolator

from engine.bd import METHODS, NotComparable, bd_quality, bd_rate, bd_set, frontier
from engine.errors import UsageError

# 6 dB a doubling of rate, exactly: quality = 30 + 6·log2(rate).
LINE = [(2.0**k, 30.0 + 6.0 * k) for k in (-3, -2, -1, 0, 1)]
BENT = [(0.1, 26.0), (0.2, 29.5), (0.5, 33.0), (0.9, 35.1), (2.0, 40.0)]
OTHER = [(0.08, 25.0), (0.17, 29.0), (0.41, 34.0), (0.8, 36.0), (1.5, 38.0), (2.2, 42.0)]


def scaled(curve: list[tuple[float, float]], factor: float) -> list[tuple[float, float]]:
    return [(rate * factor, quality) for rate, quality in curve]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.25, 2.0])
def test_a_curve_at_a_constant_multiple_of_the_rate_differs_by_exactly_that(method: str, factor: float) -> None:
    result = bd_rate(BENT, scaled(BENT, factor), method=method)
    assert result.value == pytest.approx(100 * (factor - 1), abs=1e-9)
    assert (result.lo, result.hi, result.share) == (26.0, 40.0, 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_log_linear_curves_with_other_points_give_the_analytic_value(method: str) -> None:
    # The test curve needs 30 % less rate everywhere, sampled elsewhere: straight lines leave no doubt.
    test = [(0.7 * 2.0**k, 30.0 + 6.0 * k) for k in (-2.6, -1.7, -0.4, 0.3, 0.9)]
    rate = bd_rate(LINE, test, method=method)
    assert rate.value == pytest.approx(-30.0, abs=1e-9)
    assert rate.lo == pytest.approx(30 - 6 * 2.6)
    assert rate.hi == pytest.approx(30 + 6 * 0.9)
    quality = bd_quality(LINE, test, method=method)
    assert quality.value == pytest.approx(-6 * math.log2(0.7), abs=1e-9)


@pytest.mark.parametrize(("method", "peer"), [("pchip", PchipInterpolator), ("akima", Akima1DInterpolator)])
def test_both_methods_agree_with_scipy(method: str, peer: type) -> None:
    def mean(curve: list[tuple[float, float]], lo: float, hi: float) -> float:
        rate, quality = np.array(curve).T
        return float(peer(quality, np.log(rate)).integrate(lo, hi)) / (hi - lo)

    expected = 100 * math.expm1(mean(OTHER, 26, 40) - mean(BENT, 26, 40))
    assert bd_rate(BENT, OTHER, method=method).value == pytest.approx(expected, rel=1e-9)
    narrow = 100 * math.expm1(mean(OTHER, 30, 35) - mean(BENT, 30, 35))
    assert bd_rate(BENT, OTHER, method=method, within=(30, 35)).value == pytest.approx(narrow, rel=1e-9)


@given(
    st.lists(st.floats(0.05, 1.0), min_size=4, max_size=9),
    st.lists(st.floats(0.05, 4.0), min_size=9, max_size=9),
)
def test_pchip_agrees_with_scipy_on_any_rising_curve(steps: list[float], rises: list[float]) -> None:
    x, y = np.cumsum(steps), np.cumsum(rises[: len(steps)])
    curve = list(zip(np.exp(x).tolist(), y.tolist(), strict=True))
    quality_only = [(rate, quality + 0.25) for rate, quality in curve]
    lo, hi = x[0], x[-1]
    spline = PchipInterpolator(x, y)
    ours = bd_quality([(r, 0.0 + 1e-3 * i) for i, r in enumerate(np.exp(x))], curve)
    flat = PchipInterpolator(x, 1e-3 * np.arange(len(x)))
    expected = (spline.integrate(lo, hi) - flat.integrate(lo, hi)) / (hi - lo)
    assert ours.value == pytest.approx(float(expected), rel=1e-6, abs=1e-6)
    assert bd_quality(curve, quality_only).value == pytest.approx(0.25, abs=1e-9)


def test_swapping_the_curves_inverts_the_rate_ratio() -> None:
    there, back = bd_rate(BENT, OTHER).value, bd_rate(OTHER, BENT).value
    assert (1 + there / 100) * (1 + back / 100) == pytest.approx(1.0)


def test_a_metric_that_falls_is_compared_by_its_negative() -> None:
    falling = [(rate, 100 - quality) for rate, quality in BENT]
    result = bd_rate(falling, scaled(falling, 0.9), higher_is_better=False)
    assert result.value == pytest.approx(-10.0)
    assert (result.lo, result.hi) == (60.0, 74.0)
    ranged = bd_rate(falling, [(r, 100 - q) for r, q in OTHER], within=(65, 70), higher_is_better=False)
    assert ranged.value == pytest.approx(bd_rate(BENT, OTHER, within=(30, 35)).value)
    better = [(rate, quality - 2) for rate, quality in falling]
    assert bd_quality(falling, better, higher_is_better=False).value == pytest.approx(2.0)


def test_dominated_and_duplicate_points_are_dropped_and_counted() -> None:
    messy = [(0.6, 32.0), *reversed(BENT), (0.5, 33.0), (0.5, 31.0), (3.0, math.inf), (0.0, 1.0)]
    assert frontier(messy) == BENT
    result = bd_rate(messy, OTHER)
    assert result.value == bd_rate(BENT, OTHER).value
    assert (result.anchor_points, result.test_points, result.dropped) == (5, 6, 5)


def test_curves_without_common_quality_are_refused() -> None:
    high = [(rate, quality + 50) for rate, quality in BENT]
    with pytest.raises(NotComparable, match="no quality in common"):
        bd_rate(BENT, high)
    with pytest.raises(NotComparable, match="no rate in common"):
        bd_quality(BENT, scaled(BENT, 100))


def test_a_stated_range_that_the_curves_miss_is_refused() -> None:
    with pytest.raises(NotComparable, match="stated range"):
        bd_rate(BENT, OTHER, within=(50, 60))


def test_three_points_are_too_few() -> None:
    with pytest.raises(NotComparable, match="the test curve has 3 usable points of 4; 4 are needed"):
        bd_rate(BENT, [*OTHER[:3], OTHER[0]])
    with pytest.raises(NotComparable, match="the anchor has 0"):
        bd_rate([], OTHER)


def test_an_unknown_method_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="pchip, akima"):
        bd_rate(BENT, OTHER, method="cubic")


def test_a_partial_overlap_states_its_share() -> None:
    shifted = [(rate, quality + 7) for rate, quality in BENT]
    result = bd_rate(BENT, shifted)
    assert (result.lo, result.hi) == (33.0, 40.0)
    assert result.share == pytest.approx(0.5)


def test_a_set_is_the_geometric_mean_of_its_pictures() -> None:
    result = bd_set({"a": (BENT, scaled(BENT, 0.5)), "b": (OTHER, scaled(OTHER, 2.0)), "c": (LINE, LINE)})
    assert result.value == pytest.approx(0.0, abs=1e-9)
    assert result.per_image["a"].value == pytest.approx(-50.0)
    assert (result.lo, result.hi) == (12.0, 42.0)
    assert not result.refused


def test_a_set_names_the_pictures_that_it_refused() -> None:
    result = bd_set({"a": (BENT, scaled(BENT, 0.9)), "flat": (BENT, BENT[:2])})
    assert result.value == pytest.approx(-10.0)
    assert "2 usable points" in result.refused["flat"]
    with pytest.raises(NotComparable, match="no picture can be compared"):
        bd_set({"flat": (BENT, BENT[:2])})


def test_the_share_is_of_the_narrower_curve() -> None:
    # LINE covers 12 … 36 dB; the other covers 24 … 48 dB of a wider 72: they share 12 dB, half of LINE's 24.
    wide = [(2.0**k, 24.0 + 6.0 * k) for k in range(13)]
    assert bd_rate(LINE, wide).share == pytest.approx(0.5)
    assert bd_rate(wide, LINE).share == pytest.approx(0.5)


# --- Exact figures


def test_a_result_says_what_it_rests_on() -> None:
    result = bd_rate([*BENT, (0.3, 20.0)], OTHER, within=(30, 35))
    assert (result.method, result.lo, result.hi) == ("pchip", 30.0, 35.0)
    assert (result.anchor_points, result.test_points, result.dropped) == (5, 6, 1)
    assert result.share == pytest.approx(5 / 14)
    rates = bd_quality(BENT, OTHER, within=(0.2, 1.0), method="akima")
    assert (rates.method, rates.anchor_points, rates.test_points, rates.dropped) == ("akima", 5, 6, 0)
    assert (rates.lo, rates.hi) == (pytest.approx(0.2), pytest.approx(1.0))
    assert rates.share == pytest.approx(math.log(5) / math.log(20))


@pytest.mark.parametrize(("method", "rate", "quality"), [("pchip", -17.2088, 0.8627), ("akima", -16.8390, 0.8761)])
def test_figures_stay_what_they_were(method: str, rate: float, quality: float) -> None:
    assert bd_rate(BENT, OTHER, method=method).value == pytest.approx(rate, abs=1e-4)
    assert bd_quality(BENT, OTHER, method=method).value == pytest.approx(quality, abs=1e-4)


def test_curves_that_only_touch_share_nothing() -> None:
    above = [(rate, quality + 14.0) for rate, quality in BENT]  # begins where BENT ends
    with pytest.raises(NotComparable, match="no quality in common; a delta would be an extrapolation"):
        bd_rate(BENT, above)
    with pytest.raises(NotComparable, match="do not reach the stated range of quality"):
        bd_rate(BENT, OTHER, within=(40, 50))
    with pytest.raises(NotComparable, match="do not reach the stated range of rate"):
        bd_quality(BENT, OTHER, within=(3.0, 4.0))


@pytest.mark.parametrize(
    ("points", "kept"),
    [
        ([(1.0, 30.0), (1.0, 31.0)], [(1.0, 31.0)]),
        ([(1.0, 30.0), (2.0, 30.0)], [(1.0, 30.0)]),
        ([(2.0, 30.0), (1.0, 29.0)], [(1.0, 29.0), (2.0, 30.0)]),
        ([(math.inf, 30.0), (math.nan, 30.0), (1.0, math.nan), (-1.0, 30.0), (0.0, 30.0), (1e-9, 1.0)], [(1e-9, 1.0)]),
    ],
)
def test_a_point_counts_if_it_is_better_than_all_that_cost_no_more(points: list, kept: list) -> None:
    assert frontier(points) == kept
    falling = [(rate, -quality) for rate, quality in points]
    assert frontier(falling, higher_is_better=False) == [(rate, -quality) for rate, quality in kept]


def test_four_points_are_enough() -> None:
    assert bd_rate(BENT[:4], BENT[:4]).value == pytest.approx(0.0)
    with pytest.raises(NotComparable, match="the anchor has 3 usable points of 3; 4 are needed"):
        bd_rate(BENT[:3], BENT)


def test_a_turn_at_an_end_is_flattened_as_fritsch_and_carlson_do() -> None:
    for bumps in ([0.0, 1.0, 1.2, 4.0, 9.0], [0.0, 0.1, 3.0, 3.1, 9.0], [0.0, 5.0, 5.5, 5.6, 5.7]):
        x = np.array([0.0, 1.0, 1.5, 4.0, 4.2])
        y = np.array(bumps)
        curve = list(zip(np.exp(x).tolist(), y.tolist(), strict=True))
        line = [(math.exp(at), 2.0 * at + 0.1) for at in (0.0, 1.4, 2.8, 4.2)]
        expected = float(PchipInterpolator(x, y).integrate(0, 4.2)) / 4.2 - (2.0 * 2.1 + 0.1)
        assert bd_quality(line, curve).value == pytest.approx(expected, rel=1e-9)


def test_akima_agrees_with_scipy_where_chords_are_equal() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    y = np.array([0.0, 1.0, 2.0, 3.0, 7.0, 11.0, 15.0])
    curve = list(zip(np.exp(x).tolist(), y.tolist(), strict=True))
    line = [(math.exp(at), 2.0 * at + 0.1) for at in (0.0, 1.5, 4.0, 6.0)]
    expected = float(Akima1DInterpolator(x, y).integrate(0, 6)) / 6 - 6.1
    assert bd_quality(line, curve, method="akima").value == pytest.approx(expected, rel=1e-9)


def test_a_set_keeps_its_terms() -> None:
    result = bd_set({"a": (BENT, OTHER), "b": (BENT, BENT)}, method="akima", within=(30, 35))
    assert (result.method, result.within, result.lo, result.hi) == ("akima", (30, 35), 30.0, 35.0)
    assert result.per_image["b"].method == "akima"
    assert 1 + result.value / 100 == pytest.approx(math.sqrt(1 + result.per_image["a"].value / 100))
    with pytest.raises(NotComparable, match="no picture can be compared: there are no pictures"):
        bd_set({})
