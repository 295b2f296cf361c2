"""Codebooks learned from data: generalised Lloyd iterations in which bits count (P. Chou, T. Lookabaugh and R. Gray,
"Entropy-constrained vector quantization", IEEE Trans. ASSP 1989).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from engine.learned.model import LatentModel
from engine.learned.recipe import BOOKS_PER_RATE
from engine.learned.vector_prior import NEVER, VectorPrior
from engine.learned.vectors import BITS_PER_SQUARED_STEP, groups

_ITERATIONS = 12
_AT_ONCE = 8192  # vectors
_FREQUENT = 0.75  # of the codes at first: those cells of the lattice that are; the others lie far out


@torch.no_grad()
def fit_books(model: LatentModel, pictures: Iterator[Tensor]) -> None:
    """Learn the codebooks of a `VectorPrior`, at every rate that has one, from the coefficients of pictures (each
    B×3×H×W in 0…1)."""
    prior = model.prior
    assert isinstance(prior, VectorPrior)
    coefficients = torch.cat([_rows(model.transform.analysis(part * 255 - 127.5)) for part in pictures])
    for number in range(prior.recipe.books):
        rate = torch.tensor([number / BOOKS_PER_RATE])
        weights = (1 - (rate[:, None] - torch.arange(float(model.rate.points))).abs()).clamp_min(0)
        steps = coefficients * model.units(weights).gain.flatten()
        for part, books, chances in zip(groups(prior.recipe), prior.books, prior.chances, strict=True):
            for place, group in enumerate(part):
                codes, shares = lloyd(steps[:, group.start : group.start + group.size].contiguous(), group.codes)
                books[number, place, : len(codes)] = codes
                chances[number, place] = NEVER
                chances[number, place, : len(codes)] = shares.log()


def _rows(coefficients: Tensor) -> Tensor:
    """B×M×h×w → N×M."""
    return coefficients.permute(0, 2, 3, 1).flatten(0, 2)


def lloyd(vectors: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """At most so many codes for N×D vectors of steps, K×D, and how often each is taken, K: which together cost the
    least bits, an error of a squared step counted as `BITS_PER_SQUARED_STEP`."""
    codes = _first(vectors, most)
    bits = torch.full((len(codes),), math.log2(len(codes)))
    for _ in range(_ITERATIONS):
        taken = _nearest(vectors, codes, bits)
        counts = torch.bincount(taken, minlength=len(codes)).float()
        sums = torch.zeros_like(codes).index_add_(0, taken, vectors)
        used = counts > 0
        codes, shares = sums[used] / counts[used, None], counts[used] / len(vectors)
        bits = -torch.log2(shares)
    return codes, shares


def _first(vectors: Tensor, most: int) -> Tensor:
    """Cells of the lattice of whole steps: the most frequent ones, and some of the others."""
    cells, counts = torch.unique(torch.round(vectors), dim=0, return_counts=True)
    order = torch.argsort(counts, descending=True, stable=True)
    sure = min(len(order), int(most * _FREQUENT))
    others = order[sure:]
    every = max(1, len(others) // (most - sure))
    return torch.cat([cells[order[:sure]], cells[others[::every][: most - sure]]])


def _nearest(vectors: Tensor, codes: Tensor, bits: Tensor) -> Tensor:
    own = bits + BITS_PER_SQUARED_STEP * codes.square().sum(1)
    scale = -2 * BITS_PER_SQUARED_STEP
    return torch.cat([torch.addmm(own, part, codes.T, alpha=scale).argmin(1) for part in vectors.split(_AT_ONCE)])
