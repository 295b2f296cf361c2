"""From a scene to a lightmap: texels of every chart, direct light, bounces, one atlas with gutters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.bake.atlas import Place, pack
from engine.bake.light import Light
from engine.bake.surfaces import EPSILON, Surface
from engine.bake.trace import Points, around, direct, nearest
from engine.color import LINEAR_SRGB
from engine.image import Image

COARSE, GATHER = 4, 2  # texels a side of a patch, and of a point of the final gather


@dataclass(frozen=True)
class Scene:
    """surfaces and lights; the surfaces of a lamp are not among them."""

    surfaces: tuple[Surface, ...]
    lights: tuple[Light, ...]


@dataclass(frozen=True)
class Quality:
    """bounces of light; rays for each patch, and for each point of the final gather; share of the lights' samples."""

    bounces: int = 8
    patch_rays: int = 96
    gather_rays: int = 384
    lights: float = 1.0


class Grid:
    """Every charted surface as texels of one size. places: where each chart lies in the atlas; None for the others."""

    def __init__(self, surfaces: Sequence[Surface], places: Sequence[Place | None], step: int) -> None:
        self.surfaces, self.step = surfaces, step
        self.shapes = [(-(-p.height // step), -(-p.width // step)) if p else (0, 0) for p in places]
        self.starts = np.concatenate([[0], np.cumsum([rows * columns for rows, columns in self.shapes])])
        parts = [self._points(n) for n in range(len(surfaces)) if self.shapes[n][0]]
        self.points = Points(*(np.concatenate([part[k] for part in parts]) for k in range(3)))
        self.uv = tuple(np.concatenate([part[k] for part in parts]) for k in (3, 4))
        self.valid = np.concatenate([part[5] for part in parts])

    def _points(self, number: int) -> tuple[np.ndarray, ...]:
        (rows, columns), surface = self.shapes[number], self.surfaces[number]
        width, height = surface.size
        u = np.tile((np.arange(columns) + 0.5) * width / columns, rows)
        v = np.repeat((np.arange(rows) + 0.5) * height / rows, columns)
        place, normal = surface.at(u, v)
        return place, normal, np.full(len(u), number), u, v, surface.inside(u, v)

    def index(self, owner: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The texel at (u, v) of a surface each; -1 where there is no surface, or it has no chart."""
        sizes = np.array([surface.size for surface in self.surfaces] + [(1.0, 1.0)])
        shapes = np.array([*self.shapes, (0, 0)])
        rows, columns = shapes[owner].T
        row = np.clip((v / sizes[owner, 1] * rows).astype(int), 0, np.maximum(rows - 1, 0))
        column = np.clip((u / sizes[owner, 0] * columns).astype(int), 0, np.maximum(columns - 1, 0))
        return np.where((owner >= 0) & (rows > 0), self.starts[owner] + row * columns + column, -1)

    def chart(self, values: np.ndarray, number: int) -> np.ndarray:
        """Rows × columns (× 3) of `values` for one surface."""
        rows, columns = self.shapes[number]
        return values[self.starts[number] : self.starts[number + 1]].reshape(rows, columns, *values.shape[1:])


def bake(scene: Scene, side: int, *, quality: Quality | None = None, seed: int = 1) -> Image:
    """A side × side lightmap of linear light as half floats hold it, its mask where charts are; same seed, same light.

    Gutters of two texels around each chart repeat its nearest light; beyond them it is black.
    """
    quality = quality or Quality()
    lights = [_with_samples(light, quality.lights) for light in scene.lights]
    places = pack([surface.size if surface.charted else None for surface in scene.surfaces], side)
    fine, coarse, middle = (Grid(scene.surfaces, places, step) for step in (1, COARSE, GATHER))
    straight = _masked(fine, direct(scene.surfaces, lights, _valid(fine)))
    received = _on_patches(fine, coarse, straight)
    table = _seen(coarse, coarse, quality.patch_rays, seed)
    reflected = _bounce(_albedo(coarse), received, table, quality.bounces)
    gathered = _mean_of(reflected, _seen(coarse, middle, quality.gather_rays, seed + 1))
    atlas, covered = np.zeros((side, side, 3)), np.zeros((side, side), bool)
    for number, place in enumerate(places):
        if place is None:
            continue
        rows, columns = slice(place.y, place.y + place.height), slice(place.x, place.x + place.width)
        inside = fine.chart(fine.valid, number)
        indirect = _smoothed(middle.chart(gathered, number), middle.chart(middle.valid, number))
        light = fine.chart(straight, number) + _enlarged(indirect, inside.shape)
        atlas[rows, columns] = light * inside[:, :, None]
        covered[rows, columns] = inside
    light = _with_gutters(atlas, covered).astype(np.float16).astype(np.float32)
    return Image(light, LINEAR_SRGB, mask=covered)


def _with_samples(light: Light, share: float) -> Light:
    return replace(light, samples=max(4, round(light.samples * share)))


def _valid(grid: Grid) -> Points:
    points = grid.points
    return Points(points.place[grid.valid], points.normal[grid.valid], points.owner[grid.valid])


def _masked(grid: Grid, values: np.ndarray) -> np.ndarray:
    out = np.zeros((len(grid.valid), 3))
    out[grid.valid] = values
    return out


def _albedo(grid: Grid) -> np.ndarray:
    colours = np.array([surface.albedo for surface in grid.surfaces])
    return colours[grid.points.owner]


def _on_patches(fine: Grid, coarse: Grid, light: np.ndarray) -> np.ndarray:
    """P×3: the mean light of the texels of each coarse patch."""
    home = coarse.index(fine.points.owner, *fine.uv)
    count = np.maximum(np.bincount(home, fine.valid, len(coarse.valid)), 1)
    return np.stack([np.bincount(home, light[:, c], len(count)) / count for c in range(3)], axis=1)


def _bounce(albedo: np.ndarray, received: np.ndarray, table: np.ndarray, bounces: int) -> np.ndarray:
    """P×3: the radiance that each coarse patch reflects, after all bounces."""
    reflected = albedo * received
    for _ in range(bounces):
        reflected = albedo * (received + _mean_of(reflected, table))
    return reflected


def _seen(coarse: Grid, grid: Grid, rays: int, seed: int) -> np.ndarray:
    """rays × points: the coarse patch that each ray from a point meets first; -1 for none."""
    points = grid.points
    start = (points.place + 2 * EPSILON * points.normal).astype(np.float32)
    table = np.empty((rays, len(start)), np.int32)
    for index, towards in enumerate(around(points, rays, seed)):
        table[index] = coarse.index(*nearest(coarse.surfaces, start, towards))
    return table


def _mean_of(values: np.ndarray, table: np.ndarray) -> np.ndarray:
    padded = np.concatenate([values, np.zeros((1, 3))])  # -1 reads the last row
    total = np.zeros((table.shape[1], 3))
    for row in table:
        total += padded[row]
    return total / len(table)


def _smoothed(chart: np.ndarray, inside: np.ndarray, sigma: float = 1.6) -> np.ndarray:
    """What several hundred rays left of noise blurred away, without mixing in what lies outside of the chart."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    weight = gaussian_filter(inside.astype(float), sigma, mode="nearest")
    blurred = np.stack([gaussian_filter(chart[:, :, c] * inside, sigma, mode="nearest") for c in range(3)], axis=2)
    smooth = blurred / np.maximum(weight, 1e-6)[:, :, None]
    rows, columns = distance_transform_edt(~inside, return_distances=False, return_indices=True)
    return smooth[rows, columns]


def _enlarged(chart: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    from scipy.ndimage import map_coordinates

    rows, columns = (
        (np.arange(size) + 0.5) * small / size - 0.5 for size, small in zip(shape, chart.shape[:2], strict=True)
    )
    places = np.meshgrid(rows, columns, indexing="ij")
    return np.stack([map_coordinates(chart[:, :, c], places, order=1, mode="nearest") for c in range(3)], axis=2)


def _with_gutters(atlas: np.ndarray, covered: np.ndarray) -> np.ndarray:
    from scipy.ndimage import distance_transform_edt

    from engine.bake.atlas import GUTTER

    far, nearest_covered = distance_transform_edt(~covered, return_indices=True)
    return np.where((far <= GUTTER)[:, :, None], atlas[tuple(nearest_covered)], 0.0)
