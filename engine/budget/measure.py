"""What each picture of a set could become: every codec, at several settings and resolutions, decoded and scored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from engine import io, registry
from engine.budget.choose import Option
from engine.codec import Ctx, Settings
from engine.errors import EngineError, UsageError
from engine.image import Image
from engine.metrics import scores
from engine.tasks import ladder
from engine.trial import Runner, canonical, db_metric
from engine.workers import TaskCtx

LEAST_SIDE = 4  # texels along a side of what is still worth keeping


@dataclass(frozen=True)
class OptionsTask:
    """Tries a picture: codecs with their settings, `points` of each along its rates, sides divided by `scales`.

    Returns its options, and what is missing in words: a codec that cannot carry the picture costs its options alone.
    """

    path: Path
    codecs: tuple[tuple[str, tuple[tuple[str, object], ...]], ...]
    points: int
    scales: tuple[int, ...]

    @property
    def what(self) -> str:
        return f"measuring {self.path.name}"

    def run(self, ctx: TaskCtx) -> tuple[tuple[Option, ...], tuple[str, ...]]:
        image = io.read(self.path).image
        options: list[Option] = []
        missing: list[str] = []
        for codec, settings in self.codecs:
            try:
                options += self._options(image, codec, dict(settings), ctx)
            except EngineError as error:
                missing.append(f"{self.path.name}: {error}")
        return tuple(options), tuple(missing)

    def _options(self, image: Image, codec_id: str, settings: Settings, ctx: Ctx) -> list[Option]:
        codec = registry.codec(codec_id)
        found = []
        for scale in self.scales:
            if min(image.width, image.height) < LEAST_SIDE * scale and scale > 1:
                continue
            small = reduced(image, scale)
            runner = Runner(codec, small)
            for each in ladder(codec, settings, self.points):
                ctx.check()
                run = runner.decode(runner.encode(each, ctx), ctx)
                assert run.decoded is not None
                db = quality(image, run.decoded, ctx)
                vram = run.trial.stats["vram_bytes"]
                error = counting_texels(image) * 10 ** (-db / 10)
                found.append(Option(codec_id, canonical(each), scale, run.trial.size, vram, db, error))
        return found


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
