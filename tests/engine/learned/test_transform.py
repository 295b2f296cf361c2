"""The lapped transform that models start from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_model import picture, tensor

from engine.learned.transform import BLOCK_VALUES, LappedTransform, block_basis, lapped_filter


def test_with_all_coefficients_it_is_invertible():
    transform = LappedTransform(BLOCK_VALUES, 1.3).requires_grad_(False)
    pictures = torch.rand(2, 3, 48, 80) * 255 - 127.5
    coefficients = transform.analysis(pictures)
    assert coefficients.shape == (2, BLOCK_VALUES, 3, 5)
    assert torch.allclose(transform.synthesis(coefficients), pictures, atol=1e-2)


def test_the_block_basis_is_orthonormal():
    basis = block_basis()
    assert np.allclose(basis @ basis.T, np.eye(BLOCK_VALUES), atol=1e-9)


def test_the_pre_filter_keeps_flat_areas_flat():
    matrix = lapped_filter(16, 1.3)
    assert np.allclose(matrix @ np.ones(16), 1)
    assert not np.allclose(matrix, np.eye(16), atol=0.1)


def test_a_ramp_across_blocks_costs_less_than_without_overlap():
    ramp = torch.linspace(-100, 100, 64).expand(1, 3, 64, 64)

    def small_terms(scale: float) -> float:
        transform = LappedTransform(BLOCK_VALUES, scale).requires_grad_(False)
        if scale == 0:
            transform.pre.copy_(torch.eye(16))
        inner = transform.analysis(ramp)[0, 1:256, 1, 1]
        return float(inner.abs().sum())

    assert small_terms(1.3) < 0.8 * small_terms(0)


def test_fitting_keeps_what_carries_most_energy():
    transform = LappedTransform(24, 1.3).requires_grad_(False)
    pictures = tensor(*(picture(seed) for seed in range(4))) * 255 - 127.5
    norms = transform.fit(pictures)
    energy = pictures.square().mean()
    assert (transform.synthesis(transform.analysis(pictures)) - pictures).square().mean() < 0.1 * energy
    spread = transform.deviation * norms
    assert torch.equal(spread, spread.sort(descending=True).values)


@pytest.mark.parametrize("size", [(16, 16), (64, 16)])
def test_a_picture_of_one_block_s_width_works(size):
    transform = LappedTransform(BLOCK_VALUES, 1.3).requires_grad_(False)
    pictures = torch.rand(1, 3, *size)
    assert torch.allclose(transform.synthesis(transform.analysis(pictures)), pictures, atol=1e-4)
