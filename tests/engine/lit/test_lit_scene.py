"""The rasteriser on triangles that can be worked out by hand, and the room against the light that was baked for it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.bake.bake import charts
from engine.bake.mesh import to_glb
from engine.bake.room import room
from engine.io import read
from engine.lit.albedo import Albedo
from engine.lit.camera import Camera
from engine.lit.flat import LightSource
from engine.lit.look import Lit
from engine.lit.mesh import Mesh, read_mesh, room_path
from engine.lit.scene import Seen
from engine.native import lit
from engine.samples import samples

RNG = np.random.default_rng(3)
TWO = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def flat(points: list[tuple[float, float]], width: int, height: int, w: list[float] | None = None) -> np.ndarray:
    """Clip coordinates of points in pixels, y downwards, at distances `w`."""
    far = np.ones(len(points)) if w is None else np.array(w)
    x, y = np.array(points, float).T
    return np.stack([(2 * x / width - 1) * far, (1 - 2 * y / height) * far, 0 * far, far], axis=1).astype(np.float32)


def drawn(clip: np.ndarray, triangles: np.ndarray, width: int, height: int, *, two_sided: bool = False) -> np.ndarray:
    sides = np.full(len(triangles), two_sided, np.uint8)
    return lit.cover(lit.ClippedMesh(clip, triangles, sides), 0.01, width, height)


def square(points: list[tuple[float, float, float]], uv: list[tuple[float, float]] | None = None) -> Mesh:
    places = np.array(uv or [(0, 1), (1, 1), (1, 0), (0, 0)], np.float32)
    white = np.ones((2, 3), np.float32)
    return Mesh(np.array(points, np.float32), TWO, places, places, white, np.zeros(2, np.uint8))


def test_a_triangle_covers_the_pixels_whose_middle_it_holds() -> None:
    clip = flat([(1.2, 6.8), (6.9, 6.8), (1.2, 0.9)], 8, 8)
    owner = drawn(clip, TWO[:1], 8, 8)
    for y in range(8):
        for x in range(8):
            inside = x + 0.5 > 1.2 and y + 0.5 < 6.8 and (x + 0.5 - 1.2) / 5.7 + (6.8 - y - 0.5) / 5.9 < 1
            assert (owner[y, x] == 0) == inside, (x, y)


def test_two_triangles_share_an_edge_without_a_gap_or_an_overlap() -> None:
    """A fan around the middle of a pixel, whose edges go through middles of others: each pixel is drawn by just one."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = [(8.5 + 7 * np.cos(a), 8.5 - 7 * np.sin(a)) for a in angles] + [(8.5, 8.5)]
    clip = flat(rim, 17, 17)
    fan = np.array([(24, n, (n + 1) % 24) for n in range(24)], np.int32)
    each = np.stack([drawn(clip, fan[n : n + 1], 17, 17) >= 0 for n in range(24)])
    whole = drawn(clip, fan, 17, 17) >= 0
    assert each.sum(axis=0).max() == 1
    assert np.array_equal(each.any(axis=0), whole)
    assert whole[4:13, 4:13].all()


def test_the_back_of_a_triangle_is_seen_only_if_it_has_two_sides() -> None:
    clip = flat([(1, 7), (1, 1), (7, 7)], 8, 8)  # clockwise
    assert not (drawn(clip, TWO[:1], 8, 8) >= 0).any()
    assert (drawn(clip, TWO[:1], 8, 8, two_sided=True) >= 0).any()


def test_the_nearer_triangle_is_seen_whatever_the_order() -> None:
    corners = [(0, 8), (8, 8), (8, 0)]
    clip = np.concatenate([flat(corners, 8, 8, [2, 2, 2]), flat(corners, 8, 8, [1, 1, 1])])
    for order in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        owner = drawn(clip, np.array(order, np.int32), 8, 8)
        assert set(owner[owner >= 0]) == {order.index([3, 4, 5])}


def test_what_lies_behind_the_eye_is_cut_off_and_the_rest_drawn() -> None:
    """A floor that goes from far before the eye to behind it fills the lower half."""
    mesh = square([(-50, -1, 50), (50, -1, 50), (50, -1, -50), (-50, -1, -50)])
    camera = Camera((0.0, 0.0, -1.0), 1.0, yaw=0.0, pitch=0.0, radius=50)
    owner = Seen(mesh, camera, 40, 40).owner
    assert (owner[22:] >= 0).all()
    assert (owner[:20] < 0).all()


