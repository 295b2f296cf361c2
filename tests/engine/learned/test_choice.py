"""Symbols that are chosen by what they cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_model import PRIORS, RECIPE, trained_looking_model

from engine.codec import Ctx
from engine.errors import UsageError
from engine.learned.choice import chosen, under
from engine.learned.coders import symbol_network
from engine.learned.fixed import SCALE_ROWS
from engine.learned.freeze import freeze, scale_tables
from engine.learned.recipe import ModelRecipe
from engine.learned.symbols import SymbolNetwork
from engine.native import latent
from engine.native.entropy import Tables

COUNT = 4000


@pytest.fixture(scope="module")
def tables() -> Tables:
    found = scale_tables()
    return Tables(found["cdfs"], found["cdf_rows"], found["cdf_offsets"])


def cost(exact: np.ndarray, symbols: np.ndarray, rows: np.ndarray, tables: Tables, worth: float) -> np.ndarray:
    """Bits and error of each, f64."""
    return latent.costs(symbols, rows, tables).astype(float) + worth * np.square(exact.astype(float) - symbols)


@pytest.mark.parametrize("worth", [2.0, 12.0, 60.0])
def test_a_choice_is_the_better_of_the_nearest_and_the_next_towards_zero(tables: Tables, worth: float) -> None:
    random = np.random.default_rng(1)
    exact = random.laplace(0, 1.5, COUNT).astype(np.float32)
    rows = random.integers(0, SCALE_ROWS, COUNT).astype(np.uint16)
    symbols = chosen(exact, under(rows, tables), worth)
    nearest = np.rint(exact).astype(np.int32)
    smaller = nearest - np.sign(nearest)
    best = np.minimum(cost(exact, nearest, rows, tables, worth), cost(exact, smaller, rows, tables, worth))
    assert cost(exact, symbols, rows, tables, worth) == pytest.approx(best, abs=1e-3)
    moved = symbols != nearest
    assert 10 < moved.sum() < COUNT / 2 and (symbols[moved] == smaller[moved]).all()
    assert (symbols[nearest == 0] == 0).all()


def network(worth: float) -> SymbolNetwork:
    model = trained_looking_model(recipe=replace(RECIPE, model=PRIORS["static mixtures by cost"]))
    recipe = replace(model.recipe, squared_step_bits=worth)
    return symbol_network(recipe, freeze(model))


def test_a_stream_takes_fewer_bits_the_less_errors_count_and_the_nearest_if_they_count_for_all() -> None:
    random = np.random.default_rng(2)
    hyper = np.zeros((3, 3, 0), np.int32)
    steps = random.laplace(0, 0.8, (12, 12, 24)).astype(np.float32)
    sizes, errors = [], []
    for worth in (0.0, 1e9, 60.0, 12.0, 3.0):
        data, coded = network(worth).encode(hyper, steps, 300, Ctx())
        sizes.append(len(data))
        errors.append(float(np.square(coded.values / 16 - steps).mean()))
        assert (network(0.0).decode(data, (3, 3), 300, Ctx()).values == coded.values).all()
    assert sizes[0] == sizes[1] > sizes[2] > sizes[3] > sizes[4]
    assert errors[0] == errors[1] < errors[2] < errors[3] < errors[4]


@pytest.mark.parametrize("change", [{"prior": "hyper"}, {"prior": "variational"}])
def test_symbols_that_others_are_predicted_from_are_the_nearest(change: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="squared_step_bits"):
        ModelRecipe(squared_step_bits=12.0, **change)
