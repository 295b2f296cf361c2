"""What training minimises."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from engine.learned.model import Coded

Cost = Callable[[Coded, Tensor, Tensor], Tensor]
"""Of what a model made of pictures, the pictures, and λ of each."""


def squared_error(coded: Coded, pictures: Tensor) -> Tensor:
    """Mean squared error of each picture in 8-bit values, B."""
    return (coded.picture - pictures).square().mean((1, 2, 3)) * 255.0**2


def rate_distortion(coded: Coded, pictures: Tensor, lambdas: Tensor) -> Tensor:
    """(λ·MSE + bpp)/√λ, averaged: the division makes all rates pull about equally hard."""
    pixels = pictures.shape[-2] * pictures.shape[-1]
    cost = lambdas * squared_error(coded, pictures) + coded.bits / pixels
    return (cost * lambdas.rsqrt()).mean()