def test_places_are_in_perspective_and_detail_is_that_of_neighbouring_pixels() -> None:
    mesh = square([(-3, -1, -2), (3, -1, -2), (3, 1, -9), (-3, 1, -9)])
    seen = Seen(mesh, Camera((0.0, 0.0, -5.0), 5.0, yaw=0.0, pitch=0.0, radius=5), 200, 160)
    uv, lod = seen.places("light_uv", (512, 256))
    ys, xs = np.nonzero(seen.owner >= 0)
    axes = seen.camera._axes()
    slope = np.tan(np.radians(22.5))
    for k in RNG.integers(0, len(ys), 60):
        y, x = ys[k], xs[k]
        ray = np.array([(2 * (x + 0.5) - 200) / 160 * slope, (160 - 2 * (y + 0.5)) / 160 * slope, -1.0]) @ axes
        # the plane through the corners: y = -1 + 2 v', z = -2 - 7 v', from the front edge to the far one
        share = (-1 * ray[2] + 2 * ray[1]) / -(2 * ray[2] + 7 * ray[1])
        t = (-1 + 2 * share) / ray[1] if abs(ray[1]) > abs(ray[2]) else (-2 - 7 * share) / ray[2]
        assert uv[y, x] == pytest.approx([(t * ray[0] + 3) / 6, 1 - share], abs=1e-4)
    inner = (seen.owner[60:100, 60:140] >= 0).all()
    assert inner
    part = uv[60:100, 60:140].astype(float) * (512, 256)
    steps = [np.hypot(*np.moveaxis(np.diff(part, axis=axis), 2, 0)) for axis in (0, 1)]
    wanted = np.log2(np.maximum(steps[0][:, :-1], steps[1][:-1]))
    assert lod[60:99, 60:139] == pytest.approx(wanted, abs=0.05)


def test_triangles_that_name_no_vertex_are_refused() -> None:
    with pytest.raises(ValueError, match="vertex"):
        lit.ClippedMesh(np.zeros((2, 4), np.float32), TWO[:1], np.zeros(1, np.uint8))


def test_vertices_that_lie_nowhere_draw_nothing() -> None:
    clip = flat([(0, 8), (8, 8), (8, 0)], 8, 8)
    for value in (np.nan, np.inf, -np.inf, 3e38, 0.0):
        broken = clip.copy()
        broken[1] = value
        assert drawn(broken, TWO[:1], 8, 8, two_sided=True).shape == (8, 8)


def test_the_camera_sees_the_whole_mesh_and_orbits_around_it() -> None:
    mesh = read_mesh(room_path())
    camera = Camera.seeing(mesh)
    for turned in (camera, camera.orbited(120, 20)):
        clip = turned.clip(mesh.positions, 300, 200)
        assert (clip[:, 3] > 0).all()
    clip = camera.clip(mesh.positions, 300, 200)
    assert (np.abs(clip[:, :2]) <= clip[:, 3:]).all()
    assert camera.orbited(0, 500).pitch == 89
    assert camera.zoomed(1e9).distance > 0 and camera.zoomed(1e-9).distance < 1e3
    assert camera.moved(0.1, 0).target != camera.target


def test_the_room_is_lit_by_the_light_that_was_baked_for_it() -> None:
    """From above, with nothing between: what is seen in the middle of the floor is the floor's light."""
    image = read(next(s.path for s in samples() if s.name == "room_lightmap")).image
    source, mesh = LightSource(image), read_mesh(room_path())
    seen = Seen(mesh, Camera((3.0, 0.0, -3.6), 2.0, yaw=0.0, pitch=89.0, radius=4), 64, 64)
    got = seen.light(source.texture, Lit(mips="off"), Albedo())[32, 32]
    floor = charts(room(), 512)[0]
    assert floor is not None
    x, y = floor.x + 3.0 / 6.0 * floor.width, floor.y + 3.6 / 4.5 * floor.height
    assert got == pytest.approx(image.pixels[int(y), int(x)], rel=0.25)
    half = seen.light(source.texture, Lit(mips="off"), Albedo(share=0.5))[32, 32]
    assert half == pytest.approx(0.5 * got)
    wood = seen.light(source.texture, Lit(mips="off"), Albedo(of_mesh=True))[32, 32]
    assert wood == pytest.approx(got * np.array((0.45, 0.28, 0.16)), rel=1e-4)


def test_the_bundled_mesh_is_that_of_the_room() -> None:
    scene = room()
    assert room_path().read_bytes() == to_glb(scene.surfaces, charts(scene, 512), 512)


def test_the_mesh_covers_the_charts_of_the_lightmap_and_nothing_else() -> None:
    """Drawn into the lightmap itself, the triangles cover just the texels that count."""
    image = read(next(s.path for s in samples() if s.name == "room_lightmap")).image
    mesh = read_mesh(room_path())
    x, y = mesh.light_uv.T.astype(float)
    clip = np.stack([2 * x - 1, 1 - 2 * y, 0 * x, 0 * x + 1], axis=1).astype(np.float32)
    covered = drawn(clip, mesh.triangles, 512, 512, two_sided=True) >= 0
    assert image.mask is not None
    assert not (covered & ~image.mask).any()
    assert (image.mask & ~covered).sum() < 200  # a disc of 48 sides is a little smaller than the disc
