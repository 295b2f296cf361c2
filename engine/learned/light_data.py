"""Lightmaps in memory, and patches of them to train on: stops (log2 of light), and which texels count.

A folder may hold folders: patches come from each of them equally often, from a map in proportion to the root of its
texels that count. OpenEXR, Radiance and the like hold light. Pictures of 8 bits are taken as light, too, as games of
old stored their lightmaps: their codes are proportional to light, and black is where no chart lies.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from engine import io, memory
from engine.carry import with_bits
from engine.charts import find_gutters
from engine.color import LINEAR_SRGB
from engine.errors import EngineError, UsageError
from engine.image import Image
from engine.learned.data import SUFFIXES, Draws, is_held_back
from engine.light import TOE, over_black, repaired
from engine.stops import covered, filled_stops, middle_of

LEAST_COVERED = 0.25  # of a patch's texels count, if so many can be found in …
TRIES = 8  # … that many places
GAIN, TINT = 2.0, 0.3  # stops by which patches are made brighter or darker, and their channels apart: deviations
MIDDLE = 1.0  # deviation, in stops, of a patch's zero from the mean of its map


@dataclass(frozen=True)
class LightMap:
    """stops: H×W×3 f32, filled where nothing counts. counts: H×W bool. group: the folder that it came from.
    middle: the mean of the stops that count, in whole quarters."""

    stops: np.ndarray
    counts: np.ndarray
    group: str = ""

    @property
    def middle(self) -> float:
        return middle_of(self.stops, self.counts)


@dataclass(frozen=True)
class LightMaps:
    """Maps to train on, and those held back for validation: no source is in both. folder: its name."""

    training: tuple[LightMap, ...]
    held_back: tuple[LightMap, ...]
    folder: str = ""


def load_light(folder: str | Path, *, threads: int = 1) -> LightMaps:
    """Every map of a folder and its folders. Maps whose names agree up to "__" are of one source and stay together.

    Raises an `EngineError` that names the file, `LimitExceeded` if they do not fit in memory.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise EngineError("is not a folder", path=folder)
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and ".mask" not in path.name)
    if not paths:
        raise EngineError("holds no maps to train on", path=folder, hint=f"looked for {', '.join(sorted(SUFFIXES))}")
    split: tuple[list[LightMap], list[LightMap]] = ([], [])
    with ThreadPoolExecutor(threads) as pool:
        taken = 0
        for path, read in zip(paths, pool.map(lambda path: read_map(path, folder), paths), strict=True):
            taken += read.stops.nbytes + read.counts.nbytes
            memory.require(taken, f"{folder}: holding its {len(paths)} maps")
            split[is_held_back(path.name.partition("__")[0])].append(read)
    if not split[False] or not split[True]:
        raise UsageError(f"{folder}: too few maps to train and to validate on", hint="one source in ten is held back")
    return LightMaps(tuple(split[False]), tuple(split[True]), folder.resolve().name)


def read_map(path: Path, root: Path) -> LightMap:
    """One map; its group is the folder below `root` that it lies in."""
    image = as_light(io.read(path).image, path.name)
    within = path.relative_to(root).parts
    return LightMap(filled_stops(image), covered(image), within[0] if len(within) > 1 else "")


def as_light(image: Image, name: str = "") -> Image:
    """Finite light without alpha, its gutters found where no mask says where they are.

    name: where a picture of whole numbers gets the random numbers from that take its steps away.
    """
    if not image.is_float:
        codes = with_bits(image, 8) if image.bits != 8 else image
        random = np.random.default_rng(zlib.crc32(name.encode()))
        dither = random.random((*image.pixels.shape[:2], 1), np.float32) - np.float32(0.5)
        shown = codes.colour_pixels.max(axis=2) > 0
        light = np.maximum(codes.colour_pixels.astype(np.float32) + dither, 0) / 255
        return Image(light * shown[:, :, None], LINEAR_SRGB, mask=shown if not shown.all() else None)
    mask = image.mask
    pixels, wrong = repaired(over_black(image).pixels)
    if mask is None and (gutters := find_gutters(pixels)) is not None:
        mask = ~gutters
    if wrong is not None:
        mask = ~wrong if mask is None else mask & ~wrong
    return Image(np.maximum(pixels, 0), image.color, mask=mask)


