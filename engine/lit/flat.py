"""A lightmap on a flat surface that one looks at straight: so many pixels a texel, filtered as engines do."""

from __future__ import annotations

import math
import threading
from functools import cached_property

import numpy as np

from engine.film import Film, looked
from engine.image import Image
from engine.lit.albedo import CHECKER_TEXELS, Albedo
from engine.lit.look import Lit
from engine.lit.texture import Texture, light_of
from engine.metrics.align import covered
from engine.native import lit
from engine.tone import Tone, tone_table

_STRIP_PIXELS = 1 << 18


class LightSource:
    """A picture's light as a texture, made when it is first sampled. Safe on any thread."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self._lock = threading.Lock()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in texels."""
        return self.image.width, self.image.height

    @property
    def texture(self) -> Texture:
        with self._lock:
            return self._made

    @cached_property
    def _made(self) -> Texture:
        return Texture.of(light_of(self.image))


class LitFilm(Film):
    """The lit surface as a film: what is asked for is sampled at that moment, and developed in the tone."""

    def __init__(self, source: LightSource, look: Lit, albedo: Albedo, auto_exposure: float = 0.0) -> None:
        self.source, self.look, self.albedo = source, look, albedo
        self.drawn = look.drawn_size(source.image.width, source.image.height)
        self.shape = (self.drawn[1], self.drawn[0], 3)
        self.auto_exposure = auto_exposure

    def develop(self, tone: Tone, step: int = 1) -> np.ndarray:
        """H×W×3 u8 sRGB, C-contiguous; of every `step`-th row and column only, for a quick look."""
        width, height = self.drawn
        columns = np.arange(0, width, step)
        out = np.empty((len(range(0, height, step)), len(columns), 3), np.uint8)
        strip = max(1, _STRIP_PIXELS // len(columns))
        for top in range(0, len(out), strip):
            rows = np.arange(top, min(top + strip, len(out))) * step
            out[top : top + strip] = developed(self.light(rows, columns), tone, (int(rows[0]), 0), step)
        return out

    def crop(self, rows: slice, columns: slice, tone: Tone) -> np.ndarray:
        """A part as h×w×3 u8 sRGB, C-contiguous."""
        within = [np.arange(*part.indices(side)) for part, side in zip((rows, columns), self.drawn[::-1], strict=True)]
        return developed(self.light(*within), tone, (rows.start or 0, columns.start or 0))

    def counts(self) -> np.ndarray:
        """H×W bool: pixels whose middle lies in a texel that counts."""
        rows, columns = (
            ((np.arange(drawn) + 0.5) * (side / drawn)).astype(int)
            for drawn, side in zip(self.drawn[::-1], (self.source.image.height, self.source.image.width), strict=True)
        )
        return covered(self.source.image)[rows[:, None], columns]

    def light(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """h×w×3 f32: what the surface sends to the eye in these rows and columns of pixels."""
        texture = self.source.texture
        (width, height), (across, down) = texture.size, self.drawn
        uv = np.empty((len(rows), len(columns), 2), np.float32)
        uv[:, :, 0] = (columns + 0.5) / across
        uv[:, :, 1] = ((rows + 0.5) / down)[:, None]
        level = self.look.level
        lod = math.log2(width / across) if level is None else level
        light = texture.sample(uv, np.full(uv.shape[:2], lod, np.float32), cubic=self.look.cubic)
        paint = self.albedo.texture
        if paint is None:
            return light * np.float32(self.albedo.share)
        repeats = 1.0 if self.albedo.once else width / CHECKER_TEXELS
        if not self.albedo.once:
            uv = uv * np.array((width / CHECKER_TEXELS, height / CHECKER_TEXELS), np.float32)
        detail = math.log2(max(paint.size[0] * repeats / across, 2.0**-16))
        return light * paint.sample(uv, np.full(uv.shape[:2], detail, np.float32))


def developed(light: np.ndarray, tone: Tone, origin: tuple[int, int] = (0, 0), step: int = 1) -> np.ndarray:
    """Light (h×w×3 f32, linear sRGB) as h×w×3 u8 sRGB. origin, step: which rows and columns of a picture it is."""
    if tone.look == "picture":
        return lit.develop(light, tone_table(tone))
    return looked(light.astype(np.float16), tone, origin=origin, step=step)
