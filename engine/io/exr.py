"""OpenEXR through the library of that name: half and float, scanlines and tiles, the first part that is a picture.

The library tells a damaged file apart by what it prints, not by what it raises: what it says on the way is caught, and
a part that lacks its pixels is an error.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import math
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engine import memory
from engine.color import ColorSpec, chromaticities
from engine.errors import CorruptStream, Unsupported
from engine.image import Alpha, Image
from engine.io import exr_chroma
from engine.io.source import Raw, Reader, Source
from engine.light import over_black

_MAGIC = b"\x76\x2f\x31\x01"
_NAMES = {"r": "R", "red": "R", "g": "G", "green": "G", "b": "B", "blue": "B", "y": "Y", "a": "A", "alpha": "A"}
_CHUNK_ROWS = 256  # at most: of DWAB
_TILE_SIDE = 1024  # tiles may be larger than a small picture
_SAMPLE_BYTES = 4
_SEVERAL_PARTS = 0x1000
_LONGEST_NAME = 255
_CHANNELS_BYTES = 1 << 17  # some 5,000 channels
_DAMAGED_HEADER = "the header of the OpenEXR file is damaged or cut off"
_FINISH_BYTES = 32  # a pixel, to stack, repair and convert
_quiet_lock = threading.Lock()

Layer = dict[str, str]
"""Channel names of a part by what they are: R, G, B, Y, RY, BY, A."""


def _read(source: Source) -> Raw:
    notes: list[str] = []
    _check_header(source.data)
    parts = _parts(source.data, header_only=True)
    _check_sizes(parts, source)
    number, layer = _picture_part(parts, notes)
    width, height = _size(parts[number].header)
    read = _parts(source.data, threads=source.threads)
    channels: dict[str, Any] = next((part.channels for part in read if part.part_index == number), {})
    primaries = parts[number].header.get("chromaticities")
    names = [layer[kind] for kind in ("R", "G", "B", "Y", "A") if kind in layer]
    planes = [channels[name].pixels for name in names if name in channels]
    if len(planes) < len(names) or any(plane is None or plane.shape != (height, width) for plane in planes):
        raise CorruptStream("the OpenEXR file ends before its pixels do, or they are damaged")
    if any(plane.dtype.kind != "f" for plane in planes):
        raise Unsupported("OpenEXR channels of whole numbers cannot be read; half and float can")
    pixels = np.stack([plane.astype(np.float32, copy=False) for plane in planes], axis=2)
    if "RY" in layer:
        chroma = [channels[layer[kind]].pixels for kind in ("RY", "BY") if layer[kind] in channels]
        if len(chroma) < 2 or any(plane is None or plane.ndim != 2 or plane.dtype.kind != "f" for plane in chroma):
            raise CorruptStream("the chroma of the OpenEXR file is damaged or cut off")
        pixels = np.dstack([exr_chroma.rgb(planes[0], chroma, primaries), *planes[1:]])
        notes.append("luminance and chroma were converted to RGB")
    kind = ("L" if pixels.shape[2] <= 2 else "RGB") + ("A" if "A" in layer else "")
    return Raw(pixels, kind, 32, chromaticities=primaries, notes=notes)


def _check_header(data: bytes) -> None:
    """Attributes must end within the file, and channels be as many as pictures have: the library takes time by the
    square of their number, minutes for a small file. Layout: OpenEXR File Layout, "Header" and "Multi-part"."""
    at, several = 8, int.from_bytes(data[4:8], "little") & _SEVERAL_PARTS
    while True:
        start = at
        while (first := data[at : at + 1]) != b"\0":
            name_end = data.find(b"\0", at, at + _LONGEST_NAME + 1)
            type_end = data.find(b"\0", name_end + 1, name_end + 2 + _LONGEST_NAME)
            if not first or min(name_end, type_end) < 0:
                raise CorruptStream(_DAMAGED_HEADER)
            size = int.from_bytes(data[type_end + 1 : type_end + 5], "little")
            if data[at:name_end] == b"channels" and size > _CHANNELS_BYTES:
                raise Unsupported("an OpenEXR file of thousands of channels cannot be read")
            at = type_end + 5 + size
        at += 1
        if not several or at == start + 1:
            return


def _parts(data: bytes, *, header_only: bool = False, threads: int = 0) -> list[Any]:
    """The parts of the file; those whose pixels are damaged are left out by the library."""
    import OpenEXR

    with _quietly():
        try:
            file = OpenEXR.File(
                io.BytesIO(data), separate_channels=True, header_only=header_only, num_threads=max(threads, 1)
            )
        except (RuntimeError, ValueError, TypeError, OSError) as error:
            raise CorruptStream(_DAMAGED_HEADER) from error
    return list(file.parts)


def _check_sizes(parts: list[Any], source: Source) -> None:
    """Every part is read, so every part's claim must be one that the file can hold and memory may take."""
    import OpenEXR

    total = 0
    for part in parts:
        header = part.header
        if header.get("type") not in (OpenEXR.scanlineimage, OpenEXR.tiledimage):
            raise Unsupported("deep OpenEXR files cannot be read")
        width, height = _size(header)
        source.check_size(width, height)
        tile = _tile(header)
        if tile[0] > max(width, _TILE_SIDE) or tile[1] > max(height, _TILE_SIDE):  # a buffer is made for each
            raise CorruptStream(f"the OpenEXR file claims tiles of {tile[0]} × {tile[1]} pixels")
        chunks = math.ceil(height / (tile[1] or _CHUNK_ROWS))
        if 8 * chunks > len(source.data):  # the table of chunks alone is longer
            raise CorruptStream(f"the OpenEXR file is too short for the {width} × {height} pixels that it claims")
        total += width * height * (len(header["channels"]) * _SAMPLE_BYTES + _FINISH_BYTES)
    memory.require(total, "reading this OpenEXR file")


