"""Painted regions in the streams of learned codecs: steps position by position, for every kind of prior."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_model import PRIORS, RECIPE, picture, tiny_weights, trained_looking_model

from engine import container, registry
from engine.codec import Ctx
from engine.container import Section
from engine.errors import CorruptStream, EngineError
from engine.image import Image
from engine.importance import LIMIT, Importance, unpack
from engine.learned import fixed, stored
from engine.learned.coders import symbol_network
from engine.learned.forecast import RateForecast
from engine.learned.freeze import freeze
from engine.learned.model import LatentModel
from engine.learned.region import LEAST, MOST, STEPS, Region, eased, middle
from engine.learned.symbols import SymbolNetwork
from engine.metrics import scores

CTX = Ctx()
SIZE = (2, 3)  # of the hyper-latent: four times as many positions


@pytest.fixture(scope="module", params=[name for name in PRIORS if name != "vectors"])
def model(request: pytest.FixtureRequest) -> LatentModel:
    return trained_looking_model(recipe=replace(RECIPE, model=PRIORS[request.param]))


@pytest.fixture(scope="module")
def network(model: LatentModel) -> SymbolNetwork:
    return symbol_network(model.recipe, freeze(model))


def symbols(network: SymbolNetwork) -> tuple[np.ndarray, np.ndarray]:
    """A hyper-latent and coefficients in quantisation steps."""
    rng = np.random.default_rng(5)
    hyper = rng.integers(-3, 4, (*SIZE, network.recipe.hyper_channels)).astype(np.int32)
    steps = rng.laplace(0, 2, (4 * SIZE[0], 4 * SIZE[1], network.recipe.channels)).astype(np.float32)
    return hyper, steps


def painted() -> Importance:
    """Of a picture that ends within the last positions."""
    return Importance(np.random.default_rng(6).integers(-LIMIT, LIMIT + 1, (7, 11)).astype(np.int8))


def test_a_painted_stream_gives_back_what_was_coded(network: SymbolNetwork) -> None:
    hyper, steps = symbols(network)
    data, coded = network.encode(hyper, steps, 300, CTX, importance=painted())
    decoded = network.decode(data, SIZE, 300, CTX, importance=painted())
    for name in ("hyper", "values", "features", "index", "residuals", "means"):
        assert (getattr(decoded, name) == getattr(coded, name)).all(), name
    assert decoded.checksum == coded.checksum
    with pytest.raises(CorruptStream):
        network.decode(data, SIZE, 300, CTX)


def test_every_position_is_rounded_by_its_own_step(network: SymbolNetwork) -> None:
    hyper, steps = symbols(network)
    _, coded = network.encode(hyper, steps, 300, CTX, importance=painted())
    assert coded.region is not None
    by_cost = network.recipe.squared_step_bits > 0  # then the next symbol towards zero may be taken
    widest = (1.5 if by_cost else 0.5) / coded.region.finer + 1 / 32
    assert (np.abs(coded.values / fixed.MEAN_STEPS - steps) <= widest + 1e-3).all()
    finest = np.abs(coded.values / fixed.MEAN_STEPS - steps)[coded.region.levels == coded.region.levels.max()]
    assert finest.max() < (1.5 if by_cost else 0.5) * np.abs(steps).mean()


def test_a_neutral_map_changes_nothing(network: SymbolNetwork) -> None:
    hyper, steps = symbols(network)
    plain, _ = network.encode(hyper, steps, 300, CTX)
    assert network.encode(hyper, steps, 300, CTX, importance=Importance(np.zeros((8, 12), np.int8)))[0] == plain


def test_bits_and_forecasts_are_those_of_the_steps(network: SymbolNetwork) -> None:
    hyper, steps = symbols(network)
    data, coded = network.encode(hyper, steps, 300, CTX, importance=painted())
    told = sum(float(each.sum()) for each in network.costs(coded))
    assert told == pytest.approx(8 * len(data), rel=0.02, abs=80)
    forecast = RateForecast(network, coded, steps, 300, 0)
    assert forecast.size(100 * 300 / 512, CTX) == pytest.approx(len(data), rel=0.03, abs=10)


def test_steps_that_make_no_sense_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    raster = trained_looking_model(recipe=replace(RECIPE, model=PRIORS["raster"]))
    hyper, steps = symbols(network := symbol_network(raster.recipe, freeze(raster)))
    for step in (0, -1, (1 << 20) + 1):
        monkeypatch.setattr("engine.learned.region.STEPS", np.full_like(STEPS, step))
        with pytest.raises(EngineError):
            network.encode(hyper, steps, 300, CTX, importance=painted())


def test_no_cell_falls_far_below_the_next_and_the_rate_s_steps_are_in_between() -> None:
    steps = np.zeros((5, 7), np.int8)
    steps[2, 3] = LIMIT
    found = eased(steps)
    assert found[2, 3] == LIMIT and (found[1:4, 2:5] >= LIMIT - 4).all() and found.sum() == LIMIT + 8 * 4
    assert middle(found) == round(found.mean() + found.std())
    assert middle(np.full((3, 3), -5)) == -5
    assert STEPS[-LEAST] == fixed.MEAN_STEPS << 8 and STEPS[-LEAST + LIMIT] == fixed.MEAN_STEPS << 6
    region = Region.of(Importance(steps), (8, 8))
    assert region.levels.shape == (8, 8) and region.levels.max() <= MOST - LEAST


def test_hyperprior_carries_the_map_and_spends_bits_by_it(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(stored.VARIABLE, str(tiny_weights(tmp_path_factory.mktemp("weights"))))
    codec = registry.codec("hyperprior")
    steps = np.zeros((7, 7), np.int8)
    steps[2:5, 2:5] = LIMIT
    image = Image(picture(3, 100), importance=Importance(steps))
    data = codec.encode(image, {"quality": 60}, CTX).data
    packed = container.read(data).sections[Section.IMPORTANCE]
    assert unpack(packed, 100, 100) == image.importance
    found = codec.bit_map(data, CTX)
    assert found.apart["painted map"] == len(packed) + 2
    assert found.bits[32:80, 32:80].mean() > 1.5 * found.bits[64:96, :32].mean()
    plain = codec.decode(codec.encode(replace(image, importance=None), {"quality": 60}, CTX).data, CTX)
    before, after = (scores(image, each, ("psnr_inside", "psnr_outside")) for each in (plain, codec.decode(data, CTX)))
    gain, loss = (after[place] - before[place] for place in ("psnr_inside", "psnr_outside"))
    assert gain > loss + 1
