"""From a scene to a lightmap: texels of every chart, direct light, bounces, one atlas with gutters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.bake.atlas import GUTTER, Place, pack
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


class Baking:
    """A scene laid out as a side × side atlas, with what its surfaces see of each other: light can be baked for it time
    and again, each light by itself, too, as light adds up.

    gutter: texels around each chart. densities: texels per metre of each surface, relative to the others'.
    """

    def __init__(
        self,
        scene: Scene,
        side: int,
        quality: Quality,
        seed: int,
        *,
        gutter: int = GUTTER,
        densities: Sequence[float] | None = None,
    ) -> None:
        self.side, self._scene, self._quality, self._seed = side, scene, quality, seed
        sizes = _chart_sizes(scene.surfaces, densities)
        self._places = pack(sizes, side, gutter)
        self._fine, self._coarse, self._middle = (Grid(scene.surfaces, self._places, n) for n in (1, COARSE, GATHER))
        self._table = _seen(self._coarse, self._coarse, quality.patch_rays, seed)
        self._gathered = _seen(self._coarse, self._middle, quality.gather_rays, seed + 1)
        self.covered = np.zeros((side, side), bool)
        for number, here in self._charts():
            self.covered[here] = self._fine.chart(self._fine.valid, number)

    def light(self, lights: Sequence[Light], *, grain: bool = False) -> np.ndarray:
        """side×side×3 f64: what comes of these lights, 0 outside of charts. grain: as for `trace.direct`."""
        lights = [_with_samples(light, self._quality.lights) for light in lights]
        shift = np.random.default_rng(self._seed).random((int(self._fine.valid.sum()), 2)) if grain else None
        straight = _masked(self._fine, direct(self._scene.surfaces, lights, _valid(self._fine), shift))
        received = _on_patches(self._fine, self._coarse, straight)
        reflected = _bounce(_albedo(self._coarse), received, self._table, self._quality.bounces)
        gathered = _mean_of(reflected, self._gathered)
        atlas = np.zeros((self.side, self.side, 3))
        middle = self._middle
        for number, here in self._charts():
            inside = self._fine.chart(self._fine.valid, number)
            indirect = _smoothed(middle.chart(gathered, number), middle.chart(middle.valid, number))
            both = self._fine.chart(straight, number) + _enlarged(indirect, inside.shape)
            atlas[here] = both * inside[:, :, None]
        return atlas

    def _charts(self) -> Iterator[tuple[int, tuple[slice, slice]]]:
        """Numbers of the charted surfaces, and where their charts lie in the atlas."""
        for number, place in enumerate(self._places):
            if place is not None:
                yield number, (slice(place.y, place.y + place.height), slice(place.x, place.x + place.width))


def bake(scene: Scene, side: int, *, quality: Quality | None = None, seed: int = 1) -> Image:
    """A side × side lightmap of linear light as half floats hold it, its mask where charts are; same seed, same light.

    Gutters of two texels around each chart repeat its nearest light; beyond them it is black.
    """
    baking = Baking(scene, side, quality or Quality(), seed)
    return as_image(baking.light(scene.lights), baking.covered)


def charts(scene: Scene, side: int) -> list[Place | None]:
    """Where `bake` puts the chart of each surface; None for those without."""
    return pack(_chart_sizes(scene.surfaces, None), side, GUTTER)


def as_image(light: np.ndarray, covered: np.ndarray) -> Image:
    """H×W×3 light as half floats hold it, with gutters filled and what is `covered` as its mask."""
    return Image(_with_gutters(light, covered).astype(np.float16).astype(np.float32), LINEAR_SRGB, mask=covered)


def _chart_sizes(surfaces: Sequence[Surface], densities: Sequence[float] | None) -> list[tuple[float, float] | None]:
    """Width and height of each surface's chart, in metres at the usual density; None where there is no chart."""
    sizes: list[tuple[float, float] | None] = []
    for number, surface in enumerate(surfaces):
        width, height = surface.size
        density = densities[number] if densities is not None else 1.0
        sizes.append((width * density, height * density) if surface.charted else None)
    return sizes


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

    far, nearest_covered = distance_transform_edt(~covered, return_indices=True)
    return np.where((far <= GUTTER)[:, :, None], atlas[tuple(nearest_covered)], 0.0)