def _tile(header: dict[str, Any]) -> tuple[int, int]:
    """Width and height of a tile; 0, 0 in a file of scanlines."""
    tiles = header.get("tiles")
    return (int(tiles.xSize), int(tiles.ySize)) if tiles is not None else (0, 0)


def _size(header: dict[str, Any]) -> tuple[int, int]:
    (left, top), (right, bottom) = (tuple(int(v) for v in corner) for corner in header["dataWindow"])
    return right - left + 1, bottom - top + 1


def _picture_part(parts: list[Any], notes: list[str]) -> tuple[int, Layer]:
    """The first part with colour or luminance, else with any channel, and its channels; notes say what is left out."""
    for choose in (_layer, _any_channel):
        for number, part in enumerate(parts):
            names = [c.name for c in part.header["channels"] if (c.xSampling, c.ySampling) == (1, 1)]
            found = choose(names)
            if found is not None:
                found |= _chroma(found, part.header)
                if len(parts) > 1:
                    name = f", “{part.name()}”" if part.name() else ""
                    notes.append(f"part {number + 1} of {len(parts)}{name}")
                _tell(found, part.header, notes)
                return number, found
    raise Unsupported("this OpenEXR file has no channel of light")


def _layer(names: list[str]) -> Layer | None:
    """R, G, B (and A) of the nameless layer, else of the first that has them; else Y of such."""
    layers: dict[str, Layer] = {}
    for name in sorted(names, key=lambda name: (name.count("."), name)):
        prefix, _, last = name.rpartition(".")
        if last.lower() in _NAMES:
            layers.setdefault(prefix, {}).setdefault(_NAMES[last.lower()], name)
    for wanted in ("RGB", "Y"):
        for layer in layers.values():
            if set(wanted) <= set(layer):
                return {kind: layer[kind] for kind in (*wanted, "A") if kind in layer}
    return None


