"""What readers take and give: the bytes with a limit, and samples as they lie in the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from engine.color import LINEAR_SRGB
from engine.errors import CorruptStream, LimitExceeded
from engine.image import Alpha, Image


@dataclass(frozen=True)
class Source:
    """The content of a file, how many pixels may be decoded from it, and how many threads may work on that."""

    data: bytes
    max_pixels: int
    threads: int = 1

    def check_size(self, width: int, height: int) -> None:
        """To be called with what the header claims, before anything is decoded."""
        if width < 1 or height < 1:
            raise CorruptStream(f"the picture has no pixels ({width} × {height})")
        if width * height > self.max_pixels:
            raise LimitExceeded(
                f"the picture has {width} × {height} pixels, the limit is {self.max_pixels / 1e6:.1f} megapixels",
                hint="raise the memory limit",
            )


@dataclass
class Raw:
    """Samples as a decoder gives them, and what the file says about them.

    pixels: H×W×C u8 or u16, or f16 or f32 of light, linear unless `cicp` says otherwise.
    channels: "L", "LA", "RGB", "RGBA" or "CMYK" (more is more ink).
    bits: significant bits. cicp: H.273 primaries and transfer, None when not stated; it outranks `icc`.
    orientation: EXIF's 1…8 that remains to be applied. notes: in plain words.
    chromaticities: x, y of red, green, blue and white, of light whose `cicp` is None.
    """

    pixels: np.ndarray
    channels: str
    bits: int
    icc: bytes | None = None
    cicp: tuple[int, int] | None = None
    orientation: int = 1
    premultiplied: bool = False
    notes: list[str] = field(default_factory=list)
    chromaticities: tuple[float, ...] | None = None

    def as_light(self) -> Image:
        """Samples of light as they are, with their alpha: not yet finite, not yet in primaries that we know."""
        alpha = Alpha.STRAIGHT if self.channels.endswith("A") else Alpha.NONE
        return Image(self.pixels.astype(np.float32, copy=False), LINEAR_SRGB, alpha)


@dataclass(frozen=True)
class Reader:
    """One format. sniff: is this content mine? read: the samples, or an exception: mine, but broken."""

    format: str
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes], bool]
    read: Callable[[Source], Raw]


CHANNELS = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def full_bytes(pixels: np.ndarray, bits: int) -> tuple[np.ndarray, int]:
    """Samples of fewer than 8 bits spread over 8, others as they are; with the bits that they have then."""
    if bits >= 8:
        return pixels, bits
    peak = 2**bits - 1
    return ((pixels.astype(np.uint16) * 255 + peak // 2) // peak).astype(np.uint8), 8


def as_planes(pixels: np.ndarray) -> np.ndarray:
    """H×W or H×W×C as H×W×C."""
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
