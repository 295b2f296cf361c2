"""`Image`: pixels and what they mean. The one picture type that codecs, metrics and views share."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from engine.color import SRGB, ColorSpec
from engine.errors import EngineError
from engine.importance import Importance, cells

DTYPES = (np.uint8, np.uint16, np.float32)


class Alpha(enum.StrEnum):
    NONE = "none"
    STRAIGHT = "straight"
    PREMULTIPLIED = "premultiplied"


class Meaning(enum.StrEnum):
    """What the channels of a picture stand for. Directions and masks are no colours: see `engine.channels`."""

    COLOUR = "colour"
    LIGHT = "light"
    DIRECTION = "direction"
    MASK = "mask"

    @property
    def noun(self) -> str:
        """What a picture of it is called."""
        return {"direction": "direction map", "mask": "shadow mask"}.get(self.value, f"picture of {self.value}")


@dataclass(frozen=True, eq=False)
class Image:
    """A picture, frozen.

    pixels: H×W×C, C-contiguous, read-only; C is 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA);
        u8 and u16 are code values of `color` over 0…2^bits-1, f32 is linear light.
    color: primaries and transfer as H.273 code points.
    alpha: whether the last channel is coverage, and how the others relate to it.
    bits: significant bits of a sample (8 for u8, 9…16 for u16, 32 for f32).
    icc: the embedded profile where `color` does not say it all, else None.
    mask: H×W bool, True where a texel counts; None when all do.
    data: DIRECTION or MASK where the channels are no colours (whole numbers, never premultiplied), else None. Alpha
        then is one more channel of data.
    importance: what matters more than the rest, where somebody painted it; None where nothing does.
    """

    pixels: np.ndarray
    color: ColorSpec = SRGB
    alpha: Alpha = Alpha.NONE
    bits: int = 0
    icc: bytes | None = None
    mask: np.ndarray | None = field(default=None)
    data: Meaning | None = None
    importance: Importance | None = None

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels)
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        if pixels.ndim != 3 or pixels.dtype.type not in DTYPES:
            raise EngineError(f"a picture is H×W×C of u8, u16 or f32, not {pixels.dtype} {pixels.shape}")
        height, width, channels = pixels.shape
        if height < 1 or width < 1:
            raise EngineError("a picture needs at least one pixel")
        if channels not in ((1, 3) if self.alpha is Alpha.NONE else (2, 4)):
            raise EngineError(f"{channels} channels do not fit alpha '{self.alpha}'")
        pixels = np.ascontiguousarray(pixels)
        if pixels is self.pixels and pixels.flags.writeable:
            pixels = pixels.view()
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "bits", self.bits or pixels.dtype.itemsize * 8)
        if not self._bits_fit():
            raise EngineError(f"{self.bits} significant bits do not fit {pixels.dtype}")
        if self.mask is not None and (self.mask.shape != (height, width) or self.mask.dtype != np.bool_):
            raise EngineError("a mask is H×W of bool")
        if self.importance is not None and self.importance.steps.shape != cells(height, width):
            raise EngineError("the map of importance is that of a picture of another size")
        if self.data is not None and (self.is_float or self.alpha is Alpha.PREMULTIPLIED):
            raise EngineError(f"a {self.data.noun} holds whole numbers that are not premultiplied")

    def _bits_fit(self) -> bool:
        if self.pixels.dtype == np.float32:
            return self.bits == 32
        return 1 <= self.bits <= self.pixels.dtype.itemsize * 8

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def channels(self) -> int:
        return self.pixels.shape[2]

    @property
    def has_alpha(self) -> bool:
        return self.alpha is not Alpha.NONE

    @property
    def is_gray(self) -> bool:
        return self.channels <= 2

    @property
    def is_float(self) -> bool:
        return self.pixels.dtype == np.float32

    @property
    def meaning(self) -> Meaning:
        """What the channels stand for."""
        return self.data or (Meaning.LIGHT if self.is_float else Meaning.COLOUR)

    @property
    def peak(self) -> float:
        """The code value of white: 2^bits-1, or 1.0 for linear floats."""
        return 1.0 if self.is_float else float(2**self.bits - 1)

    @property
    def colour_pixels(self) -> np.ndarray:
        """H×W×(1 or 3) view without the alpha channel."""
        return self.pixels[:, :, :-1] if self.has_alpha else self.pixels

    @property
    def alpha_plane(self) -> np.ndarray | None:
        """H×W view of the alpha channel, or None."""
        return self.pixels[:, :, -1] if self.has_alpha else None

    @cached_property
    def digest(self) -> str:
        """Hex digest (BLAKE2b, 128 bit) of everything that makes two pictures different."""
        h = hashlib.blake2b(digest_size=16)
        meaning = (self.pixels.shape, self.pixels.dtype.str, self.color.code_points, str(self.alpha), self.bits)
        h.update(repr(meaning).encode())
        h.update(self.pixels.data)
        h.update(self.icc or b"")
        if self.mask is not None:
            h.update(np.packbits(self.mask).data)
        h.update((self.data or "").encode())
        if self.importance is not None:
            h.update(self.importance.steps.data)
        return h.hexdigest()

    def with_pixels(self, pixels: np.ndarray, **changes: object) -> Image:
        """The same meaning with other pixels (and any other field changed by name)."""
        return replace(self, pixels=pixels, **changes)  # type: ignore[arg-type]
