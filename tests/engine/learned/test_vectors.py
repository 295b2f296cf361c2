"""Codebooks: how they are learned, and what streams of indices must not do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_model import PRIORS, RECIPE, picture, tensor, trained_looking_model

from engine.codec import Ctx
from engine.errors import CorruptStream, UsageError
from engine.importance import Importance
from engine.learned.codebooks import lloyd
from engine.learned.coders import symbol_network
from engine.learned.freeze import freeze
from engine.learned.vector_prior import thawed_books
from engine.learned.vectors import BITS_PER_SQUARED_STEP, Book, VectorSymbols, groups
from engine.native import latent

CTX = Ctx()
MODEL = PRIORS["vectors"]


def test_codes_cost_less_than_rounding_to_whole_steps() -> None:
    torch.manual_seed(3)
    scales = torch.rand(30000, 1).exp() * torch.tensor([0.5, 0.3])  # that go together, as in photographs
    vectors = torch.randn(30000, 2) * scales
    codes, shares = lloyd(vectors[:20000], 128)
    assert len(codes) <= 128 and float(shares.sum()) == pytest.approx(1)
    new = vectors[20000:]
    apart = (new[:, None] - codes[None]).square().sum(2) * BITS_PER_SQUARED_STEP - torch.log2(shares)
    rounded = torch.round(new)
    _, place, counts = torch.unique(rounded, dim=0, return_inverse=True, return_counts=True)
    plain = (new - rounded).square().sum(1) * BITS_PER_SQUARED_STEP - torch.log2(counts / len(new))[place]
    assert apart.min(1).values.mean() < 0.95 * plain.mean()


def test_the_nearest_code_is_the_one_that_costs_least() -> None:
    random = np.random.default_rng(1)
    book = Book(random.integers(-40, 40, (17, 3)).astype(np.int32), random.uniform(1, 9, 17).astype(np.float32))
    steps = random.normal(0, 2, (5000, 3)).astype(np.float32)
    apart = np.square(steps[:, None] - book.codes[None] / 16).sum(2) * BITS_PER_SQUARED_STEP + book.bits
    assert (book.nearest(steps) == apart.argmin(1)).mean() > 0.999  # but for ties
    assert apart[np.arange(5000), book.nearest(steps)] == pytest.approx(apart.min(1), abs=1e-3)


@pytest.fixture(scope="module")
def network() -> VectorSymbols:
    model = trained_looking_model(recipe=replace(RECIPE, model=MODEL))
    found = symbol_network(MODEL, freeze(model))
    assert isinstance(found, VectorSymbols)
    return found


@pytest.mark.parametrize(("rate", "book"), [(0, 0), (1, 1), (128, 1), (129, 2), (512, 4)])
def test_a_rate_has_the_codebooks_of_the_next_half_step(network: VectorSymbols, rate: int, book: int) -> None:
    assert network.first_row(rate) == book * sum(map(len, groups(MODEL)))


def test_an_index_beyond_its_codebook_is_refused(network: VectorSymbols) -> None:
    count = sum(map(len, groups(MODEL)))
    index = np.tile(np.arange(count, dtype=np.uint16), 16)
    symbols = np.zeros(index.size, np.int32)
    symbols[5] = 4000  # an escape
    data = latent.encode(symbols, index, network.tables)
    with pytest.raises(CorruptStream, match="beyond its codebook"):
        network.decode(data, (1, 1), 0, CTX)


def test_vectors_follow_no_map_of_importance(network: VectorSymbols) -> None:
    steps = np.zeros((4, 4, MODEL.channels), np.float32)
    with pytest.raises(CorruptStream, match="no map"):
        painted = Importance(np.full((4, 4), 3, np.int8))
        network.encode(np.zeros((1, 1, 0), np.int32), steps, 0, CTX, importance=painted)


def test_books_survive_integers_but_for_their_rounding() -> None:
    model = trained_looking_model(recipe=replace(RECIPE, model=MODEL))
    again = thawed_books(MODEL, freeze(model))
    for name, tensor_of in model.prior.state_dict().items():
        if name.startswith("books."):
            assert torch.allclose(again[name], tensor_of, atol=1 / 32)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t.astype(np.int32), lambda t: t.reshape(1, -1)], ids=["short", "wide", "row"]
)
def test_codebooks_that_do_not_go_with_their_tables_are_refused(change: object) -> None:
    tensors = freeze(trained_looking_model(recipe=replace(RECIPE, model=MODEL)))
    assert callable(change)
    with pytest.raises(CorruptStream):
        symbol_network(MODEL, {**tensors, "codes": change(tensors["codes"])})


@pytest.mark.parametrize(
    "wrong", [{"vectors": (1,)}, {"vectors": (4, 4)}, {"codes": (1, 64)}, {"codes": (48, 9999)}, {"books": 0}]
)
def test_recipes_of_vectors_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        replace(MODEL, **wrong)


def test_gradients_reach_codes_and_chances() -> None:
    model = trained_looking_model(recipe=replace(RECIPE, model=MODEL)).requires_grad_(True)
    coded = model(tensor(picture(4, 64)), torch.tensor([1.0]), noisy=True)
    (coded.picture.square().mean() + coded.bits.mean() / 64**2).backward()
    for parameter in (*model.prior.books, *model.prior.chances):
        assert parameter.grad is not None and parameter.grad.abs().max() > 0
