"""Photographs in memory, and patches of them to train on."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from engine import io, memory
from engine.carry import flatten
from engine.color import SRGB, convert, from_linear
from engine.errors import EngineError, UsageError
from engine.image import Image

SUFFIXES = {".png", ".jxl", ".exr", ".hdr", ".tif", ".tiff", ".webp"}  # a model would learn the blocks of JPEG
SAMPLED = 8  # pictures that tell how much memory all of them will take
HELD_BACK = 10  # one source in so many is never trained on …
HELD_BACK_REST = 5  # … those whose hash leaves this rest
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Photographs:
    """H×W×3 pictures, u8 or f32 0…1, in sRGB, and those held back for validation: no source photograph is in both.

    folder: the name of the folder that they are from.
    """

    training: tuple[np.ndarray, ...]
    held_back: tuple[np.ndarray, ...]
    folder: str = ""


def load_photographs(folder: str | Path, *, min_side: int, threads: int = 1) -> Photographs:
    """Every picture of a folder, read into memory; smaller ones than `min_side` are left out.

    Crops of one photograph stay together: those with the same `source` and `path` in a manifest.json inside the
    folder or beside it, else with the same file name, suffix apart. Raises an `EngineError` that names the file,
    `LimitExceeded` if they do not fit in memory: estimated from a few before the rest is read, and watched after.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise EngineError("is not a folder", path=folder)
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        kinds = ", ".join(sorted(SUFFIXES))
        raise EngineError("holds no pictures to train on", path=folder, hint=f"looked for {kinds}")
    sources = _sources(folder)
    split: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for path, picture in zip(paths, _read_all(folder, paths, threads), strict=True):
        if min(picture.shape[:2]) >= min_side:
            source = sources.get(path.resolve(), path.stem)
            split[is_held_back(source)].append(picture)
    if not split[False] or not split[True]:
        raise UsageError(
            f"{folder}: too few pictures of {min_side}×{min_side} or more to train and to validate on",
            hint="one source photograph in ten is held back; two dozen are a beginning",
        )
    return Photographs(tuple(split[False]), tuple(split[True]), folder.resolve().name)


