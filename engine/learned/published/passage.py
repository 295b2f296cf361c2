"""Pictures through the float networks of an imported model, in tiles: bounded memory, the same result."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from engine.codec import Ctx
from engine.learned.published.architecture import LATENT_CELL, TILE, Shape
from engine.learned.published.networks import PublishedModel
from engine.learned.spans import computing, tiles_of


def model_of(shape: Shape, floats: Mapping[str, np.ndarray]) -> PublishedModel:
    """The model with these weights, for use and not for training."""
    with torch.device("meta"):
        model = PublishedModel(shape)
    tensors = {name: torch.from_numpy(array) for name, array in floats.items()}
    model.load_state_dict(tensors, assign=True)
    return model.eval().requires_grad_(False)


def analyse(model: PublishedModel, pixels: np.ndarray, ctx: Ctx) -> tuple[np.ndarray, np.ndarray]:
    """Latent H×W×M and hyper-latent h×w×N (of no positions where there is none), f32, of u8 pixels R, G, B, whose sides
    are multiples of the architecture's cell. On one thread, so that a file does not depend on their number."""
    architecture = model.shape.architecture
    height, width = pixels.shape[:2]
    latent = np.empty((height // LATENT_CELL, width // LATENT_CELL, model.shape.latent), np.float32)
    tiles = tiles_of((height, width), architecture.analysis_reach, TILE)
    with computing(1):
        for number, (rows, columns) in enumerate(tiles):
            ctx.check()
            picture = _to_tensor(pixels[rows.of(1), columns.of(1)].astype(np.float32) / np.float32(255))
            values = model.g_a(picture)[:, :, rows.inner(LATENT_CELL), columns.inner(LATENT_CELL)]
            latent[rows.part(LATENT_CELL), columns.part(LATENT_CELL)] = _to_array(values)
            ctx.progress((number + 1) / len(tiles))
        if not architecture.hyper:
            return latent, np.empty((0, 0, model.shape.latent), np.float32)
        ctx.check()
        return latent, _to_array(model.hyper_latent(_to_tensor(latent)))


def render(model: PublishedModel, latent: np.ndarray, ctx: Ctx) -> np.ndarray:
    """16H×16W×3 f32, 0…255 not clamped, of H×W×M f32. On one thread: pixels do not depend on their number."""
    architecture = model.shape.architecture
    size = latent.shape[0] * LATENT_CELL, latent.shape[1] * LATENT_CELL
    pixels = np.empty((*size, 3), np.float32)
    tiles = tiles_of(size, architecture.synthesis_reach * LATENT_CELL, TILE)
    with computing(1):
        for number, (rows, columns) in enumerate(tiles):
            ctx.check()
            values = _to_tensor(latent[rows.of(LATENT_CELL), columns.of(LATENT_CELL)])
            picture = model.g_s(values)[:, :, rows.inner(1), columns.inner(1)]
            pixels[rows.part(1), columns.part(1)] = _to_array(picture) * np.float32(255)
            ctx.progress((number + 1) / len(tiles))
    return pixels


def _to_tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).permute(2, 0, 1)[None]


def _to_array(values: Tensor) -> np.ndarray:
    array: np.ndarray = values[0].permute(1, 2, 0).numpy()
    return array