class LightPatches(Draws):
    """Random square patches, flipped, transposed, and lit otherwise. The same seed draws the same patches."""

    def __init__(self, maps: Sequence[LightMap], seed: int, device: torch.device | None = None) -> None:
        super().__init__(seed)
        self._maps = [
            (torch.tensor(each.stops, device=device), torch.tensor(each.counts, device=device), each.middle)
            for each in maps
        ]
        groups: dict[str, list[int]] = {}
        for number, each in enumerate(maps):
            groups.setdefault(each.group, []).append(number)
        weights = np.sqrt([float(each.counts.sum()) + 1 for each in maps])
        self._groups = [(np.array(numbers), weights[numbers] / weights[numbers].sum()) for numbers in groups.values()]

    def batch(self, count: int, side: int) -> Tensor:
        """count×4×side×side, channels last: R, G, B in stops from about the mean of the map; 1 where texels count."""
        return torch.stack([self._one(side) for _ in range(count)]).permute(0, 3, 1, 2)

    def _one(self, side: int) -> Tensor:
        random = self._random
        numbers, chances = self._groups[int(random.integers(len(self._groups)))]
        stops, counts, middle = self._maps[int(random.choice(numbers, p=chances))]
        for _ in range(TRIES):
            top, left = (int(random.integers(max(extent - side, 0) + 1)) for extent in counts.shape)
            here = slice(top, top + side), slice(left, left + side)
            if float(counts[here].float().mean()) >= LEAST_COVERED:
                break
        gain = random.normal(0, GAIN) + random.normal(0, TINT, 3)
        light = (torch.exp2(stops[here]) - TOE) * torch.tensor(np.exp2(gain), dtype=torch.float32, device=stops.device)
        zero = middle + float(gain.mean()) + random.normal(0, MIDDLE)
        patch = with_counts(torch.log2(light.clamp_min(0) + TOE) - zero, counts[here], side)
        return self._turned(patch)


def with_counts(stops: Tensor, counts: Tensor, side: int) -> Tensor:
    """side×side×4 of h×w×3 stops and h×w texels that count; smaller ones go on with their border, which counts not."""
    missing = [side - extent for extent in counts.shape]
    if max(missing) > 0:
        padding = (0, missing[1], 0, missing[0])
        stops = F.pad(stops.permute(2, 0, 1)[None], padding, mode="replicate")[0].permute(1, 2, 0)
        counts = F.pad(counts, padding)
    return torch.cat([stops, counts[:, :, None].to(stops.dtype)], 2)


def central_light(maps: Sequence[LightMap], count: int, side: int) -> Tensor:
    """Up to `count` of the maps, as many of each group as there are: of each map the patch that counts most, as from
    `LightPatches.batch`."""
    queues: dict[str, list[LightMap]] = {}
    for each in maps:
        queues.setdefault(each.group, []).append(each)
    in_turn = [each for row in zip_longest(*queues.values()) for each in row if each is not None]
    patches = []
    for each in in_turn[:count]:
        top, left = _fullest(each.counts, side)
        here = slice(top, top + side), slice(left, left + side)
        stops, counts = torch.tensor(each.stops[here]) - each.middle, torch.tensor(each.counts[here])
        patches.append(with_counts(stops, counts, side))
    return torch.stack(patches).permute(0, 3, 1, 2)


def _fullest(counts: np.ndarray, side: int) -> tuple[int, int]:
    """Where a square of that side, on a grid of half its side, has most texels that count."""
    places = [
        (top, left)
        for top in range(0, max(counts.shape[0] - side, 0) + 1, math.ceil(side / 2))
        for left in range(0, max(counts.shape[1] - side, 0) + 1, math.ceil(side / 2))
    ]
    return max(places, key=lambda at: float(counts[at[0] : at[0] + side, at[1] : at[1] + side].mean()))