def _read_all(folder: Path, paths: Sequence[Path], threads: int) -> list[np.ndarray]:
    """The pictures in the order of `paths`; `LimitExceeded` before or as soon as they are too much."""
    what = f"{folder}: holding its {len(paths)} pictures"
    first = {path: rgb(io.read(path).image) for path in paths[:: -(-len(paths) // SAMPLED)]}
    memory.require(sum(picture.nbytes for picture in first.values()) * len(paths) // len(first), what)
    taken, lock = 0, threading.Lock()

    def one(path: Path) -> np.ndarray:
        nonlocal taken
        picture = first[path] if path in first else rgb(io.read(path).image)
        with lock:
            taken += picture.nbytes
            memory.require(taken, what)
        return picture

    with ThreadPoolExecutor(threads) as pool:
        try:
            return list(pool.map(one, paths))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def is_held_back(source: str) -> bool:
    """Whether a source photograph is for validation: by its name's hash, so that it stays so when others are added."""
    return int.from_bytes(hashlib.sha256(source.encode()).digest()[:4], "big") % HELD_BACK == HELD_BACK_REST


def _sources(folder: Path) -> dict[Path, str]:
    """Which photograph each file is from, as far as a manifest says."""
    for manifest in (folder / MANIFEST, folder.parent / MANIFEST):
        if manifest.is_file():
            try:
                entries = json.loads(manifest.read_text(encoding="utf-8"))
                return {
                    (manifest.parent / entry["file"]).resolve(): f"{entry.get('source', '')}/{entry['path']}"
                    for entry in entries
                }
            except (ValueError, KeyError, TypeError) as error:
                raise EngineError("is not a list of entries with 'file' and 'path'", path=manifest) from error
    return {}


def rgb(image: Image) -> np.ndarray:
    """H×W×3 sRGB code values of any picture: alpha over white, light above white clipped.

    u8 for a picture of 8 bits in sRGB; f32 0…1, which rounds nothing, for deeper pictures, light, and other colours.
    """
    image = flatten(image)
    if image.is_float:
        pixels = from_linear(np.nan_to_num(image.pixels, nan=0).clip(0, 1), SRGB)
    elif image.color != SRGB:
        pixels = convert(image.pixels.astype(np.float32) / image.peak, image.color, SRGB).clip(0, 1)
    elif image.bits == 8:
        pixels = image.pixels
    else:
        pixels = image.pixels.astype(np.float32) / image.peak
    if pixels.dtype != np.uint8:
        pixels = pixels.astype(np.float32)
    return np.array(np.broadcast_to(pixels, (*pixels.shape[:2], 3)), order="C")


class Draws:
    """Random draws that a checkpoint can go on with."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    @property
    def state(self) -> str:
        """Where the random draws are, as text."""
        return json.dumps(self._random.bit_generator.state)

    @state.setter
    def state(self, state: str) -> None:
        self._random.bit_generator.state = json.loads(state)

    def _turned(self, patch: Tensor) -> Tensor:
        """One of the eight turns and reflections of H×W×C."""
        turn = self._random.integers(8)
        if flipped := [axis for axis, bit in ((1, 1), (0, 2)) if turn & bit]:
            patch = patch.flip(flipped)
        return patch.transpose(0, 1) if turn & 4 else patch


class Patches(Draws):
    """Random square patches: flipped, transposed, now and then scaled down. The same seed draws the same patches.

    The pictures lie on `device`, and patches are cut out there.
    """

    def __init__(
        self, pictures: Sequence[np.ndarray], seed: int, downscale: float = 0.0, device: torch.device | None = None
    ) -> None:
        super().__init__(seed)
        self._pictures = [torch.from_numpy(picture).to(device) for picture in pictures]
        self._downscale = downscale

    def batch(self, count: int, side: int) -> Tensor:
        """count×3×side×side in 0…1, channels last."""
        patches = torch.stack([self._one(side) for _ in range(count)])
        return patches.permute(0, 3, 1, 2)

    def _one(self, side: int) -> Tensor:
        """side×side×3, 0…1."""
        random = self._random
        picture = self._pictures[int(random.integers(len(self._pictures)))]
        largest = min(2 * side, *picture.shape[:2])
        scaled = random.random() < self._downscale
        source = int(random.integers(side, largest + 1)) if scaled else side
        top, left = (int(random.integers(extent - source + 1)) for extent in picture.shape[:2])
        patch = to_unit(picture[top : top + source, left : left + source])
        if source != side:
            patch = scaled_down(patch, side)
        return self._turned(patch)


def scaled_down(patch: Tensor, side: int) -> Tensor:
    """A square patch, S×S×3 in 0…1, at side×side, filtered."""
    planes = patch.permute(2, 0, 1)[None]
    small = F.interpolate(planes, (side, side), mode="bicubic", antialias=True, align_corners=False)
    return small[0].permute(1, 2, 0).clamp(0, 1)


def to_unit(pixels: Tensor) -> Tensor:
    """u8, or f32 that is it already, as f32 0…1."""
    return pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels


def to_tensor(pictures: Sequence[np.ndarray]) -> Tensor:
    """H×W×3 pictures of one size, u8 or f32, as B×3×H×W in 0…1, channels last."""
    return torch.stack([to_unit(torch.tensor(picture)) for picture in pictures]).permute(0, 3, 1, 2)


def central_patches(pictures: Sequence[np.ndarray], count: int, side: int) -> Tensor:
    """The middle of up to `count` pictures, spread evenly over the list, as for `Patches.batch`."""
    count = min(count, len(pictures))
    chosen = [pictures[index * len(pictures) // count] for index in range(count)]
    crops = []
    for picture in chosen:
        top, left = ((extent - side) // 2 for extent in picture.shape[:2])
        crops.append(picture[top : top + side, left : left + side])
    return to_tensor(crops)
