"""Many lightmaps, no two alike, to learn from: scenes by chance, each lit in several ways.

What takes long is what surfaces see of each other, and that does not depend on the lights: each light is baked by
itself, and the maps of one scene are sums of them in other colours and strengths. Bakers leave noise, or what is left
of it once it is smoothed: some maps get either, and single texels far too bright.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.bake.bake import Baking, Quality, as_image
from engine.bake.scenes import random_scene
from engine.image import Image
from engine.io import write

SIDES = (256, 256, 256, 512)
RELIT = 3  # maps of each scene
_GUTTERS = (1, 2, 2, 2, 4, 8)
_QUALITY = Quality(bounces=4, patch_rays=48, gather_rays=96, lights=0.5)


def bake_many(folder: Path, count: int, seed: int = 1) -> Iterator[Path]:
    """Bakes `count` scenes into `folder` as scene_SEED__NUMBER.exr but those that are there; gives the new files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(seed, seed + count):
        paths = [folder / f"scene_{number:04}__{n}.exr" for n in range(RELIT)]
        if all(path.exists() for path in paths):
            continue
        for path, image in zip(paths, varied_maps(number), strict=True):
            write(path, image)
            yield path


def varied_maps(seed: int, side: int | None = None) -> list[Image]:
    """`RELIT` lightmaps of one scene, half floats with their masks; the same seed gives the same maps."""
    rng = np.random.default_rng(seed)
    scene = random_scene(rng)
    side = side or int(rng.choice(SIDES))
    densities = list(2.0 ** rng.normal(0, 0.6, len(scene.surfaces)))
    gutter = min(int(rng.choice(_GUTTERS)), side // 32)
    baking = Baking(scene, side, _QUALITY, seed, gutter=gutter, densities=densities)
    grain = bool(rng.random() < 0.5)
    layers = [baking.light([light], grain=grain) for light in scene.lights]
    return [as_image(_relit(layers, baking.covered, rng), baking.covered) for _ in range(RELIT)]


def _relit(layers: list[np.ndarray], covered: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One map of the lights' own: exposed so that its median is somewhere between -7 and 2 stops, noise and all."""
    colours = 2.0 ** (rng.normal(0, 1.5, (len(layers), 1)) + rng.normal(0, 0.4, (len(layers), 3)))
    light = sum(layer * colour for layer, colour in zip(layers, colours, strict=True)) + np.zeros(3)
    lit = light[covered].max(axis=1)
    middle = float(np.median(lit[lit > 0])) if (lit > 0).any() else 1.0
    light = light * (2.0 ** rng.uniform(-7, 2) / max(middle, 1e-9))
    return np.minimum(light * _noise(covered, rng), 60000.0)


def _noise(covered: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """H×W×3 factors: none in half of all cases, else grain, which in turn is smoothed in half of them."""
    from scipy.ndimage import gaussian_filter

    if rng.random() < 0.5:
        return np.ones((*covered.shape, 3))
    grey = rng.normal(0, 1, (*covered.shape, 1)) * 0.9
    stops = grey + rng.normal(0, 0.4, (*covered.shape, 3))
    if rng.random() < 0.5:
        sigma = rng.uniform(0.6, 2.5)
        stops = gaussian_filter(stops, (sigma, sigma, 0)) * 2 * sigma
    stops *= 10 ** rng.uniform(-2.5, -0.7)
    if rng.random() < 0.2:
        stops += (rng.random((*covered.shape, 1)) < 3e-4) * rng.uniform(0.5, 3)  # fireflies
    return np.asarray(2.0**stops)
