"""Learning the filters of `lightmap-multiscale`: least squares over patches that its own coder has quantised.

A step takes a patch of a lightmap, codes it with a random quantisation step, and adds what every class of places has to
say to that class's normal equations; texels that do not count are left out. Each patch weighs by its own error, so all
rates count alike. The equations are solved at the end: there is no learning rate, and no state but their sums.
"""

from __future__ import annotations

import hashlib
import math
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from engine.codec import Ctx
from engine.codecs import colour_axes, light_filters, wavelet_planes
from engine.codecs.light_filters import CHROMA, CLASSES, LOOSE, LUMA, TIGHT, Scale
from engine.codecs.wavelet_planes import Plane, Steps
from engine.errors import UsageError
from engine.files import atomic_write, make_folder
from engine.learned.card import LICENCE, write_card
from engine.learned.light_data import LightMap, LightMaps, LightPatches, load_light
from engine.learned.recipe import FILTERS
from engine.learned.train import asked_to_end
from engine.native import wavelet as native
from engine.native.light import PAIRS, WEIGHTS
from engine.store import processor

TENSOR = "filters"  # 2×CLASSES×WEIGHTS
WEIGHTS_FILE = "weights.safetensors"
SECTION = "filters"
UNIT = 1024.0  # of planes, to a stop
_LEAST_ERROR = 0.02  # of the expected error's square: a patch that is coded better than that weighs no more


@dataclass(frozen=True)
class FilterRecipe:
    """patches, patch: how many are learned from, and their side. lowest_step, highest_step: in stops. ridge: what is
    added to the diagonal of the normal equations, in texels."""

    patches: int = 3000
    patch: int = 128
    lowest_step: float = 0.06
    highest_step: float = 5.0
    ridge: float = 50.0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.patches < 1 or self.patch < 32 or not 0 < self.lowest_step < self.highest_step or self.ridge <= 0:
            raise UsageError("filters need patches of 32 texels or more, 0 < lowest_step < highest_step, and a ridge")


def read_filter_recipe(path: Path) -> FilterRecipe | None:
    """The recipe in a TOML file if it is one for filters, else None. Raises an `EngineError` that names the file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None  # whoever reads it as a recipe of networks says what is wrong
    if SECTION not in content:
        return None
    known = {entry.name: entry.type for entry in fields(FilterRecipe)}
    given: dict[str, Any] = content[SECTION] if isinstance(content[SECTION], dict) else {"": None}
    for name, value in given.items():
        if name not in known or type(value) not in (int, float):
            raise UsageError(f"unknown entry '{name}' in section '{SECTION}', or not a number", path=path)
    defaults = asdict(FilterRecipe())
    return FilterRecipe(**{name: type(defaults[name])(value) for name, value in given.items()})


@dataclass
class Equations:
    """Sums over texels, of luma and of chroma, by class: of products of features, of features and errors, of errors."""

    products: np.ndarray = field(default_factory=lambda: np.zeros((2, CLASSES, WEIGHTS, WEIGHTS)))
    targets: np.ndarray = field(default_factory=lambda: np.zeros((2, CLASSES, WEIGHTS)))
    errors: np.ndarray = field(default_factory=lambda: np.zeros((2, CLASSES)))

    def add(
        self, original: Sequence[np.ndarray], decoded: Sequence[np.ndarray], counts: np.ndarray, step: float
    ) -> None:
        """One patch: planes of H×W f32 as they were and as they are decoded, what counts, the step in stops."""
        scale = Scale.of(step)
        numbers = light_filters.classes(decoded[0], scale, UNIT)[counts]
        error = scale.error * UNIT
        for number, (was, now) in enumerate(zip(original, decoded, strict=True)):
            wrong = ((was - now) / error)[counts].astype(np.float64)
            weight = 1 / max(float(np.mean(np.square(wrong))), _LEAST_ERROR)
            seen = features(now / error)[:, counts].astype(np.float64)
            kind = CHROMA if number else LUMA
            for each in np.unique(numbers):
                here = numbers == each
                some, missing = seen[:, here], wrong[here]
                self.products[kind, each] += weight * (some @ some.T)
                self.targets[kind, each] += weight * (some @ missing)
                self.errors[kind, each] += weight * (missing @ missing)

    def solved(self, ridge: float) -> np.ndarray:
        """2×CLASSES×WEIGHTS f32: the weights of least error, near zero where little was seen."""
        lot = self.products + ridge * np.eye(WEIGHTS)
        return np.linalg.solve(lot, self.targets[..., None])[..., 0].astype(np.float32)

    def gain(self, weights: np.ndarray) -> float:
        """How many dB less error planes have with these weights, in the mean over all patches."""
        spared = 2 * np.sum(weights * self.targets) - np.einsum("kcf,kcfg,kcg", weights, self.products, weights)
        return float(-10 * np.log10(1 - spared / self.errors.sum()))


def features(plane: np.ndarray) -> np.ndarray:
    """WEIGHTS×H×W f32 of a plane in expected errors: what each weight of `engine.native.light.correction` stands at."""
    height, width = plane.shape
    reach = max(max(abs(dy), abs(dx)) for dy, dx in PAIRS)
    padded = np.pad(plane, reach, mode="edge")
    out = np.empty((WEIGHTS, height, width), np.float32)
    for number, (dy, dx) in enumerate(PAIRS):
        one, other = (
            padded[reach + y : reach + y + height, reach + x : reach + x + width] - plane
            for y, x in ((dy, dx), (-dy, -dx))
        )
        for offset, most in enumerate((TIGHT, LOOSE)):
            out[2 * number + offset] = one.clip(-most, most) + other.clip(-most, most)
    return out


def coded(stops: np.ndarray, step: float) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Planes of 3×H×W stops, as they are and as they come out of the coder at `step`, in `UNIT`."""
    whole = [np.rint(channel * UNIT).astype(np.int32) for channel in stops]
    planes = native.rotate(whole, colour_axes.unpack(colour_axes.choose(whole)))
    original, (height, width) = [plane.copy() for plane in planes], stops.shape[1:]
    levels, steps = wavelet_planes.levels_of(width, height), Steps.alike(step * UNIT)
    for plane in planes:
        native.dwt(plane, levels)
    given = [Plane(number, np.empty((height, width), np.int32), plane) for number, plane in enumerate(planes)]
    wavelet_planes.encode(given, levels, steps, Ctx(), fast=True)
    centres = wavelet_planes.unpack_centres(wavelet_planes.pack_centres(given, levels, steps))
    return original, wavelet_planes.samples(given, levels, Ctx(), steps=steps, centres=centres)


