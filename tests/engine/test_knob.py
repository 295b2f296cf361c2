"""A knob as positions from fewest bits to most: exact places of values, neighbours and first guesses."""

from __future__ import annotations

import math

import pytest

from engine.codec import Kind, Param, Role
from engine.errors import UsageError
from engine.knob import Knob


def param(kind: Kind, lo: float | None, hi: float | None, **more: object) -> Param:
    return Param("q", kind, lo, lo, hi, role=Role.RATE, **{"better": 1, **more})  # type: ignore[arg-type]


FLOAT = Knob(param(Kind.FLOAT, 0.0, 10.0))
FALLING = Knob(param(Kind.FLOAT, 0.0, 10.0, better=-1))
RATIO = Knob(param(Kind.FLOAT, 1.0, 100.0, log=True))
WHOLE = Knob(param(Kind.INT, 0, 10))
WHOLE_FALLING = Knob(param(Kind.INT, 0, 10, better=-1))
SIZES = Knob(Param("q", Kind.CHOICE, "a", choices=("a", "b", "c", "d", "e"), role=Role.RATE, better=-1))
# Bits double over the first half and grow eightfold over the second: a quarter and three quarters of the way.
TYPICAL = Knob(param(Kind.FLOAT, 0.0, 10.0, typical_bpp=(0.5, 1.0, 8.0)))


@pytest.mark.parametrize(
    ("knob", "value", "position"),
    [
        (FLOAT, 0.0, 0.0),
        (FLOAT, 2.5, 0.25),
        (FLOAT, 10.0, 1.0),
        (FALLING, 2.5, 0.75),
        (FALLING, 10.0, 0.0),
        (RATIO, 10.0, 0.5),
        (RATIO, 100.0, 1.0),
        (WHOLE, 3, 0.3),
        (WHOLE_FALLING, 3, 0.7),
        (SIZES, "a", 1.0),
        (SIZES, "b", 0.75),
        (SIZES, "e", 0.0),
        (TYPICAL, 5.0, 0.25),
        (TYPICAL, 2.5, 0.125),
        (TYPICAL, 7.5, 0.625),
    ],
)
def test_every_value_has_its_place(knob: Knob, value: object, position: float) -> None:
    assert knob.position(value) == pytest.approx(position)
    assert knob.value(position) == value


@pytest.mark.parametrize(
    ("knob", "fraction", "value"),
    [(TYPICAL, 0.25, 2.5), (FALLING, 0.25, 7.5), (RATIO, 0.25, 3.1623), (WHOLE, 0.26, 3), (SIZES, 0.3, "d")],
)
def test_a_fraction_of_the_range_is_even(knob: Knob, fraction: float, value: object) -> None:
    assert knob.even(fraction) == value


@pytest.mark.parametrize(
    ("knob", "position", "value"),
    [
        (FLOAT, -0.5, 0.0),
        (FLOAT, 1.5, 10.0),
        (FLOAT, 0.123456789, 1.2346),
        (RATIO, 1.0, 100.0),
        (WHOLE, 0.349, 3),
        (WHOLE, 0.351, 4),
        (SIZES, 0.37, "d"),
        (SIZES, 0.38, "c"),
    ],
)
def test_a_position_means_the_nearest_value_within_the_range(knob: Knob, position: float, value: object) -> None:
    assert knob.value(position) == value


def test_a_value_has_five_digits() -> None:
    assert Knob(param(Kind.FLOAT, 0.0, 1000.0)).value(1 / 3) == 333.33
    assert Knob(param(Kind.FLOAT, 0.0, 0.123456)).value(1.0) == 0.123456
    assert Knob(param(Kind.FLOAT, 0.123454, 1.0)).value(0.0) == 0.123454


def test_neighbours_are_one_step_away_and_end_with_the_range() -> None:
    assert WHOLE.neighbour(0.3, +1) == pytest.approx(0.4)
    assert WHOLE.neighbour(0.3, -1) == pytest.approx(0.2)
    assert WHOLE_FALLING.neighbour(0.3, +1) == pytest.approx(0.4)
    assert SIZES.neighbour(0.5, +1) == pytest.approx(0.75)
    assert SIZES.neighbour(0.75, +1) == pytest.approx(1.0)
    assert (WHOLE.neighbour(1.0, +1), WHOLE.neighbour(0.0, -1)) == (None, None)
    assert (SIZES.neighbour(1.0, +1), SIZES.neighbour(0.0, -1)) == (None, None)
    assert FLOAT.neighbour(0.5, +1) is None


def test_between_two_is_the_value_nearest_to_the_wish() -> None:
    assert WHOLE.between(0.2, 0.7, 0.44) == pytest.approx(0.4)
    assert WHOLE.between(0.2, 0.7, 0.21) == pytest.approx(0.3)
    assert WHOLE.between(0.2, 0.7, 0.69) == pytest.approx(0.6)
    assert WHOLE.between(0.2, 0.4, 0.4) == pytest.approx(0.3)
    assert WHOLE.between(0.3, 0.4, 0.35) is None
    assert FLOAT.between(0.3, 0.4, 0.35) == pytest.approx(0.35)
    assert FLOAT.between(0.3, 0.30001, 0.300005) is None


def test_a_first_guess_is_where_a_typical_picture_takes_the_rate() -> None:
    assert TYPICAL.first_guess(1.0) == 5.0
    assert TYPICAL.first_guess(math.sqrt(8.0)) == 7.5
    assert TYPICAL.first_guess(0.01) == 0.0
    assert TYPICAL.first_guess(99.0) == 10.0
    assert FLOAT.first_guess(1.0) is None


def test_the_span_is_that_of_the_typical_curve_or_four() -> None:
    assert TYPICAL.log_span == pytest.approx(math.log(16))
    assert FLOAT.log_span == 4.0


def test_a_flat_stretch_of_a_typical_curve_still_has_positions() -> None:
    flat = Knob(param(Kind.FLOAT, 0.0, 10.0, typical_bpp=(1.0, 1.0, math.e)))
    assert flat.position(5.0) == pytest.approx(0.01)
    assert flat.log_span == pytest.approx(1.0)
    falling = Knob(param(Kind.FLOAT, 0.0, 10.0, typical_bpp=(1.0, 0.5, math.e)))
    assert falling.position(5.0) == pytest.approx(0.01)


def test_only_floats_are_continuous() -> None:
    assert [knob.is_continuous for knob in (FLOAT, RATIO, WHOLE, SIZES)] == [True, True, False, False]


@pytest.mark.parametrize(
    "wrong",
    [
        param(Kind.FLOAT, None, 1.0),
        param(Kind.FLOAT, 0.0, None),
        param(Kind.FLOAT, 1.0, 1.0),
        param(Kind.INT, 2, 1),
        param(Kind.BOOL, 0.0, 1.0),
        Param("q", Kind.CHOICE, "a", choices=("a",), role=Role.RATE),
    ],
)
def test_what_has_no_range_cannot_be_searched(wrong: Param) -> None:
    with pytest.raises(UsageError, match=r"^q: a rate can be searched only over a range of values$"):
        Knob(wrong)
