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
    size = header.height, header.width
    bits = np.zeros(size, np.float32)
    across, down = header.densest
    for costs, (h, v) in zip(jpeg.costs(data, header), header.sampling, strict=True):
        ctx.check()
        bits += spread(costs, (8 * down // v, 8 * across // h), size)
    return BitMap(bits, _apart(data))


def _apart(data: bytes) -> dict[str, int]:
    parts: dict[str, int] = {}
    for part in sections(data):
        if part.name != "scan":
            name = _NAMES.get(part.name, "headers")
            parts[name] = parts.get(name, 0) + part.size
    return parts
