"""Likelihoods and what feeds them."""

from __future__ import annotations

import math

import pytest
import torch

from engine.learned.entropy import (
    LOG_CEILING,
    LOG_FLOOR,
    LOG_ROW,
    LOGISTIC,
    Density,
    logistic_bits,
    lower_bound,
    predict,
    scale_of_row,
    to_mean_grid,
)
from engine.learned.fixed import SCALE_ROWS


@pytest.mark.parametrize("scale", [0.05, 0.7, 12.0])
def test_the_bits_of_all_symbols_are_those_of_a_distribution(scale):
    symbols = torch.arange(-600, 601, dtype=torch.float64)
    probabilities = torch.exp2(-logistic_bits(symbols, torch.tensor(scale, dtype=torch.float64)))
    assert probabilities.sum() == pytest.approx(1, abs=2e-6)


def test_even_an_absurd_symbol_costs_finite_bits():
    bits = logistic_bits(torch.tensor([1e6]), torch.tensor([0.05]))
    assert bits.item() == pytest.approx(-math.log2(1e-9), rel=1e-6)


def test_values_below_a_bound_can_still_rise():
    values = torch.tensor([-1.0, 2.0], requires_grad=True)
    lower_bound(values, 0.0).sum().backward()
    assert torch.equal(values.grad, torch.tensor([0.0, 1.0]))
    values.grad = None
    (-lower_bound(values, 0.0)).sum().backward()
    assert torch.equal(values.grad, torch.tensor([-1.0, -1.0]))


def test_rows_stand_for_the_nearest_scale():
    rows = torch.arange(SCALE_ROWS).double()
    scales = torch.linspace(LOG_FLOOR, LOG_CEILING, SCALE_ROWS)
    for between in (-0.49, 0.0, 0.49):
        assert torch.allclose(scale_of_row(rows + between), scales, atol=1e-5)


def test_a_head_of_zeros_predicts_the_coefficients_own_spread():
    spread = torch.tensor([0.3, 4.0], dtype=torch.float64)[None, :, None, None]
    head = torch.zeros(1, 4, 1, 1)
    for quantised, tolerance in ((False, 1e-6), (True, LOG_ROW / 2)):
        mean, log_scale, *_ = predict(head, spread, Density(), quantised)
        assert torch.equal(mean, torch.zeros_like(mean))
        assert torch.allclose(log_scale.double(), torch.log(spread * LOGISTIC), atol=tolerance, rtol=0)


def test_quantised_means_are_sixteenths_and_halves_go_up():
    mean = to_mean_grid(torch.tensor([0.03125, -0.03125, 1.3, -1.3], dtype=torch.float64))
    assert torch.equal(mean * 16, torch.tensor([1.0, 0.0, 21.0, -21.0]))