def learn(
    maps: Sequence[LightMap], recipe: FilterRecipe, going_on: Callable[[int], bool], *, seed: int = 0
) -> tuple[Equations, int]:
    """Equations from patches of the maps, as long as `going_on`, which is told how many there are; and their number."""
    equations = Equations()
    patches, random = LightPatches(maps, recipe.seed + seed), np.random.default_rng(recipe.seed + seed)
    for number in range(recipe.patches):
        if not going_on(number):
            return equations, number
        patch = patches.batch(1, recipe.patch).numpy()[0]
        step = recipe.lowest_step * (recipe.highest_step / recipe.lowest_step) ** random.random()
        counts = patch[3] > 0
        if counts.any():
            equations.add(*coded(patch[:3], step), counts, step)
    return equations, recipe.patches


@dataclass(frozen=True)
class Learnt:
    """weights: the file. patches: learned from. gain, held_back: dB on what was learned from, and on other maps."""

    weights: Path
    patches: int
    seconds: float
    gain: float
    held_back: float


def train_filters(
    recipe: FilterRecipe, data: Path, out: Path, *, minutes: float | None, note: Callable[[str], None]
) -> Learnt:
    """Learn from the lightmaps in a folder and write the weights into `out`. An `EngineError` names a file at fault."""
    if (out / WEIGHTS_FILE).exists():
        raise UsageError(f"{out} holds weights already: filters are learned in one go, name another folder")
    maps = load_light(data)
    note(f"{len(maps.training)} maps to learn from, {len(maps.held_back)} held back")
    began = time.monotonic()
    end = began + 60 * minutes if minutes is not None else math.inf
    with asked_to_end() as asked:
        equations, patches = learn(maps.training, recipe, lambda done: time.monotonic() < end and not asked())
    if patches == 0:
        raise UsageError("not one patch was learned from: give it more time")
    weights, seconds = equations.solved(recipe.ridge), time.monotonic() - began
    others = replace(recipe, patches=max(1, min(recipe.patches, patches) // 8))
    gains = equations.gain(weights), learn(maps.held_back, others, lambda _: True, seed=1)[0].gain(weights)
    make_folder(out)
    export_filters(weights, recipe, out / WEIGHTS_FILE, patches=patches, seconds=seconds, gains=gains, data=maps)
    return Learnt(out / WEIGHTS_FILE, patches, seconds, *gains)


def export_filters(
    weights: np.ndarray,
    recipe: FilterRecipe,
    path: Path,
    *,
    patches: int,
    seconds: float,
    gains: tuple[float, float],
    data: LightMaps,
) -> None:
    """Write weights and their card."""
    content = safetensors.numpy.save({TENSOR: weights})
    atomic_write(path, content)
    card = {
        "architecture": FILTERS,
        "licence": LICENCE,
        "note": "",
        "recipe": {SECTION: asdict(recipe)},
        "data": {"folder": data.folder, "training": len(data.training), "held_back": len(data.held_back)},
        "attribution": None,
        "training": {"steps": patches, "seconds": seconds, "machine": {"processor": processor(), "device": "cpu"}},
        "measured": {"gain_db": {"training": gains[0], "held_back": gains[1]}},
        "digest": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "parameters": int(weights.size),
    }
    write_card(path, card)
