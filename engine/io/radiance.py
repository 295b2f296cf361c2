"""Radiance pictures (.hdr, RGBE): G. Ward, "Real Pixels", Graphics Gems II, 1991, and the file format of Radiance.

imagecodecs decodes and encodes the run lengths of today; flat files, the run lengths of before 1991, headers and
orientations are ours.
"""

from __future__ import annotations

import math
import re

import numpy as np

from engine.errors import CorruptStream, Unsupported
from engine.image import Image
from engine.io.source import Raw, Reader, Source
from engine.textures.packed import rgbe_codes, rgbe_light

_MAGIC = (b"#?RADIANCE", b"#?RGBE")
_MAX_HEADER = 1 << 16
_SIZE = re.compile(rb"([+-])([XY]) +(\d{1,9}) +([+-])([XY]) +(\d{1,9})")
_RLE_WIDTHS = range(8, 32_768)
_FLAT = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n"


def _read(source: Source) -> Raw:
    fields, size, start = _header(source.data)
    first, second = (size[1] + size[0], int(size[2])), (size[4] + size[3], int(size[5]))
    if {first[0][:1], second[0][:1]} != {b"X", b"Y"}:
        raise CorruptStream("the Radiance header names one axis twice")
    source.check_size(second[1], first[1])
    _check_format(fields.get("FORMAT", ["32-bit_rle_rgbe"])[-1])
    pixels = _scanlines(source.data[start:], first[1], second[1])
    raw = Raw(_upright(pixels, first[0], second[0]), "RGB", 32, chromaticities=_primaries(fields))
    if (first[0], second[0]) != (b"Y-", b"X+"):
        raw.notes.append("turned upright, as the file asks")
    exposure = _product(fields.get("EXPOSURE", []))
    if exposure not in (1.0, None):
        raw.notes.append(f"its light was stored with an exposure of {exposure:g}, which is kept")
    return raw


def _header(data: bytes) -> tuple[dict[str, list[str]], tuple[bytes, ...], int]:
    """The variables by name, the parts of the line of the size, and where the pixels begin."""
    end = data.find(b"\n\n", 0, _MAX_HEADER)
    line_end = data.find(b"\n", end + 2, end + 2 + 80) if end >= 0 else -1
    size = _SIZE.fullmatch(data[end + 2 : line_end].strip()) if line_end >= 0 else None
    if size is None:
        raise CorruptStream("the Radiance header is damaged or cut off")
    fields: dict[str, list[str]] = {}
    for line in data[:end].decode("latin-1").splitlines()[1:]:
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            fields.setdefault(name.strip(), []).append(value.strip())
    return fields, size.groups(), line_end + 1


def _check_format(name: str) -> None:
    if name == "32-bit_rle_xyze":
        raise Unsupported("Radiance pictures in XYZ cannot be read; those in RGB can")
    if name != "32-bit_rle_rgbe":
        raise CorruptStream(f"the Radiance header names the unknown format '{name[:40]}'")


def _primaries(fields: dict[str, list[str]]) -> tuple[float, ...] | None:
    numbers = [_number(text) for text in fields.get("PRIMARIES", [""])[-1].split()]
    return tuple(n for n in numbers if n is not None) if len(numbers) == 8 and None not in numbers else None


def _product(texts: list[str]) -> float | None:
    """Exposures multiply; None where one is no number."""
    numbers = [_number(text) for text in texts]
    return math.prod(n for n in numbers if n is not None) if None not in numbers else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _scanlines(packed: bytes, rows: int, columns: int) -> np.ndarray:
    """rows × columns × 3 f32, in the order of the file."""
    import imagecodecs

    if columns in _RLE_WIDTHS and packed[:2] == b"\x02\x02" and len(packed) > 3 and packed[2] < 128:
        least = rows * (4 + 8 * math.ceil(columns / 127))  # a run of 127 takes two bytes, in each of four planes
        if len(packed) < least:
            raise CorruptStream("the Radiance file ends before its last row")
        pixels = imagecodecs.rgbe_decode(_FLAT % (rows, columns) + packed)
        if pixels.shape != (rows, columns, 3):
            raise CorruptStream("the Radiance file does not hold one picture")
        return pixels
    quads = np.frombuffer(packed, np.uint8, len(packed) & ~3).reshape(-1, 4)
    return rgbe_light(_without_runs(quads, rows * columns).reshape(rows, columns, 4))


def _without_runs(quads: np.ndarray, count: int) -> np.ndarray:
    """`count` RGBE quads of N×4, flat or with the old run lengths: (1, 1, 1, n) repeats what is before it n times.

    Run lengths that follow each other are the bytes of one count, the lowest first.
    """
    quads = quads[:count]  # runs only make it longer
    is_run = (quads[:, :3] == 1).all(axis=1)
    index = np.arange(len(quads))
    last_pixel = np.maximum.accumulate(np.where(is_run, -1, index))
    place = index - last_pixel - 1  # of a run length within its count
    if len(quads) and (last_pixel[0] < 0 or (place[is_run] > 3).any()):
        raise CorruptStream("the Radiance file has a run of nothing, or one without end")
    repeats = np.where(is_run, quads[:, 3].astype(np.int64) << (8 * np.maximum(place, 0)), 1)
    reached = np.cumsum(repeats)
    if not len(reached) or reached[-1] < count:
        raise CorruptStream("the Radiance file ends before its last row")
    needed = int(np.searchsorted(reached, count)) + 1
    repeats = repeats[:needed]
    repeats[-1] -= reached[needed - 1] - count
    return np.repeat(quads[last_pixel[:needed]], repeats, axis=0)


def _upright(pixels: np.ndarray, slow: bytes, fast: bytes) -> np.ndarray:
    """Rows from the top, columns from the left: -Y +X is how files usually are."""
    if slow[:1] == b"X":
        pixels, slow, fast = pixels.swapaxes(0, 1), fast, slow
    if slow == b"Y+":
        pixels = pixels[::-1]
    return pixels[:, ::-1] if fast == b"X-" else pixels


def hdr_bytes(image: Image) -> bytes:
    """A float RGB picture (H×W×3, finite, ≥ 0) as a Radiance file; each texel is rounded to 8 bits of mantissa."""
    import imagecodecs

    light = rgbe_light(rgbe_codes(np.maximum(image.pixels, 0)))
    data = imagecodecs.rgbe_encode(light, header=True)
    return bytes(data)


READER = Reader("Radiance", (".hdr", ".rgbe", ".pic"), lambda data: data.startswith(_MAGIC), _read)
