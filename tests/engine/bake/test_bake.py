"""The baker against light that can be worked out by hand, and the bundled lightmap against the baker."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from engine.bake.atlas import GUTTER, pack
from engine.bake.bake import Baking, Quality, Scene, bake
from engine.bake.light import Glow, Sun
from engine.bake.room import room
from engine.bake.surfaces import Disc, Quad, Surface, Tube
from engine.bake.trace import blocked, nearest
from engine.bake.varied import RELIT, varied_maps
from engine.io import read
from engine.samples import samples

GREY = (0.5, 0.5, 0.5)
ROUGH = Quality(bounces=4, patch_rays=24, gather_rays=48, lights=0.25)


def inside_out_cube(albedo: float) -> tuple[Surface, ...]:
    """The six inner sides of a cube of one metre."""
    colour = (albedo, albedo, albedo)
    return (
        Quad((0, 0, 0), (1, 0, 0), (0, 1, 0), colour),
        Quad((0, 1, 1), (1, 0, 0), (0, -1, 0), colour),
        Quad((0, 0, 0), (0, 1, 0), (0, 0, 1), colour),
        Quad((1, 1, 0), (0, -1, 0), (0, 0, 1), colour),
        Quad((1, 0, 0), (-1, 0, 0), (0, 0, 1), colour),
        Quad((0, 1, 0), (1, 0, 0), (0, 0, 1), colour),
    )


def rays(*pairs: tuple[tuple, tuple]) -> tuple[np.ndarray, np.ndarray]:
    start, towards = (np.array(each, np.float32) for each in zip(*pairs, strict=True))
    return start, towards / np.linalg.norm(towards, axis=1, keepdims=True)


# --- surfaces -----------------------------------------------------------------------------------


QUAD = Quad((1, 2, 3), (2, 0, 0), (0, 0, 1.5), GREY)


@pytest.mark.parametrize("surface", [QUAD, Disc((1, 2, 3), 0.7, GREY), Tube((1, 2, 3), 0.4, 2, GREY)])
def test_a_ray_aimed_at_a_point_of_a_chart_hits_it_there(surface: Surface) -> None:
    rng = np.random.default_rng(4)
    u, v = (rng.random(200) * side for side in surface.size)
    u, v = u[surface.inside(u, v)], v[surface.inside(u, v)]
    points, normals = surface.at(u, v)
    distance, hit_u, hit_v = surface.hit((points + 0.3 * normals).astype(np.float32), -normals.astype(np.float32))
    assert distance == pytest.approx(np.full(len(u), 0.3), abs=1e-4)
    assert hit_u == pytest.approx(u, abs=1e-3)
    assert hit_v == pytest.approx(v, abs=1e-3)


def test_rays_pass_through_holes_and_beside_edges() -> None:
    wall = Quad((0, 0, 0), (2, 0, 0), (0, 0, 2), GREY, holes=((0.5, 0.5, 1.5, 1.5),))
    start, towards = rays(*(((x, 1, z), (0, -1, 0)) for x, z in ((0.2, 0.2), (1, 1), (2.1, 1), (1, -0.1))))
    assert np.isfinite(wall.hit(start, towards)[0]).tolist() == [True, False, False, False]


def test_what_lies_beyond_the_light_casts_no_shadow() -> None:
    wall = Quad((0, 0, 0), (2, 0, 0), (0, 0, 2), GREY)
    start, towards = rays(((1, 1, 1), (0, -1, 0)), ((1, 1, 1), (0, -1, 0)))
    assert blocked([wall], start, towards, np.array([0.9, 1.1], np.float32)).tolist() == [False, True]


def test_the_dark_side_of_a_surface_gives_no_light() -> None:
    wall = Quad((0, 0, 0), (2, 0, 0), (0, 0, 2), GREY)  # lit towards -y
    start, towards = rays(((1, 1, 1), (0, -1, 0)), ((1, -1, 1), (0, 1, 0)), ((1, 1, 1), (0, 1, 0)))
    assert nearest([wall], start, towards)[0].tolist() == [-1, 0, -1]


# --- light --------------------------------------------------------------------------------------


def test_the_sun_lights_by_the_cosine_and_casts_shadows() -> None:
    floor = Quad((0, 0, 0), (4, 0, 0), (0, 4, 0), (0.0, 0.0, 0.0))
    lid = Quad((0, 0, 1), (2, 0, 0), (0, 4, 0), GREY, charted=False)
    sun = Sun((0, 1e-6, 1), (3.0, 2.0, 1.0), radius=0.1, samples=8)
    slant = Sun((1, 0, 1), (3.0, 2.0, 1.0), radius=0.1, samples=8)
    straight = bake(Scene((floor, lid), (sun,)), 44, quality=ROUGH).pixels
    assert straight[20, 35] == pytest.approx([3, 2, 1], rel=2e-3)
    assert straight[20, 8] == pytest.approx([0, 0, 0])
    alone = bake(Scene((floor,), (slant,)), 44, quality=ROUGH).pixels
    assert alone[20, 20] == pytest.approx(np.array([3, 2, 1]) * math.sqrt(0.5), rel=5e-3)


def test_a_lamp_lights_as_its_form_factor_says() -> None:
    """A square metre one metre over the floor: the differential form factor of a parallel rectangle (Howell, B-3)."""
    floor = Quad((0, 0, 0), (0.1, 0, 0), (0, 0.1, 0), GREY)
    lamp = Glow(Quad((-0.45, -0.45, 1), (0, 1, 0), (1, 0, 0), GREY), (2.0, 2.0, 2.0), samples=256)
    a = 0.5 / math.sqrt(1.25)
    want = 2.0 * 4 / (2 * math.pi) * 2 * a * math.atan(a)
    got = bake(Scene((floor,), (lamp,)), 12, quality=Quality(bounces=0, patch_rays=4, gather_rays=4)).pixels
    assert got[6, 6, 0] == pytest.approx(want, rel=0.02)


def test_light_bounces_in_a_closed_room_as_the_geometric_series() -> None:
    """Where every wall receives 1 and reflects half of it, all light together is 1 / (1 - 0.5)."""
    from engine.bake.bake import _bounce

    reflected = _bounce(np.full((6, 3), 0.5), np.ones((6, 3)), np.array([[1, 2, 3, 4, 5, 0]] * 4), 40)
    assert reflected / 0.5 == pytest.approx(np.full((6, 3), 2.0))


def test_no_light_leaves_a_closed_room() -> None:
    lamp = Glow(Quad((0.3, 0.3, 0.99), (0, 0.4, 0), (0.4, 0, 0), GREY), (10.0, 10.0, 10.0))
    dark, bright = (bake(Scene(inside_out_cube(albedo), (lamp,)), 64, quality=ROUGH) for albedo in (0.0, 0.5))
    assert dark.mask is not None
    share = bright.pixels[dark.mask].mean() / dark.pixels[dark.mask].mean()
    assert share == pytest.approx(1 + 0.5 + 0.25 + 0.125 + 0.0625, rel=0.12)  # what four bounces add


def test_the_same_seed_gives_the_same_light() -> None:
    first, again = (bake(room(), 96, quality=ROUGH) for _ in range(2))
    assert first.digest == again.digest


# --- the atlas ----------------------------------------------------------------------------------


def test_charts_and_their_gutters_do_not_overlap_and_keep_their_proportions() -> None:
    sizes = [(3.0, 2.0), (1.0, 1.0), None, (0.5, 4.0), (2.0, 0.3)] * 5
    places = pack(sizes, 200)
    taken = np.zeros((200, 200), int)
    for place, size in zip(places, sizes, strict=True):
        assert (place is None) == (size is None)
        if place is not None and size is not None:
            assert place.width / place.height == pytest.approx(size[0] / size[1], rel=0.25)
            assert min(place.x, place.y) >= GUTTER
            taken[
                place.y - GUTTER : place.y + place.height + GUTTER, place.x - GUTTER : place.x + place.width + GUTTER
            ] += 1
    assert taken.max() == 1
    assert (taken > 0).mean() > 0.6


def test_charts_that_cannot_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        pack([(1.0, 1.0)] * 100, 16)


def test_gutters_repeat_the_light_beside_them_and_do_not_count() -> None:
    floor = Quad((0, 0, 0), (1, 0, 0), (0, 1, 0), GREY)
    image = bake(Scene((floor,), (Sun((0, 1e-6, 1), (3.0, 2.0, 1.0)),)), 24, quality=ROUGH)
    assert image.mask is not None
    assert image.mask.sum() == 20 * 20
    assert (image.pixels[1, 5:15] == image.pixels[2, 5:15]).all()
    assert not image.mask[1].any()


# --- the bundled lightmap -----------------------------------------------------------------------


def test_the_bundled_lightmap_is_the_room() -> None:
    """At a quarter of its size and with few rays; the charts lie elsewhere, so only their light is compared."""
    stored = read(next(s.path for s in samples() if s.name == "room_lightmap")).image
    small = bake(room(), 128, quality=ROUGH)
    assert stored.mask is not None and small.mask is not None
    assert (stored.width, stored.height, stored.is_float) == (512, 512, True)
    for image in (stored, small):
        assert np.isfinite(image.pixels).all()
        assert (image.pixels >= 0).all()
    means = [image.pixels[image.mask].mean(axis=0) for image in (stored, small)]
    assert means[0] == pytest.approx(means[1], rel=0.15)
    lit = stored.pixels[stored.mask].max(axis=1)
    assert math.log2(np.quantile(lit, 0.99) / np.quantile(lit, 0.01)) > 8  # stops


# --- many lightmaps -----------------------------------------------------------------------------


def test_scenes_by_chance_differ_and_the_same_seed_bakes_the_same_maps(tmp_path: Path) -> None:
    maps = varied_maps(15, 48)
    assert len({image.digest for image in maps}) == RELIT
    assert [image.digest for image in varied_maps(15, 48)] == [image.digest for image in maps]
    for image in maps:
        assert image.mask is not None and np.isfinite(image.pixels).all() and (image.pixels >= 0).all()
        assert image.pixels[image.mask].max() > 0


def test_the_light_of_lamps_adds_up() -> None:
    lamp = Glow(Quad((0.3, 0.3, 0.99), (0, 0.4, 0), (0.4, 0, 0), GREY), (10.0, 10.0, 10.0))
    sun = Sun((0, 1e-6, 1), (3.0, 2.0, 1.0))
    baking = Baking(Scene(inside_out_cube(0.5), (lamp, sun)), 48, ROUGH, 1)
    apart = baking.light([lamp]) + baking.light([sun])
    assert baking.light([lamp, sun]) == pytest.approx(apart, rel=1e-9)


def test_wider_gutters_and_other_densities_lay_charts_out_otherwise() -> None:
    sizes = [(1.0, 1.0)] * 4
    places = [place for place in pack(sizes, 64, 8) if place is not None]
    assert min(place.x for place in places) == 8
    floor = inside_out_cube(0.5)
    even, odd = (Baking(Scene(floor, ()), 96, ROUGH, 1, densities=d) for d in (None, (3, 1, 1, 1, 1, 1)))
    assert even.covered.sum() != odd.covered.sum()
