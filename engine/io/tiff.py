"""TIFF 6.0 and BigTIFF through tifffile: the first page, 8 or 16 bits, grey, RGB, palette or CMYK; light in floats."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

from engine.errors import CorruptStream, Unsupported
from engine.io import jxl_header, lzw, pillow
from engine.io.source import CHANNELS, Raw, Reader, Source, as_planes, full_bytes

# By number (TIFF 6.0 and the registry since): what expands to no more than the strip can hold …
_PLAIN = (2, 3, 4, 5, 8, 32773, 32946, 34925, 50000)  # CCITT, LZW, deflate, PackBits, LZMA, Zstandard
# … and what is a picture file.
_JPEG_XL = 50002
_PICTURES = (7, 33003, 33004, 33005, 34712, 34892, 34933, 50001, _JPEG_XL)  # JPEG, JPEG 2000, PNG, WebP
_HEADER_BYTES = 4096
_LOW_BIT_FIRST = 2  # the order of bits in bytes, by the tag FillOrder
_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_KINDS = (("b", 1), ("u", 1), ("u", 2), ("f", 2), ("f", 4))
_ASSOCIATED = 1  # extra sample: alpha that the colours are multiplied by


def _read(source: Source) -> Raw:
    import tifffile

    with tifffile.TiffFile(io.BytesIO(source.data)) as file:
        page: Any = file.pages.first
        source.check_size(page.imagewidth, page.imagelength)
        _check_whole(page, len(source.data))
        _check_segments(page, source)
        raw = _raw(page, _samples(page))
        if len(file.pages) > 1:
            raw.notes.append(f"the first of {len(file.pages)} pages")
    return raw


def _check_whole(page: Any, size: int) -> None:
    """tifffile fills what lies outside the file with zeros; we would rather say that it is missing."""
    if page.samplesperpixel > 16:
        raise Unsupported(f"a TIFF with {page.samplesperpixel} samples a pixel cannot be read")
    cut_off = any(a + n > size for a, n in zip(page.dataoffsets, page.databytecounts, strict=False))
    if cut_off or len(page.dataoffsets) < math.prod(page.chunked):
        raise CorruptStream("the TIFF file ends before its pixels do")


def _check_segments(page: Any, source: Source) -> None:
    """Strips that are files of their own state their own size, which their decoder would believe."""
    import tifffile

    if page.compression == tifffile.COMPRESSION.LZW:
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
            segment = source.data[offset : offset + count]
            lzw.require_sound(segment.translate(_TURNED) if page.fillorder == _LOW_BIT_FIRST else segment)
    if page.compression in (tifffile.COMPRESSION.NONE, *_PLAIN):
        return
    if page.compression not in _PICTURES:
        name = getattr(page.compression, "name", page.compression)
        raise Unsupported(f"a TIFF compressed by '{name}' cannot be read")
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        segment = source.data[offset : offset + count]
        if page.compression == _JPEG_XL:
            header = jxl_header.parse(segment[:_HEADER_BYTES])
            source.check_size(header.width, header.height)
        else:
            source.check_size(*pillow.stated_size(segment))


def _samples(page: Any) -> np.ndarray:
    """H×W×C u8, u16, f16 or f32 as stored."""
    import tifffile

    if page.dtype is None or (page.dtype.kind, page.dtype.itemsize) not in _KINDS:
        kind = page.dtype or f"{page.bitspersample}-bit"
        raise Unsupported(
            f"TIFF samples of the kind '{kind}' cannot be read; 8 and 16-bit whole numbers and floats can"
        )
    if page.imagedepth != 1:
        raise Unsupported("a TIFF volume cannot be read")
    pixels = page.asarray()
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and pixels.ndim == 3:
        pixels = pixels.transpose(1, 2, 0)
    return as_planes(pixels)


def _raw(page: Any, pixels: np.ndarray) -> Raw:
    import tifffile

    photometric = tifffile.PHOTOMETRIC
    notes: list[str] = []
    bits = page.bitspersample
    if pixels.dtype.kind == "f":
        return _light(page, pixels, notes)
    if page.photometric == photometric.PALETTE:
        colours = np.asarray(page.colormap).T
        pixels, bits = _narrow(colours[pixels[:, :, 0].clip(0, len(colours) - 1)]), 8
        notes.append("palette colours spread to RGB")
    else:
        pixels, bits = _full_range(pixels, bits)
    if page.photometric == photometric.MINISWHITE:
        pixels = (2**bits - 1) - pixels
    channels, pixels = _channels(page, pixels, notes)
    icc = page.tags.valueof("InterColorProfile")
    turn = page.tags.valueof("Orientation") or 1
    premultiplied = channels.endswith("A") and page.extrasamples[0] == _ASSOCIATED
    return Raw(pixels, channels, bits, icc, orientation=int(turn), premultiplied=premultiplied, notes=notes)


def _light(page: Any, pixels: np.ndarray, notes: list[str]) -> Raw:
    """Floats: linear light, by the custom of every program that writes them."""
    import tifffile

    if page.photometric not in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.MINISBLACK):
        raise Unsupported("a TIFF with floats is read as RGB or grey only")
    channels, pixels = _channels(page, pixels, notes)
    notes.append("floats are taken as linear light")
    if page.tags.valueof("InterColorProfile"):
        notes.append("its colour profile does not apply to linear light and was ignored")
    turn = page.tags.valueof("Orientation") or 1
    white, primaries = (_rationals(page.tags.valueof(tag)) for tag in ("WhitePoint", "PrimaryChromaticities"))
    known = len(white) == 2 and len(primaries) == 6
    chromaticities = (*primaries, *white) if known else None
    return Raw(pixels, channels, 32, orientation=int(turn), notes=notes, chromaticities=chromaticities)


def _rationals(value: Any) -> tuple[float, ...]:
    """Pairs of numerator and denominator as numbers; nothing where one makes no sense."""
    flat = tuple(value) if isinstance(value, tuple) else ()
    pairs = list(zip(flat[::2], flat[1::2], strict=False))
    return tuple(a / b for a, b in pairs) if all(b for _, b in pairs) else ()


def _narrow(colours: np.ndarray) -> np.ndarray:
    """A colour map's 16 bits as 8: many writers leave the low byte empty, so it says nothing."""
    return (colours >> 8).astype(np.uint8)


