"""What a set takes under a budget."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.budget.choose import Option, best_preset, choose, hull
from engine.errors import TargetUnreachable


def option(cost: int, error: float, preset: str = "") -> Option:
    return Option("codec", preset or str(cost), 1, cost, 0, 0.0, error)


def cost(option: Option) -> int:
    return option.disk


def total(options: list[list[Option]], chosen: list[int]) -> tuple[int, float]:
    taken = [each[number] for each, number in zip(options, chosen, strict=True)]
    return sum(map(cost, taken)), sum(each.error for each in taken)


# The same presets for every picture, of other costs and errors.
sets = st.integers(1, 5).flatmap(
    lambda presets: st.lists(
        st.lists(st.tuples(st.integers(1, 60), st.integers(0, 99)), min_size=presets, max_size=presets),
        min_size=1,
        max_size=4,
    )
)


@given(sets, st.integers(1, 200))
def test_what_is_chosen_fits_and_no_single_preset_does_better(values: list[list[tuple[int, int]]], budget: int) -> None:
    options = [[option(c, float(e), f"p{n}") for n, (c, e) in enumerate(each)] for each in values]
    least = sum(min(cost(each) for each in row) for row in options)
    if least > budget:
        with pytest.raises(TargetUnreachable, match=str(least)):
            choose(options, budget, cost)
        return
    spent, error = total(options, choose(options, budget, cost))
    assert spent <= budget
    single = best_preset(options, budget, cost)
    assert single is None or error <= total(options, single)[1]


@given(sets, st.integers(1, 200))
def test_of_few_pictures_nothing_that_fits_has_less_error(values: list[list[tuple[int, int]]], budget: int) -> None:
    options = [[option(c, float(e)) for c, e in each] for each in values]
    everything = itertools.product(*(range(len(each)) for each in options))
    fitting = [error for spent, error in (total(options, list(each)) for each in everything) if spent <= budget]
    if fitting:
        assert total(options, choose(options, budget, cost))[1] == min(fitting)


def test_of_many_pictures_rounding_costs_little() -> None:
    rng = random.Random(5)
    options = [
        [option(rng.randrange(1, 10**6), 10 ** rng.uniform(-3, 3) * weight) for _ in range(12)]
        for weight in (10 ** rng.uniform(-2, 2) for _ in range(40))
    ]
    budget = sum(sum(map(cost, each)) for each in options) // 20
    spent, error = total(options, choose(options, budget, cost))
    assert 0.97 * budget <= spent <= budget
    assert error <= total(options, choose(options, round(0.99 * budget), cost))[1]


@given(sets)
def test_nothing_is_held_back_when_everything_fits(values: list[list[tuple[int, int]]]) -> None:
    options = [[option(c, float(e)) for c, e in each] for each in values]
    chosen = choose(options, 10_000, cost)
    assert total(options, chosen)[1] == sum(min(each.error for each in row) for row in options)


def test_along_hulls_the_choice_is_the_best_there_is() -> None:
    """Costs and errors halve from step to step: at budgets on the climb, nothing that fits has less error."""
    options = [[option(2**n, weight * 2.0**-n) for n in range(6)] for weight in (1.0, 5.0, 30.0)]
    for budget in (7, 14, 28, 56):
        chosen = choose(options, budget, cost)
        everything = itertools.product(range(6), repeat=3)
        best = min(e for c, e in (total(options, list(each)) for each in everything) if c <= budget)
        assert total(options, chosen)[1] <= best * 1.05


def test_a_picture_that_gains_more_gets_more() -> None:
    hard = [option(1, 100.0), option(10, 10.0)]
    easy = [option(1, 3.0), option(10, 1.0)]
    assert choose([easy, hard], 12, cost) == [0, 1]


def test_the_hull_leaves_out_what_is_dominated_or_not_convex() -> None:
    options = [option(1, 10.0), option(2, 9.9), option(3, 4.0), option(4, 5.0), option(9, 1.0)]
    assert hull(options, cost) == [0, 2, 4]
