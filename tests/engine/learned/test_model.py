"""The whole scheme: what a stream holds is enough to decode it, in order."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny_model import MODEL, PRIORS, RATE, RECIPE, picture, tensor, trained_looking_model

from engine.learned.evaluate import estimate
from engine.learned.model import LatentModel
from engine.learned.recipe import ModelRecipe, RateRecipe

PICTURES = tensor(picture(1, 128), picture(2, 128))
RATES = torch.tensor([0.3, 2.0])


@pytest.mark.parametrize("quantised", [False, True])
@pytest.mark.parametrize("prior", PRIORS)
def test_whole_numbers_alone_rebuild_the_encoder_s_picture(prior, quantised):
    model = trained_looking_model(recipe=replace(RECIPE, model=PRIORS[prior]))
    model.quantise(quantised)
    coded = model(PICTURES, RATES)
    whole = (coded.hyper, *coded.residuals)
    assert all(torch.equal(values, values.round()) for values in whole)
    assert any(values.abs().max() > 1 for values in coded.residuals)
    rebuilt = model.decode(coded.hyper, coded.residuals, RATES)
    assert torch.allclose(rebuilt, coded.picture, atol=1e-4)


def test_other_whole_numbers_give_another_picture():
    model = trained_looking_model()
    coded = model(PICTURES, RATES)
    changed = [residual.clone() for residual in coded.residuals]
    changed[0][0, 0, 3, 3] += 1
    rebuilt = model.decode(coded.hyper, tuple(changed), RATES)
    assert (rebuilt[0] - coded.picture[0]).abs().max() > 1e-3
    assert torch.allclose(rebuilt[1], coded.picture[1], atol=1e-4)


def test_higher_rates_cost_more_and_give_more():
    model = trained_looking_model()
    points = [estimate(model, PICTURES[:1], rate) for rate in (0.0, 1.0, 2.0)]
    assert [point.bpp for point in points] == sorted(point.bpp for point in points)
    assert [point.psnr for point in points] == sorted(point.psnr for point in points)


def test_an_untrained_model_is_a_transform_codec_already():
    torch.manual_seed(0)
    model = LatentModel(MODEL, RATE).requires_grad_(False)
    model.fit(PICTURES)
    point = estimate(model, PICTURES[:1], 2.0)
    assert point.psnr > 28
    assert point.bpp < 3


@pytest.mark.parametrize("size", [(1, 1), (17, 90), (64, 64)])
def test_pictures_of_any_size_can_be_estimated(size):
    point = estimate(trained_looking_model(), torch.rand(1, 3, *size), 1.0)
    assert point.bpp > 0
    assert 5 < point.psnr < 100


@pytest.mark.parametrize("recipe", [ModelRecipe(), *PRIORS.values()])
def test_no_tensor_is_made_on_a_fixed_device(recipe):
    with torch.device("meta"):
        model = LatentModel(recipe, RateRecipe())
        pictures, rates = torch.empty(2, 3, 128, 64), torch.empty(2)
    for quantised in (False, True):
        model.quantise(quantised)
        coded = model(pictures, rates, noisy=True)
        assert coded.picture.shape == pictures.shape
        assert coded.bits.device.type == "meta"
        assert model.decode(coded.hyper, coded.residuals, rates).shape == pictures.shape


def test_the_decoder_s_network_starts_as_nothing():
    model = LatentModel(MODEL, RATE).requires_grad_(False)
    model.fit(PICTURES)
    with_network = model(PICTURES, RATES).picture
    model.correcting = False
    assert torch.equal(model(PICTURES, RATES).picture, with_network)