def _chroma(layer: Layer, header: dict[str, Any]) -> Layer:
    """RY and BY beside the layer's Y, at whatever resolution the format allows; nothing where one is missing."""
    prefix, dot, last = layer.get("Y", "").rpartition(".")
    if last != "Y":
        return {}
    fit = {c.name for c in header["channels"] if (c.xSampling, c.ySampling) in exr_chroma.SAMPLINGS}
    found = {kind: f"{prefix}{dot}{kind}" for kind in ("RY", "BY")}
    return found if fit >= set(found.values()) else {}


def _any_channel(names: list[str]) -> Layer | None:
    return {"Y": names[0]} if names else None


def _tell(layer: Layer, header: dict[str, Any], notes: list[str]) -> None:
    used = set(layer.values())
    if used - {"R", "G", "B", "A"}:
        notes.append(f"read from the channel{'s' if len(used) > 1 else ''} {', '.join(layer.values())}")
    others = [c.name for c in header["channels"] if c.name not in used]
    if others:
        shown = ", ".join(others[:6]) + (" …" if len(others) > 6 else "")
        notes.append(f"{len(others)} further channel{'s' if len(others) > 1 else ''} left out: {shown}")
    display = _size({"dataWindow": header["displayWindow"]})
    if display != _size(header):
        notes.append(f"the stored window of a picture of {display[0]} × {display[1]}")


def exr_bytes(image: Image) -> bytes:
    """A float picture as an OpenEXR file (ZIP, lossless): half floats where they hold every sample exactly, else float.

    Straight alpha is multiplied in, as the format has it; a mask becomes alpha 0 and 1. The primaries are named.
    """
    import OpenEXR

    light = over_black(image).pixels if image.alpha is Alpha.STRAIGHT else image.colour_pixels
    names = "Y" if image.is_gray else "RGB"
    channels = {name: light[:, :, place] for place, name in enumerate(names)}
    if image.alpha_plane is not None:
        channels["A"] = image.alpha_plane
    elif image.mask is not None:
        channels["A"] = image.mask.astype(np.float32)
    with np.errstate(over="ignore"):
        halves = {name: plane.astype(np.float16) for name, plane in channels.items()}
    if all(np.array_equal(halves[name], plane, equal_nan=True) for name, plane in channels.items()):
        channels = halves
    return written(channels, {"compression": OpenEXR.ZIP_COMPRESSION}, image.color)


def written(channels: Mapping[str, np.ndarray], header: Mapping[str, Any], color: ColorSpec) -> bytes:
    """The file of scanlines with these `channels` (H×W, f16 or f32, by name), which are in the primaries of `color`."""
    import OpenEXR

    whole = {
        "type": OpenEXR.scanlineimage,
        "chromaticities": chromaticities(color.primaries),
        **header,
    }
    out = io.BytesIO()
    OpenEXR.File(whole, {name: np.ascontiguousarray(plane) for name, plane in channels.items()}).write(out)
    return out.getvalue()


def is_dwa(data: bytes) -> bool:
    """Whether the first part of an OpenEXR file is compressed by DWA, the lossy one; `CorruptStream` without a part."""
    parts = _parts(data, header_only=True)
    if not parts:
        raise CorruptStream("the OpenEXR file has no part")
    return "DWA" in str(parts[0].compression())


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Nothing on standard output or error meanwhile: the library and its codecs comment on damaged files there."""
    with _quiet_lock, contextlib.redirect_stdout(io.StringIO()), _to_nowhere(1), _to_nowhere(2):
        try:
            yield
        finally:
            if os.name == "posix":
                ctypes.CDLL(None).fflush(None)  # of what C prints to a pipe or a file the end is still in its buffer


@contextlib.contextmanager
def _to_nowhere(stream: int) -> Iterator[None]:
    kept = os.dup(stream)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream)
        yield
    finally:
        os.dup2(kept, stream)
        os.close(kept)
        os.close(nowhere)


READER = Reader("OpenEXR", (".exr",), lambda data: data.startswith(_MAGIC), _read)
