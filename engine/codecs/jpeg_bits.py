"""Where the bits of a JPEG file went, whoever wrote it."""

from __future__ import annotations

import numpy as np

from engine import memory
from engine.bit_map import BitMap, spread
from engine.codec import CodecInfo, Ctx
from engine.formats import sections
from engine.native import jpeg

# What a JPEG's marker segments are for; the others are headers.
_NAMES = {"DHT": "Huffman tables", "DQT": "quantisation tables", "APP2": "colour profile", "trailing": "data behind it"}


def bit_map(data: bytes, info: CodecInfo, ctx: Ctx) -> BitMap:
    """The map of any baseline or progressive JPEG; raises what the decoder of `dct` raises. `info`: for the memory."""
    header = jpeg.probe(data)
    memory.require(memory.decode_estimate(info, 64 * header.blocks), "reading where the bits of this file went")
    ctx.check()
    costs = jpeg.costs(data, header)
    ctx.check()
    return BitMap(on_pixels(costs, header), _apart(data))


def on_pixels(costs: list[np.ndarray], where: jpeg.Header | jpeg.Layout) -> np.ndarray:
    """The bits of all components' blocks (rows×columns each) on the pixels that they cover: H×W f32."""
    size = where.height, where.width
    across, down = (max(factors) for factors in zip(*where.sampling, strict=True))
    bits = np.zeros(size, np.float32)
    for cells, (h, v) in zip(costs, where.sampling, strict=True):
        bits += spread(cells, (8 * down // v, 8 * across // h), size)
    return bits


def _apart(data: bytes) -> dict[str, int]:
    parts: dict[str, int] = {}
    for part in sections(data):
        if part.name != "scan":
            name = _NAMES.get(part.name, "headers")
            parts[name] = parts.get(name, 0) + part.size
    return parts