def _full_range(pixels: np.ndarray, bits: int) -> tuple[np.ndarray, int]:
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255), 8
    return full_bytes(pixels, bits)


def _channels(page: Any, pixels: np.ndarray, notes: list[str]) -> tuple[str, np.ndarray]:
    """Which channels are what; extra samples that are not alpha are left out, and said so."""
    import tifffile

    photometric = tifffile.PHOTOMETRIC
    if page.photometric == photometric.SEPARATED:
        base, name = 4, "CMYK"
    elif page.photometric in (photometric.RGB, photometric.YCBCR, photometric.PALETTE):
        base, name = 3, "RGB"
    elif page.photometric in (photometric.MINISBLACK, photometric.MINISWHITE):
        base, name = 1, "L"
    else:
        raise Unsupported(
            f"TIFF colours of the kind '{getattr(page.photometric, 'name', page.photometric)}' cannot be read"
        )
    if pixels.shape[2] < base:
        raise CorruptStream(f"{pixels.shape[2]} samples a pixel are too few for {name}")
    keep = base + 1 if name != "CMYK" and page.extrasamples and page.extrasamples[0] in (1, 2) else base
    if pixels.shape[2] > keep:
        notes.append(f"{pixels.shape[2] - keep} further channels left out")
    return (name if keep == base else CHANNELS[keep]), pixels[:, :, :keep]


READER = Reader("TIFF", (".tif", ".tiff"), lambda data: data.startswith(_MAGIC), _read)
