"""Likelihoods and what feeds them."""

from __future__ import annotations

import math

import pytest
import torch

from engine.learned.entropy import LOG_CEILING, LOG_FLOOR, SCALE_ROWS, logistic_bits, lower_bound, to_scale_row


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


def test_every_row_of_scales_is_its_own_nearest():
    rows = torch.linspace(LOG_FLOOR, LOG_CEILING, SCALE_ROWS)
    assert torch.allclose(to_scale_row(rows), rows, atol=1e-5)
    assert torch.allclose(to_scale_row(rows + 0.06), rows, atol=1e-5)
