"""Lightmaps as training data: masks, sources that stay together, patches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.color import LINEAR_SRGB
from engine.errors import UsageError
from engine.image import Image
from engine.io import write
from engine.learned.data import is_held_back
from engine.learned.light_data import LightMap, LightPatches, as_light, central_light, load_light
from engine.stops import filled_stops, light_of, middle_of, stops_of


def ramp(side: int, scale: float) -> Image:
    """Light that rises to the right; the left third is a gutter."""
    light = np.broadcast_to(np.linspace(0.01, 1, side, dtype=np.float32)[None, :, None] * scale, (side, side, 3)).copy()
    mask = np.ones((side, side), bool)
    mask[:, : side // 3] = False
    light[~mask] = 0
    return Image(light, LINEAR_SRGB, mask=mask)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(24):
        for view in range(2):
            write(tmp_path / f"room{number}__{view}.exr", ramp(48, 0.5 + number))
    return tmp_path


def test_stops_come_back_as_light_and_black_as_black() -> None:
    light = np.array([0, 1e-4, 0.5, 60000], np.float32)
    assert light_of(stops_of(light)) == pytest.approx(light, rel=1e-3, abs=1e-7)
    assert light_of(stops_of(np.zeros(1)))[0] == 0


def test_gutters_are_filled_with_the_stops_beside_them() -> None:
    image = ramp(48, 1)
    stops = filled_stops(image)
    assert (stops[image.mask] == stops_of(image.pixels)[image.mask]).all()
    assert stops.min() > -7  # black is at -10


def test_maps_of_one_source_are_never_split(folder: Path) -> None:
    maps = load_light(folder)
    held = sum(is_held_back(f"room{number}") for number in range(24))
    assert (len(maps.held_back), len(maps.training)) == (2 * held, 48 - 2 * held)
    assert not maps.training[0].counts.all()


def test_too_few_maps_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "one.exr", ramp(48, 1))
    with pytest.raises(UsageError, match="too few"):
        load_light(tmp_path)


def test_the_same_seed_draws_the_same_patches_and_goes_on_where_it_was(folder: Path) -> None:
    maps = load_light(folder).training
    first, again = LightPatches(maps, 3), LightPatches(maps, 3)
    patches = first.batch(3, 32)
    assert patches.shape == (3, 4, 32, 32)
    assert torch.equal(patches, again.batch(3, 32))
    again.state = first.state
    assert torch.equal(first.batch(2, 32), again.batch(2, 32))


def test_a_map_smaller_than_a_patch_goes_on_with_texels_that_do_not_count(folder: Path) -> None:
    patch = LightPatches(load_light(folder).training, 3).batch(1, 64)[0]
    assert float(patch[3].sum()) == 48 * 32
    assert torch.isfinite(patch).all()


def test_what_is_validated_on_is_the_fullest_part_of_every_group() -> None:
    stops = np.zeros((64, 128, 3), np.float32)
    counts = np.zeros((64, 128), bool)
    counts[:, 64:] = True
    stops[:, 64:] = 3
    maps = [LightMap(stops, counts, group) for group in "aab"]
    patches = central_light(maps, 2, 64)
    assert patches.shape == (2, 4, 64, 64)
    assert patches[:, 3].mean() == 1
    assert patches[:, :3].abs().max() == 0  # stops are from the mean of the map, in quarters
    assert middle_of(stops, counts) == 3


def test_eight_bits_are_light_without_steps_and_black_is_no_chart() -> None:
    codes = np.full((8, 8, 3), 40, np.uint8)
    codes[0] = 0
    image = as_light(Image(codes), "page")
    assert image.mask is not None and not image.mask[0].any() and image.mask[1:].all()
    assert len(np.unique(image.pixels[1:])) > 40
    assert image.pixels[1:].mean() == pytest.approx(40 / 255, rel=0.02)
