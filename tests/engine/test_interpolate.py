"""What lies between two pictures for a variational autoencoder, and what its prior draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import VAE_RECIPE, picture, tiny_vae_weights, trained_looking_model

from engine import io
from engine.cli import main
from engine.codec import Ctx
from engine.image import Image
from engine.interpolate import BetweenTask, DrawTask, fitted
from engine.learned.between import levels
from engine.learned.entropy import LOGISTIC
from engine.learned.layers import rate_weights
from engine.learned.model import LatentModel
from engine.learned.priors import VariationalPrior


@pytest.fixture(scope="module")
def model() -> LatentModel:
    return trained_looking_model(3, VAE_RECIPE)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tiny_vae_weights(tmp_path)
    monkeypatch.setenv("RATESCOPE_WEIGHTS", str(path))
    return path


def test_pictures_are_cut_to_one_size() -> None:
    first, second = fitted(Image(picture(0, 150)[:100]), Image(picture(1, 90)), 128)
    assert first.shape == second.shape == (64, 128, 3)
    assert fitted(Image(picture(0, 20)), Image(picture(1, 300)))[1].shape == (64, 64, 3)


def test_a_blend_begins_and_ends_with_the_two_pictures(weights: Path) -> None:
    first, second = picture(0, 128), picture(1, 128)
    ends = BetweenTask(first, second, (0.0, 0.5, 1.0), 100.0).run(Ctx())
    for shown, exact in ((ends[0], first), (ends[2], second)):
        assert (shown.pixels == exact).all()
        assert np.abs(shown.latents.astype(float) - exact).mean() < 12
    assert np.abs(ends[1].pixels - (first.astype(float) + second) / 2).max() <= 0.5


def test_a_blend_of_latents_keeps_contrast_that_one_of_pixels_loses(weights: Path) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (2, 128, 128, 3), np.uint8)
    middle = BetweenTask(noise[0], noise[1], (0.5,), 100.0).run(Ctx())[0]
    assert middle.latents.std() > 1.2 * middle.pixels.std() * (24 / 768) ** 0.5
    flat = BetweenTask(np.full_like(noise[0], 40), np.full_like(noise[0], 200), (0.5,), 100.0).run(Ctx())[0]
    assert flat.latents.mean() == pytest.approx(120, abs=12)


def test_three_functions_are_brightness_and_colour(model: LatentModel) -> None:
    assert int(levels(model).sum()) == 3


def test_draws_are_of_the_prior(model: LatentModel) -> None:
    prior = model.prior
    assert isinstance(prior, VariationalPrior)
    weights = rate_weights(torch.tensor([1.0]), model.rate.points)
    units = model.units(weights)
    drawn = prior.draw(torch.rand(2, 1, 24, 64, 64, generator=torch.Generator().manual_seed(1)), units, weights)
    believed = prior._prediction(prior.belief, units, weights)
    share = torch.cat([torch.zeros(1, 24, 1, 1), *believed.share.chunk(2, 1)]).softmax(0)
    scale = torch.stack(believed.log_scale.exp().chunk(3, 1))[:, 0]
    shift = torch.cat([torch.zeros(1, 24, 1, 1), *believed.shift.chunk(2, 1)])
    mean = (share * shift).sum(0)
    variance = (share * ((scale / LOGISTIC).square() + shift.square())).sum(0) - mean.square()
    assert torch.allclose(drawn.mean((0, 2, 3)), mean.flatten(), atol=float(0.08 * variance.max() ** 0.5))
    assert torch.allclose(drawn.var((0, 2, 3)), variance.flatten(), rtol=0.25)


def test_a_seed_gives_one_draw(weights: Path) -> None:
    drawn = [DrawTask(seed, 64, 50.0).run(Ctx()) for seed in (1, 1, 2)]
    assert drawn[0].shape == (64, 64, 3) and (drawn[0] == drawn[1]).all() and (drawn[0] != drawn[2]).any()


def test_the_command_writes_strips(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(2):
        io.write_png(tmp_path / f"{seed}.png", Image(picture(seed)))
    files = [str(tmp_path / f"{seed}.png") for seed in range(2)]
    out = tmp_path / "strip.png"
    assert main(["interpolate", *files, "--out", str(out), "--steps", "3", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["shares"] == [0, 0.5, 1] and (answer["width"], answer["height"]) == (200, 132)
    assert main(["interpolate", "--draw", "2", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["width"] == 516
    assert main(["interpolate", files[0], "--out", str(out)]) == 2
    assert main(["interpolate", *files, "--out", str(out), "--steps", "1"]) == 2
