"""A codec of known behaviour for tests: its files have a size, and its pictures an error, that a formula gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role, Settings
from engine.errors import CorruptStream
from engine.image import Image

QUALITY = Param("quality", Kind.INT, 50, 1, 100, role=Role.RATE, better=+1)
STEP = Param("step", Kind.FLOAT, 8.0, 0.5, 128.0, role=Role.RATE, better=-1, log=True)
TOOL = Param("tool", Kind.BOOL, False)


def exponential(value: float) -> float:
    """Bits per pixel of a quality from 1 to 100: 0.05 to 8."""
    return 0.05 * 160 ** ((value - 1) / 99)


def inverse(value: float) -> float:
    """Bits per pixel of a quantisation step."""
    return 8 / value**0.8


@dataclass
class SyntheticCodec:
    """Quantises to a step that falls with the rate; pads its file to `bpp(value)` bits per pixel."""

    param: Param | None = QUALITY
    bpp: Callable[[float], float] = exponential
    encodes: list[object] = field(default_factory=list)
    reason: str | None = None

    @property
    def info(self) -> CodecInfo:
        params = (self.param, TOOL) if self.param else (TOOL,)
        return CodecInfo("synthetic", "Synthetic", "dct", ".syn", params, Capabilities(memory=4.0))

    def available(self) -> str | None:
        return self.reason

    def version(self) -> str:
        return "synthetic 1"

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        ctx.check()
        value = settings[self.param.name] if self.param else 1
        self.encodes.append(value)
        bpp = self.bpp(value)
        step = int(np.clip(round(64 / bpp), 1, 255))
        header = json.dumps([image.height, image.width, image.channels, step]).encode() + b"\n"
        size = max(1, round(bpp * image.width * image.height / 8))
        # The picture itself is kept aside: the point is the size, and an error that is real.
        _PICTURES[header] = (image.pixels.astype(np.int32) // step * step + step // 2).clip(0, 255).astype(np.uint8)
        return Encoded((header + bytes(size))[: max(size, len(header))], {"step": step})

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        header = data[: data.find(b"\n") + 1]
        if header not in _PICTURES:
            raise CorruptStream("not a synthetic file")
        return Image(_PICTURES[header])


_PICTURES: dict[bytes, np.ndarray] = {}
