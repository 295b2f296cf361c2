"""What a model learns to code: photographs or light. What they need of the trainer differs here, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from engine.learned.data import Patches, Photographs, central_patches, load_photographs
from engine.learned.evaluate import Point, estimate, estimate_light
from engine.learned.light_data import LightMaps, LightPatches, central_light, load_light
from engine.learned.light_loss import as_codes, light_cost
from engine.learned.loss import rate_distortion
from engine.learned.model import GRANULE, Coded, LatentModel
from engine.learned.recipe import LightRecipe, Recipe, TextureRecipe
from engine.learned.texture_loss import texture_cost

VALIDATION_SIDE = 256


class Batches(Protocol):
    """Draws patches; `state` is where its random numbers are."""

    state: str

    def batch(self, count: int, side: int) -> Tensor: ...


class Subject(Protocol):
    """Pictures to train and to validate on, B×C×H×W of which the first three channels are what a model takes, and what
    is wanted of a model's answer to them."""

    data: dict[str, object]
    """The name of the folder, and how many pictures there are."""
    patches: Batches

    def validation(self, count: int) -> Tensor: ...

    def cost(self, coded: Coded, batch: Tensor, lambdas: Tensor) -> Tensor: ...

    def estimate(self, model: LatentModel, picture: Tensor, rate: float) -> Point: ...


class OfPhotographs:
    """Photographs; squared errors of 8-bit values."""

    def __init__(self, photographs: Photographs, recipe: Recipe, device: torch.device) -> None:
        self._held_back = photographs.held_back
        counts = {"training": len(photographs.training), "held_back": len(photographs.held_back)}
        self.data = {"folder": photographs.folder, **counts}
        training = recipe.training
        self.patches: Batches = Patches(photographs.training, training.seed, training.downscale, device)

    def validation(self, count: int) -> Tensor:
        side = min(VALIDATION_SIDE, *(s for p in self._held_back for s in p.shape[:2])) // GRANULE * GRANULE
        return central_patches(self._held_back, count, side)

    def cost(self, coded: Coded, batch: Tensor, lambdas: Tensor) -> Tensor:
        return rate_distortion(coded, batch, lambdas)

    def estimate(self, model: LatentModel, picture: Tensor, rate: float) -> Point:
        return estimate(model, picture, rate)


class OfTextures(OfPhotographs):
    """Photographs; errors of pixels and of the statistics of texture. Adversaries are the training step's."""

    def __init__(self, photographs: Photographs, recipe: Recipe, texture: TextureRecipe, device: torch.device) -> None:
        super().__init__(photographs, recipe, device)
        self._texture = texture

    def cost(self, coded: Coded, batch: Tensor, lambdas: Tensor) -> Tensor:
        return texture_cost(coded, batch, lambdas, self._texture)

    def estimate(self, model: LatentModel, picture: Tensor, rate: float) -> Point:
        return estimate(model, picture, rate, self.cost)


class _LightBatches:
    """Patches whose stops are as networks take them."""

    def __init__(self, patches: LightPatches) -> None:
        self._patches = patches

    def batch(self, count: int, side: int) -> Tensor:
        return coded_patches(self._patches.batch(count, side))

    @property
    def state(self) -> str:
        return self._patches.state

    @state.setter
    def state(self, state: str) -> None:
        self._patches.state = state


class OfLight:
    """Lightmaps: R, G, B and which texels count; errors in stops."""

    def __init__(self, maps: LightMaps, recipe: Recipe, light: LightRecipe, device: torch.device) -> None:
        self._held_back, self._light = maps.held_back, light
        counts = {"training": len(maps.training), "held_back": len(maps.held_back)}
        self.data = {"folder": maps.folder, **counts}
        self.patches: Batches = _LightBatches(LightPatches(maps.training, recipe.training.seed, device))

    def validation(self, count: int) -> Tensor:
        return coded_patches(central_light(self._held_back, count, VALIDATION_SIDE))

    def cost(self, coded: Coded, batch: Tensor, lambdas: Tensor) -> Tensor:
        return light_cost(coded, batch, lambdas, self._light)

    def estimate(self, model: LatentModel, picture: Tensor, rate: float) -> Point:
        return estimate_light(model, picture, rate, self._light)


def load_subject(recipe: Recipe, folder: Path, device: torch.device, threads: int) -> Subject:
    """What the recipe learns from, read from `folder`. Raises an `EngineError` that names the file."""
    if recipe.light is not None:
        return OfLight(load_light(folder, threads=threads), recipe, recipe.light, device)
    side = max(recipe.training.patch, recipe.decay.patch)
    photographs = load_photographs(folder, min_side=side, threads=threads)
    if recipe.texture is not None:
        return OfTextures(photographs, recipe, recipe.texture, device)
    return OfPhotographs(photographs, recipe, device)


def coded_patches(patches: Tensor) -> Tensor:
    """B×4×H×W of stops and what counts, the stops as networks take them."""
    return torch.cat([as_codes(patches[:, :3]), patches[:, 3:]], 1).contiguous(memory_format=torch.channels_last)
