"""What each picture of a set could become: every format, at several settings and resolutions, decoded and scored."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
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
from engine.trial import Runner, Trial, bits_per_pixel, db_metric, plain_texture_bytes
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


@dataclass(frozen=True)
class OptionsTask:
    """Tries a format on a picture: `points` settings along its rates, sides divided by each of `scales`.

    Emits every new trial, as the store shall keep it, its file among `blobs`; known ones are taken as they are. Returns
    the options. `EngineError` if the codec cannot carry the picture.
    """

    path: Path
    form: Format
    points: int
    scales: tuple[int, ...]
    known: tuple[Trial, ...] = ()
    blobs: Path | None = None

    @property
    def what(self) -> str:
        return f"measuring {self.path.name}"

    def run(self, ctx: TaskCtx) -> tuple[Option, ...]:
        image = io.read(self.path).image
        codec = registry.codec(self.form.codec)
        steps = ladder(codec, dict(self.form.settings), self.points)
        scales = [scale for scale in self.scales if scale == 1 or min(image.width, image.height) >= LEAST_SIDE * scale]
        found = []
        for scale in scales:
            for trial in self._trials(image, scale, steps, ctx):
                found.append(as_option(trial, scale, db_metric(image), counting_texels(image)))
                ctx.progress(len(found) / (len(scales) * len(steps)))
        return tuple(found)

    def _trials(self, image: Image, scale: int, steps: list[dict[str, object]], ctx: TaskCtx) -> Iterator[Trial]:
        """Those of the picture at a scale: what is known, else what is made."""
        runner = Runner(registry.codec(self.form.codec), reduced(image, scale))
        metric = db_metric(image)
        for settings in steps:
            ctx.check()
            key = replace(runner.key(settings), image=stored_as(image.digest, scale))
            usable = (each for each in self.known if each.key == key and metric in each.scores and _in_vram(each))
            trial = next(usable, None)
            if trial is None:
                run = runner.decode(runner.encode(settings, ctx), ctx)
                assert run.decoded is not None
                db = quality(image, run.decoded, ctx)
                trial = replace(run.trial, key=key, bpp=bits_per_pixel(run.trial.size, image), scores={metric: db})
                if self.blobs is not None:
                    with contextlib.suppress(OSError):  # what cannot be kept can be encoded again
                        Blobs(self.blobs).put(run.data)
                ctx.emit(trial)
            yield trial


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
