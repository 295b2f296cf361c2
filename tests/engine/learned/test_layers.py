"""The arithmetic of integers, as training simulates it."""

from __future__ import annotations

import torch

from engine.learned.layers import (
    ACTIVATION_STEPS,
    EntropyConv,
    RateScale,
    checkerboard,
    rate_weights,
    to_activation_grid,
    to_weight_grid,
)


def test_quantised_weights_are_bytes_times_a_power_of_two():
    weight = torch.randn(5, 3, 3, 3) * torch.tensor([1e-3, 0.1, 1, 7, 300])[:, None, None, None]
    grid = to_weight_grid(weight)
    for row, exact in zip(grid, weight, strict=True):
        step = 2.0 ** torch.ceil(torch.log2(exact.abs().max() / 127))
        codes = row / step
        assert torch.equal(codes, codes.round())
        assert 63 < codes.abs().max() <= 127
        assert (row - exact).abs().max() <= step / 2 + 1e-9


def test_activations_are_bounded_multiples():
    values = torch.tensor([-1e6, -1.5 / 64, -0.004, 1.5 / 64, 0.3, 31.99, 1e6])
    grid = to_activation_grid(values)
    assert torch.equal(grid * ACTIVATION_STEPS, torch.tensor([-2048.0, -1.0, 0.0, 2.0, 19.0, 2047.0, 2047.0]))


def test_gradients_pass_through_the_roundings():
    values = torch.tensor([0.013, 0.4], requires_grad=True)
    to_activation_grid(values).sum().backward()
    assert torch.equal(values.grad, torch.ones(2))


def test_a_quantised_convolution_computes_whole_multiples():
    torch.manual_seed(0)
    layer = EntropyConv(4, 6, 3, padding=1).requires_grad_(False)
    layer.quantised = True
    inputs = to_activation_grid(torch.randn(1, 4, 8, 8))
    rows = layer(inputs)[0]
    for row, weight in zip(rows, layer.weight, strict=True):
        step = 2.0 ** torch.ceil(torch.log2(weight.abs().max() / 127)) / ACTIVATION_STEPS
        assert torch.equal(row / step, (row / step).round())


def test_quantised_scales_are_multiples_of_1_in_256():
    scale = RateScale(3, 2).requires_grad_(False)
    scale.table.copy_(torch.tensor([[0.0, -0.4], [0.3, 1.7], [0.1, 0.0]]))
    values = torch.tensor([1.0, -3.0])[None, :, None, None]
    plain = scale.scale(values, rate_weights(torch.tensor([0.3]), 3))
    scale.quantised = True
    steps = scale.scale(values, rate_weights(torch.tensor([0.3]), 3)).flatten() * torch.tensor([256.0, -256 / 3])
    assert torch.allclose(steps, steps.round(), atol=1e-9)
    assert (steps / 256 * torch.tensor([1, -3]) - plain.flatten()).abs().max() <= 3 / 512 + 1e-6


def test_rates_interpolate_between_two_rows():
    weights = rate_weights(torch.tensor([0.0, 1.25, 2.0]), 3)
    assert torch.allclose(weights, torch.tensor([[1, 0, 0], [0, 0.75, 0.25], [0, 0, 1.0]]))


def test_anchors_are_every_other_cell():
    anchors = checkerboard(torch.empty(2, 3, 4))[0, 0]
    assert torch.equal(anchors, torch.tensor([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1.0]]))
