"""What each picture of a set could become: every format, at several settings and resolutions, decoded and scored."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from engine import io, registry
from engine.budget.choose import Option
from engine.codec import Ctx
from engine.errors import UsageError
from engine.files import FileMark
from engine.image import Image
from engine.metrics import scores
from engine.store import Blobs
from engine.tasks import ladder
from engine.trial import Runner, Trial, bits_per_pixel, canonical, db_metric, plain_texture_bytes
from engine.workers import TaskCtx

LEAST_SIDE = 4  # texels along a side of what is still worth keeping


@dataclass(frozen=True)
class Format:
    """A codec with settings, some or all of them, that pictures of a set may take."""

    codec: str
    settings: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Facts:
    """A picture as it is. texels: those that count. metric: what its dB are of. disk: bytes of its file, which is known
    by `mark`. vram: bytes in a graphics card's memory as it is. kind: of its file, as people name it."""

    digest: str
    width: int
    height: int
    texels: int
    metric: str
    disk: int
    vram: int
    mark: FileMark
    kind: str


@dataclass(frozen=True)
class FactsTask:
    """Reads a picture for its `Facts`."""

    path: Path

    @property
    def what(self) -> str:
        return f"the reader of {self.path.name}"

    def run(self, ctx: TaskCtx) -> Facts:
        loaded = io.read(self.path, ctx)
        image = loaded.image
        return Facts(
            image.digest,
            image.width,
            image.height,
            counting_texels(image),
            db_metric(image),
            loaded.file.size,
            plain_texture_bytes(image),
            loaded.file,
            loaded.format,
        )


def stored_as(digest: str, scale: int) -> str:
    """The picture's name in the store: its digest; with sides divided by `scale`, but scored at full size, another."""
    return digest if scale == 1 else f"{digest}/{scale}"


def tries(form: Format, points: int, scales: Iterable[int], facts: Facts) -> list[tuple[str, int]]:
    """What to try of a format on a picture: settings along its rates, each at every scale that leaves a picture."""
    codec = registry.codec(form.codec)
    steps = [canonical(each) for each in ladder(codec, dict(form.settings), points)]
    side = min(facts.width, facts.height)
    return [(step, scale) for scale in scales if scale == 1 or side >= LEAST_SIDE * scale for step in steps]


@dataclass(frozen=True)
class OptionsTask:
    """Tries a codec on a picture: complete settings (canonical JSON), with sides divided by a scale.

    Emits every new trial, as the store shall keep it, its file among `blobs`; known ones are taken as they are. Returns
    the options. `EngineError` if the codec cannot carry the picture.
    """

    path: Path
    codec: str
    tries: tuple[tuple[str, int], ...]
    known: tuple[Trial, ...] = ()
    blobs: Path | None = None

    @property
    def what(self) -> str:
        return f"measuring {self.path.name}"

    def run(self, ctx: TaskCtx) -> tuple[Option, ...]:
        image = io.read(self.path).image
        metric, texels = db_metric(image), counting_texels(image)
        runners: dict[int, Runner] = {}
        found = []
        for settings, scale in self.tries:
            ctx.check()
            if scale not in runners:
                runners[scale] = Runner(registry.codec(self.codec), reduced(image, scale))
            trial = self._trial(image, runners[scale], settings, scale, ctx)
            found.append(as_option(trial, scale, metric, texels))
            ctx.progress(len(found) / len(self.tries))
        return tuple(found)

    def _trial(self, image: Image, runner: Runner, settings: str, scale: int, ctx: TaskCtx) -> Trial:
        """What is known, else made."""
        metric = db_metric(image)
        key = replace(runner.key(json.loads(settings)), image=stored_as(image.digest, scale))
        usable = (each for each in self.known if each.key == key and metric in each.scores and _in_vram(each))
        known = next(usable, None)
        if known is not None:
            return known
        run = runner.decode(runner.encode(json.loads(settings), ctx), ctx)
        assert run.decoded is not None
        scored = {metric: quality(image, run.decoded, ctx)}
        trial = replace(run.trial, key=key, bpp=bits_per_pixel(run.trial.size, image), scores=scored)
        if self.blobs is not None:
            with contextlib.suppress(OSError):  # what cannot be kept can be encoded again
                Blobs(self.blobs).put(run.data)
        ctx.emit(trial)
        return trial


def as_option(trial: Trial, scale: int, metric: str, texels: int) -> Option:
    """What a trial of a picture with so many texels that count offers."""
    db = trial.scores[metric]
    error = texels * 10 ** (-db / 10)
    return Option(trial.key.codec, trial.key.settings, scale, trial.size, _in_vram(trial), db, error, trial.blob or "")


def _in_vram(trial: Trial) -> int:
    return int(trial.stats.get("vram_bytes", 0))


def quality(image: Image, decoded: Image, ctx: Ctx) -> float:
    """The decoded picture's dB against `image`, enlarged to its size first."""
    metric = db_metric(image)
    return scores(image, enlarged(decoded, image.width, image.height), [metric], ctx)[metric]


def counting_texels(image: Image) -> int:
    return image.width * image.height if image.mask is None else int(image.mask.sum())


def reduced(image: Image, scale: int) -> Image:
    """Each side divided by `scale`, rounded up: means over the texels that count."""
    if scale < 1:
        raise UsageError("a scale is a whole number from 1: sides are divided by it")
    if scale == 1:
        return image
    width, height = -(-image.width // scale), -(-image.height // scale)
    counts = np.ones((image.height, image.width), np.float32) if image.mask is None else image.mask.astype(np.float32)
    share = _resized(counts, width, height, Pillow.Resampling.BOX)
    planes = [
        _resized(np.nan_to_num(image.pixels[:, :, c].astype(np.float32)) * counts, width, height, Pillow.Resampling.BOX)
        / np.maximum(share, 1e-6)
        for c in range(image.pixels.shape[2])
    ]
    pixels = _as_before(np.stack(planes, 2), image)
    return replace(image, pixels=pixels, mask=None if image.mask is None else share > 0)


def enlarged(image: Image, width: int, height: int) -> Image:
    """The picture at this size, sampled bilinearly, as a graphics card does."""
    if (image.width, image.height) == (width, height):
        return image
    planes = [
        _resized(image.pixels[:, :, c].astype(np.float32), width, height, Pillow.Resampling.BILINEAR)
        for c in range(image.pixels.shape[2])
    ]
    return replace(image, pixels=_as_before(np.stack(planes, 2), image), mask=None)


def _resized(plane: np.ndarray, width: int, height: int, how: Pillow.Resampling) -> np.ndarray:
    return np.asarray(Pillow.fromarray(plane).resize((width, height), how))


def _as_before(pixels: np.ndarray, image: Image) -> np.ndarray:
    """In the sample type of `image`."""
    if image.is_float:
        return np.ascontiguousarray(pixels, np.float32)
    return np.ascontiguousarray(np.rint(pixels).clip(0, image.peak).astype(image.pixels.dtype))
