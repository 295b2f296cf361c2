"""The integer networks against their simulation in training, and their streams against the likelihoods."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from tiny_model import MODEL, PRIORS, RECIPE, picture, tensor, trained_looking_model

from engine import native
from engine.codec import Ctx
from engine.errors import Cancelled, CorruptStream, EngineError
from engine.learned import fixed, tiles
from engine.learned.coders import symbol_network
from engine.learned.entropy import logistic_bits
from engine.learned.freeze import entropy_convolutions, freeze, scale_tables, thaw
from engine.learned.layers import rate_weights, to_bias_grid, to_weight_grid
from engine.learned.model import Coded, LatentModel
from engine.learned.recipe import CHECKERBOARD, HYPER, NOTHING, VECTORS, ModelRecipe
from engine.learned.symbols import SymbolNetwork
from engine.native import latent

CTX = Ctx()
Change = Callable[[np.ndarray], np.ndarray]


def simulated(model: LatentModel, pixels: np.ndarray, rate: int) -> tuple[Coded, np.ndarray, np.ndarray]:
    """What torch codes in the arithmetic of integers; hyper-latent and coefficients, channels innermost."""
    pictures, rates = tensor(pixels), torch.tensor([rate / fixed.RATE_STEPS])
    model.quantise(True)
    coded = model(pictures, rates)
    gain = model.log_gain(rate_weights(rates, model.rate.points)).exp()
    steps = model.transform.analysis(pictures * 255 - 127.5) * gain
    return coded, inside(coded.hyper).astype(np.int32), inside(steps)


def inside(values: torch.Tensor) -> np.ndarray:
    return values[0].permute(1, 2, 0).contiguous().numpy()


def in_order(coded: Coded, recipe: ModelRecipe) -> np.ndarray:
    """Symbols as a stream holds them: the hyper-latent, then slice by slice."""
    parts = [inside(coded.hyper).ravel()]
    for residual in map(inside, coded.residuals):
        rows, columns = np.indices(residual.shape[:2])
        if recipe.prior != HYPER or recipe.context == NOTHING:
            parts.append(residual.ravel())
        elif recipe.context == CHECKERBOARD:
            parts += [residual[(rows + columns) % 2 == phase].ravel() for phase in (1, 0)]
        else:
            places = sorted(zip((columns + 3 * rows).flat, rows.flat, columns.flat, strict=True))
            parts += [residual[row, column] for _, row, column in places]
    return np.concatenate(parts).astype(np.int32)


@pytest.fixture(scope="module")
def model() -> LatentModel:
    return trained_looking_model()


@pytest.fixture(scope="module", params=PRIORS)
def each_model(request: pytest.FixtureRequest) -> LatentModel:
    return trained_looking_model(recipe=replace(RECIPE, model=PRIORS[request.param]))


@pytest.fixture(scope="module")
def each_network(each_model: LatentModel) -> SymbolNetwork:
    return symbol_network(each_model.recipe, freeze(each_model))


@pytest.fixture(scope="module")
def network(model: LatentModel) -> SymbolNetwork:
    return symbol_network(model.recipe, freeze(model))


@pytest.mark.parametrize("rate", [0, 77, 512])
@pytest.mark.parametrize(("seed", "prior"), [(2, "checkerboard"), *((1, prior) for prior in PRIORS)])
def test_torch_and_the_integers_agree_on_every_symbol(seed: int, prior: str, rate: int) -> None:
    recipe = PRIORS[prior]
    model = trained_looking_model(seed, replace(RECIPE, model=recipe))
    coded, hyper, steps = simulated(model, picture(seed, 192), rate)
    data, decoded = symbol_network(recipe, freeze(model)).encode(hyper, steps, rate, CTX)
    assert (decoded.residuals == in_order(coded, recipe)).all()
    shown = tiles.render(model, decoded, rate, CTX)
    assert np.abs(shown - inside(coded.picture) * 255).max() < 0.01
    rows = decoded.index if decoded.mixed is None else decoded.mixed.rows
    assert len(np.unique(rows)) > 5 and np.abs(decoded.residuals).max() > 3
    assert 8 * len(data) == pytest.approx(float(coded.bits), rel=0.005, abs=16 * 8)


def test_a_stream_gives_back_what_was_coded(each_model: LatentModel, each_network: SymbolNetwork) -> None:
    _, hyper, steps = simulated(each_model, picture(5, 128), 300)
    data, coded = each_network.encode(hyper, steps, 300, CTX)
    decoded = each_network.decode(data, hyper.shape[:2], 300, CTX)
    for name in ("hyper", "values", "features", "index", "residuals"):
        assert (getattr(decoded, name) == getattr(coded, name)).all(), name
    assert decoded.checksum == coded.checksum


def test_threads_and_processors_change_nothing(each_model: LatentModel, each_network: SymbolNetwork) -> None:
    _, hyper, steps = simulated(each_model, picture(6, 192), 200)
    data, coded = each_network.encode(hyper, steps, 200, CTX)
    try:
        for mask in (0, 1, 2):
            native.use_processor(mask)
            for threads in (1, 3):
                again, decoded = each_network.encode(hyper, steps, 200, Ctx(threads=threads))
                assert again == data and (decoded.values == coded.values).all()
    finally:
        native.use_processor(-1)


def test_neighbouring_rates_differ_and_rise(each_model: LatentModel, each_network: SymbolNetwork) -> None:
    sizes = []
    for rate in (0, 128, 256, 384, 512):
        _, hyper, steps = simulated(each_model, picture(7, 128), rate)
        sizes.append(len(each_network.encode(hyper, steps, rate, CTX)[0]))
    assert all(low < high for low, high in pairwise(sizes))


def test_wild_coefficients_are_coded_within_the_bounds(each_network: SymbolNetwork) -> None:
    rng = np.random.default_rng(8)
    hyper = rng.integers(-(10**6), 10**6, (2, 1, each_network.recipe.hyper_channels)).astype(np.int32)
    steps = rng.normal(0, 1e7, (8, 4, MODEL.channels)).astype(np.float32)
    data, coded = each_network.encode(hyper, steps, 100, CTX)
    recipe = each_network.recipe
    if recipe.prior == VECTORS:
        assert coded.residuals.max() < max(recipe.codes)
    else:
        assert np.abs(coded.residuals).max() == latent.SYMBOL_MAX
    decoded = each_network.decode(data, (2, 1), 100, CTX)
    assert (decoded.values == coded.values).all()


def test_every_symbol_s_bits_are_at_its_position(model: LatentModel, network: SymbolNetwork) -> None:
    _, hyper, steps = simulated(model, picture(5, 128), 300)
    data, coded = network.encode(hyper, steps, 300, CTX)
    of_hyper, of_latent = network.costs(coded)
    assert of_hyper.shape == hyper.shape[:2] and of_latent.shape == steps.shape[:2]
    told = float(of_hyper.sum() + of_latent.sum()) + 8 * latent.state_bytes(data, coded.mark)
    assert told == pytest.approx(8 * len(data), abs=5)
    rows, columns = np.indices(of_latent.shape)
    places = [np.stack([axis[(rows + columns) % 2 == phase] for axis in (rows, columns)], 1) for phase in (1, 0)]
    in_stream = np.concatenate([part.repeat(size, 0) for size in MODEL.slices for part in places])
    for at in range(5, len(in_stream), 997):
        alone = np.zeros_like(coded.residuals)
        alone[hyper.size + at] = 9000
        positions = network.costs(replace(coded, residuals=alone, index=np.full_like(coded.index, coded.index[-1])))[1]
        assert np.unravel_index(positions.argmax(), positions.shape) == tuple(in_stream[at])


def test_damaged_symbols_are_refused_or_bounded(each_model: LatentModel, each_network: SymbolNetwork) -> None:
    _, hyper, steps = simulated(each_model, picture(9, 64), 250)
    data, _ = each_network.encode(hyper, steps, 250, CTX)
    rng = np.random.default_rng(10)
    refused = 0
    for _ in range(60):
        mutant = bytearray(data)
        mutant[rng.integers(len(data))] ^= 1 << rng.integers(8)
        try:
            decoded = each_network.decode(bytes(mutant), hyper.shape[:2], 250, CTX)
            assert np.abs(decoded.values).max() <= 16 * latent.SYMBOL_MAX + (1 << 19)
        except CorruptStream:
            refused += 1
    assert refused >= 59


def test_cancelling_stops_in_between(model: LatentModel, network: SymbolNetwork) -> None:
    _, hyper, steps = simulated(model, picture(5, 64), 300)
    asked = iter([False] * 6 + [True] * 1000)
    with pytest.raises(Cancelled):
        network.encode(hyper, steps, 300, Ctx(cancel=lambda: next(asked)))


# --- From weights to integers ---------------------------------------------------------------------------------------


def test_frozen_weights_are_those_of_the_simulation(each_model: LatentModel) -> None:
    frozen = freeze(each_model)
    for name, layer in entropy_convolutions(each_model).items():
        thawed = thaw(frozen, name)
        assert torch.equal(thawed[f"{name}.weight"], to_weight_grid(layer.looked_through))
        assert layer.bias is not None
        assert torch.equal(thawed[f"{name}.bias"], to_bias_grid(layer.bias, layer.looked_through))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prior.hyper_synthesis.enter.bias", 1e7),
        ("prior.slices.1.join.weight", 300.0),
        ("prior.slices.1.join.weight", math.nan),
        ("log_gain.table", 50.0),
        ("prior.slices.0.scale.table", math.nan),
    ],
)
def test_weights_beyond_the_arithmetic_are_refused(name: str, value: float) -> None:
    model = trained_looking_model()
    dict(model.named_parameters())[name].data.flatten()[0] = value
    with pytest.raises(EngineError):
        freeze(model)


def test_sums_that_could_overflow_are_refused(model: LatentModel) -> None:
    frozen = freeze(model)
    name = "hyper_synthesis.refine.inner"
    frozen[f"{name}.bias"] = frozen[f"{name}.bias"].copy()
    taps = np.abs(frozen[f"{name}.weight"][0].astype(np.int64)).sum()
    frozen[f"{name}.bias"][0] = (1 << 31) - 1 - 2048 * taps
    symbol_network(MODEL, frozen)
    frozen[f"{name}.bias"][0] += 1
    with pytest.raises(CorruptStream, match="32 bits"):
        symbol_network(MODEL, frozen)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("octaves", lambda table: table[:1]),
        ("octaves", lambda table: table.astype(np.int64)),
        ("hyper_rows", lambda table: table[:, :1]),
        ("slices.0.first_head.shift", lambda shifts: shifts + np.uint8(40)),
        ("slices.0.join.bias", lambda biases: biases[:-1]),
        ("cdfs", lambda cdfs: cdfs[:-1]),
    ],
)
def test_integers_that_do_not_fit_are_refused(model: LatentModel, name: str, change: Change) -> None:
    frozen = freeze(model)
    frozen[name] = change(frozen[name])
    with pytest.raises(EngineError):
        symbol_network(MODEL, frozen)
    del frozen[name]
    with pytest.raises(CorruptStream, match=name):
        symbol_network(MODEL, frozen)


def test_coding_tables_are_distributions_close_to_the_logistic_one() -> None:
    tables = scale_tables()
    for row in range(fixed.SCALE_ROWS):
        first, end = tables["cdf_rows"][row : row + 2]
        frequencies = np.diff(np.append(tables["cdfs"][first:end].astype(np.int64), 1 << 16))
        assert frequencies.min() >= 1 and frequencies.sum() == 1 << 16
        values = np.arange(len(frequencies) - 1) + tables["cdf_offsets"][row]
        assert values[0] == -values[-1]
        exact = 2.0 ** -logistic_bits(torch.tensor(values).double(), torch.tensor(0.05 * 2 ** (row / 5))).numpy()
        loss = (exact * np.log2(exact * 65536 / frequencies[:-1])).sum()
        assert loss < (0.0005 if row < 45 else 0.03)
