"""The prior of a VQ-VAE (A. van den Oord, O. Vinyals and K. Kavukcuoglu, "Neural discrete representation learning",
NeurIPS 2017): coefficients are coded some at a time, as indices into learned codebooks, and these by how often they
occur. `engine.learned.vectors` is the same in integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from engine.learned import entropy
from engine.learned.entropy import Units
from engine.learned.fixed import MEAN_STEPS
from engine.learned.frequencies import coding_tables
from engine.learned.layers import in_network_precision, precision
from engine.learned.priors import CodedLatent, PriorWithoutHyper
from engine.learned.recipe import BOOKS_PER_RATE, ModelRecipe
from engine.learned.vectors import BITS_PER_SQUARED_STEP, VectorSymbols, groups

NEVER = -1e4  # log of the chance of a code that a book does not have
LEAST_SHARE = 2e-6
PARTS = ("books.", "chances.")  # of a prior's state, which files have as integers


class VectorPrior(PriorWithoutHyper):
    """books: of each slice, rates×groups×codes×size, in quantisation steps; chances: logs of how likely their codes
    are, rates×groups×codes, which need not add up to 1."""

    def __init__(self, recipe: ModelRecipe, points: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.books, self.chances = nn.ParameterList(), nn.ParameterList()
        for part in groups(recipe):
            shape = recipe.books, len(part), part[0].codes
            self.books.append(nn.Parameter(torch.zeros(*shape, part[0].size)))
            self.chances.append(nn.Parameter(torch.zeros(shape)))

    def start(self) -> None:
        """Nothing to do: `engine.learned.codebooks` learns them from data."""

    def code(
        self, coefficients: Tensor, relative: Tensor, units: Units, weights: Tensor, *, noisy: bool
    ) -> CodedLatent:
        steps, numbers = coefficients * units.gain, self._numbers(weights)
        bits = torch.zeros(len(steps), device=steps.device)
        decoded, symbols = [], []
        for number, part in enumerate(steps.split(self.recipe.slices, 1)):
            book, cost = self.books[number][numbers], self._bits(number, numbers)
            index = self._nearest(_vectors(part, book.shape[-1]), book.detach(), cost.detach())
            bits = bits + cost.gather(2, index).sum((1, 2))
            found = _coefficients(_codes(book, index), part)
            decoded.append(part - part.detach() + found)
            symbols.append(index.unflatten(2, part.shape[2:]))
        whole = torch.cat(decoded, 1)
        none = whole[:, :0, ::4, ::4]
        return CodedLatent(whole, self._known(whole, units), bits, torch.zeros_like(bits), none, tuple(symbols))

    def decode(
        self, hyper: Tensor, residuals: tuple[Tensor, ...], units: Units, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        numbers, decoded = self._numbers(weights), []
        for number, (index, width) in enumerate(zip(residuals, self.recipe.slices, strict=True)):
            like = units.gain.new_empty(len(index), width, *index.shape[2:])
            decoded.append(_coefficients(_codes(self.books[number][numbers], index.flatten(2)), like))
        whole = torch.cat(decoded, 1)
        return whole, self._known(whole, units)

    def _known(self, steps: Tensor, units: Units) -> Tensor:
        """Features alone, without magnitudes: there are no contexts that would see them."""
        features = entropy.both_signs(entropy.features(steps / units.spread), self.quantised)
        return in_network_precision(features[:, : steps.shape[1]].float())

    def _numbers(self, weights: Tensor) -> Tensor:
        """Of the codebooks of B rates: those of the next half step."""
        rates = (weights * torch.arange(weights.shape[1], device=weights.device)).sum(1)
        return torch.ceil(BOOKS_PER_RATE * rates - 1e-4).long().clamp(0, self.recipe.books - 1)

    def _bits(self, number: int, numbers: Tensor) -> Tensor:
        """B×groups×codes."""
        return self.chances[number][numbers].log_softmax(2) / -math.log(2)

    @staticmethod
    @torch.no_grad()
    def _nearest(vectors: Tensor, book: Tensor, bits: Tensor) -> Tensor:
        """B×groups×N of N vectors, B×groups×N×size: what costs least."""
        own = bits + BITS_PER_SQUARED_STEP * book.square().sum(3)
        with precision(vectors.device, half=False):  # differences of squares would not survive it
            found = [
                (own[:, group, None] - 2 * BITS_PER_SQUARED_STEP * vectors[:, group] @ book[:, group].mT).argmin(2)
                for group in range(book.shape[1])
            ]
        return torch.stack(found, 1)


def _vectors(part: Tensor, size: int) -> Tensor:
    """B×C×h×w → B×(C/size)×(h·w)×size."""
    return part.unflatten(1, (-1, size)).flatten(3).transpose(2, 3).float()


def _codes(book: Tensor, index: Tensor) -> Tensor:
    """B×groups×codes×size at B×groups×N → B×groups×N×size."""
    return book.gather(2, index[..., None].expand(*index.shape, book.shape[-1]))


def _coefficients(vectors: Tensor, like: Tensor) -> Tensor:
    """B×groups×(h·w)×size → B×C×h×w."""
    return vectors.transpose(2, 3).flatten(1, 2).unflatten(2, like.shape[2:])


@torch.no_grad()
def frozen_books(prior: VectorPrior) -> dict[str, np.ndarray]:
    """The codebooks as integers, one behind the other, and the tables of their indices. What a book hardly ever takes
    is not kept."""
    codes: list[np.ndarray] = []
    shares: list[tuple[np.ndarray, int]] = []
    for number in range(prior.recipe.books):
        for books, chances in zip(prior.books, prior.chances, strict=True):
            for book, share in zip(books[number], chances[number].softmax(1), strict=True):
                taken = share >= LEAST_SHARE
                codes.append(torch.round(book[taken] * MEAN_STEPS).to(torch.int16).numpy().ravel())
                shares.append((np.append(share[taken].double().numpy(), 0.0), 0))
    return {"codes": np.concatenate(codes), **coding_tables(shares)}


def thawed_books(recipe: ModelRecipe, integers: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Books and chances as a prior's state has them; `CorruptStream` if the integers do not go together."""
    coder = VectorSymbols(recipe, integers)
    tensors: dict[str, Tensor] = {}
    row = 0
    for number in range(recipe.books):
        for place, part in enumerate(groups(recipe)):
            shape = recipe.books, len(part), part[0].codes
            books = tensors.setdefault(f"books.{place}", torch.zeros(*shape, part[0].size))
            chances = tensors.setdefault(f"chances.{place}", torch.full(shape, NEVER))
            for each in range(len(part)):
                book = coder.book(row)
                books[number, each, : len(book.codes)] = torch.from_numpy(book.codes) / MEAN_STEPS
                chances[number, each, : len(book.codes)] = torch.from_numpy(book.bits) * -math.log(2)
                row += 1
    return tensors
