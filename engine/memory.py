"""How much memory work may take, and how much it will: asked before the work, not found out during it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache

import psutil

from engine.codec import CodecInfo
from engine.errors import LimitExceeded, UsageError
from engine.image import Image
from engine.metric import MetricInfo

VARIABLE = "RATESCOPE_MEMORY_LIMIT"
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
# The decoder's own buffers (up to 18 were measured, for WebP), then a converted and a turned copy.
_READ_BYTES_PER_PIXEL = 32

_chosen: int | None = None


def parse(text: str) -> int:
    """Bytes from "1500000000", "800M", "1.5 GB" or "25%" of the physical memory; `UsageError` otherwise."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(%|[kmgt]?)(?:i?b)?\s*", text, re.IGNORECASE)
    if match is None or float(match[1]) <= 0:
        raise UsageError(f"memory limit '{text}': write bytes (8000000000), a size (8G) or a share of memory (50%)")
    unit = match[2].lower()
    return int(float(match[1]) * (_physical() / 100 if unit == "%" else _UNITS[unit]))


def set_limit(value: int | None) -> None:
    """Set this process's limit in bytes (a saved setting); None goes back to the default."""
    global _chosen  # noqa: PLW0603 -- one setting per process, like the environment variable beside it
    _chosen = value


def limit() -> int:
    """The limit in bytes: the environment variable, else what :func:`set_limit` set, else half the physical memory."""
    text = os.environ.get(VARIABLE, "")
    if text:
        return parse(text)
    return _chosen if _chosen is not None else _physical() // 2


def encode_estimate(info: CodecInfo, image: Image) -> int:
    """Peak bytes for one encode and decode of `image`: the picture, its twins (made to fit, decoded), the codec."""
    can = info.capabilities
    spread = 3 if image.is_gray and not can.gray else 1  # grey goes in and comes out as RGB
    return (1 + 2 * spread) * image.pixels.nbytes + round(can.memory * image.pixels.size * spread)


def metric_estimate(infos: Iterable[MetricInfo], image: Image) -> int:
    """Peak bytes for scores or a map of a picture against `image`: both as they are, both as compared, the metric."""
    pixels = image.width * image.height
    compared = 2 * 3 * image.pixels.itemsize * pixels
    return 2 * image.pixels.nbytes + compared + round(pixels * max((info.memory for info in infos), default=0.0))


def decode_estimate(info: CodecInfo, samples: int) -> int:
    """Peak bytes for one decode of as many samples (pixels × channels) as a header claims, the picture included."""
    return round(info.capabilities.memory * samples)


def max_pixels() -> int:
    """How many pixels may be read from one file within the limit."""
    return limit() // _READ_BYTES_PER_PIXEL


def require(needed: int, what: str) -> None:
    """`LimitExceeded`, with both figures, if `needed` bytes for `what` are above the limit."""
    allowed = limit()
    if needed > allowed:
        raise LimitExceeded(
            f"{what} needs about {size_text(needed)} of memory, the limit is {size_text(allowed)}",
            hint=f"raise the limit in the settings or with {VARIABLE}, or use a smaller picture",
        )


def size_text(count: int) -> str:
    """A number of bytes as people read it: 512 B, 1.5 KiB, 3.4 GiB."""
    size, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"


@cache
def _physical() -> int:
    return int(psutil.virtual_memory().total)
