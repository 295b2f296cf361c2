"""A small model and small pictures, for tests that train."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from engine.learned import stored
from engine.learned.codebooks import fit_books
from engine.learned.data import Photographs
from engine.learned.export import export
from engine.learned.freeze import freeze
from engine.learned.light_data import LightMap, LightMaps
from engine.learned.model import LatentModel
from engine.learned.priors import HyperPrior
from engine.learned.recipe import (
    VECTORS,
    DecayRecipe,
    LightRecipe,
    ModelRecipe,
    RateRecipe,
    Recipe,
    TextureRecipe,
    TrainingRecipe,
)
from engine.learned.vector_prior import VectorPrior, thawed_books
from engine.learned.warm import build_on

MODEL = ModelRecipe(
    channels=24,
    slices=(6, 18),
    hyper_channels=4,
    hyper_width=8,
    context_width=8,
    anchor_width=8,
    synthesis_widths=(8, 8, 8),
    synthesis_blocks=(1, 1, 1),
)
RATE = RateRecipe(points=3)
TRAINING = TrainingRecipe(batch=2, patch=64, learning_rate=1e-3, table_rate=5e-3, warmup_steps=2, static_steps=4)
RECIPE = Recipe(MODEL, RATE, TRAINING, DecayRecipe(batch=2, patch=64))


PRIORS = {
    "checkerboard": MODEL,
    "at once": replace(MODEL, context="nothing"),
    "scales": replace(MODEL, context="nothing", slices=(24,), means=False),
    "raster": replace(MODEL, context="raster"),
    "static": replace(MODEL, prior="static", slices=(24,), hyper_channels=0),
    "static mixtures": replace(MODEL, prior="static", slices=(24,), hyper_channels=0, mixtures=3),
    "variational": replace(MODEL, prior="variational", slices=(24,), hyper_channels=0, means=False, mixtures=3),
    "mixtures": replace(MODEL, mixtures=3, attention=True),
    "mixtures of scales": replace(MODEL, context="nothing", means=False, mixtures=2),
    "static mixtures by cost": replace(
        MODEL, prior="static", slices=(24,), hyper_channels=0, mixtures=3, squared_step_bits=12.0
    ),
    "vectors": replace(MODEL, prior="vectors", vectors=(1, 3), codes=(48, 64), books=5, hyper_channels=0),
}

EXACT = 1000  # guesses of coefficients: until they no longer change

LIGHT_MODEL = replace(
    MODEL,
    channels=768,
    slices=(6, 18, 744),
    seen=24,
    last_context_width=6,
    last_anchor_width=4,
    learned_transform=False,
)
LIGHT_RATE = RateRecipe(points=3, lambda_low=1e-3, lambda_high=30.0)
LIGHT_RECIPE = replace(RECIPE, model=LIGHT_MODEL, rate=LIGHT_RATE, light=LightRecipe())

GAN_RECIPE = replace(
    RECIPE,
    model=replace(MODEL, plausible=True),
    training=replace(TRAINING, trains="plausible", static_steps=0),
    codec="gan",
    backbone="hyperprior",
    texture=TextureRecipe(critic_width=4, ramp_steps=2, highest_rate=1.5),
)


def picture(seed: int, side: int = 96) -> np.ndarray:
    """A smooth picture with edges and a little noise, side×side×3 u8."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] / side
    waves = [np.sin(2 * np.pi * (random.uniform(0.5, 3) * rows + random.uniform(0.5, 3) * columns)) for _ in range(3)]
    edge = (rows + random.uniform(-1, 1) * columns > 0.5)[:, :, None]
    values = 128 + 50 * np.stack(waves, 2) + 40 * edge + random.normal(0, 3, (side, side, 3))
    return values.clip(0, 255).astype(np.uint8)


def photographs() -> Photographs:
    return Photographs(tuple(picture(seed) for seed in range(6)), (picture(90), picture(91)))


def tensor(*pictures: np.ndarray) -> torch.Tensor:
    """B×3×H×W in 0…1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def light_maps() -> LightMaps:
    """Pictures as stops around -2, of which the left quarter does not count."""
    counts = np.ones((96, 96), bool)
    counts[:, :24] = False
    maps = [LightMap(picture(seed).astype(np.float32) / 64 - 4, counts) for seed in (0, 1, 2, 3, 90)]
    return LightMaps(tuple(maps[:4]), tuple(maps[4:]))


def trained_looking_model(seed: int = 0, recipe: Recipe = RECIPE) -> LatentModel:
    """A model in which every part has a say, as after training: nothing is at zero."""
    torch.manual_seed(seed)
    model = LatentModel(recipe.model, recipe.rate)
    pictures = tensor(*(picture(seed) for seed in range(4)))[..., :64, :64]
    model.fit(pictures)
    if recipe.model.prior == VECTORS:
        fit_books(model, iter([pictures]))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith(("transform", "prior.chances")) and name != "log_gain.table":
                parameter.add_(0.02 * torch.randn_like(parameter))
        if isinstance(model.prior, HyperPrior):
            for context in model.prior.contexts():
                context.guesses = EXACT
                for head in context.heads():
                    head.weight.mul_(10)
        elif isinstance(model.prior, VectorPrior):  # codebooks as files have them
            model.prior.load_state_dict(thawed_books(recipe.model, freeze(model)))
    return model.eval().requires_grad_(False)


def tiny_weights(folder: Path, seed: int = 0) -> Path:
    """A weights file of `trained_looking_model`, with its card."""
    path = folder / "hyperprior.safetensors"
    export(trained_looking_model(seed).state_dict(), {"recipe": RECIPE.to_dict()}, path)
    return path


def tiny_light_weights(folder: Path, seed: int = 0) -> Path:
    """The same for light; its decoder's network says little, as high rates of light are exact."""
    path = folder / "lightmap-ae.safetensors"
    model = trained_looking_model(seed, LIGHT_RECIPE)
    for parameter in model.synthesis.leave.parameters():
        parameter.mul_(0.01)
    export(model.state_dict(), {"recipe": LIGHT_RECIPE.to_dict()}, path)
    return path


def tiny_gan_weights(parent: Path, seed: int = 1) -> Path:
    """Weights with a second decoder, on those of `tiny_weights`, which have to be installed."""
    path, content = parent.with_name("gan.safetensors"), stored.read(parent)
    model = LatentModel(GAN_RECIPE.model, GAN_RECIPE.rate)
    build_on(model, content)
    assert model.plausible is not None
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.plausible.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    backbone = {"codec": content.architecture, "digest": content.digest}
    export(model.state_dict(), {"recipe": GAN_RECIPE.to_dict(), "backbone": backbone}, path)
    return path


VAE_RECIPE = replace(RECIPE, model=PRIORS["variational"], codec="vae")


def tiny_vae_weights(folder: Path) -> Path:
    """The same of a variational autoencoder."""
    path = folder / "vae.safetensors"
    export(trained_looking_model(3, VAE_RECIPE).state_dict(), {"recipe": VAE_RECIPE.to_dict()}, path)
    return path
