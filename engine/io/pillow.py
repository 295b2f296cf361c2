"""The formats that Pillow decodes without loss of depth: JPEG, WebP, BMP, GIF, QOI."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable

import numpy as np
from PIL import Image, UnidentifiedImageError

from engine.errors import CorruptStream, Unsupported
from engine.io.exif import orientation
from engine.io.source import Raw, Reader, Source, as_planes

# What a mode becomes so that its samples are 8-bit L, LA, RGB, RGBA or CMYK.
_MODES = {"1": "L", "L": "L", "LA": "LA", "PA": "RGBA", "RGB": "RGB", "RGBA": "RGBA", "RGBX": "RGB", "CMYK": "CMYK"}

_NESTED = ("JPEG", "JPEG2000", "PNG", "WEBP")  # formats of strips within TIFF files
_ARITHMETIC = re.compile(rb"\xff[\xc9\xca\xcb\xcd\xce\xcf]")
_MAX_SCANS = 500  # as libjpeg-turbo's own fuzzers have it; progressive files have about ten

# Sizes are checked by Source.check_size, against the user's own limit, before anything is decoded.
Image.MAX_IMAGE_PIXELS = None


def read(source: Source, name: str) -> Raw:
    """The first frame of a file of the one format that Pillow calls `name`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _opened(source.data, (name,)) as picture:
            source.check_size(*picture.size)
            if name == "JPEG":
                _check_jpeg(source.data, *picture.size)
            picture.load()
            return _raw(picture)


def stated_size(data: bytes) -> tuple[int, int]:
    """Width and height that a picture file within another file claims for itself; nothing is decoded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _opened(data, _NESTED) as picture:
            return picture.size


def _opened(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError as error:  # whose text is about Python objects
        raise CorruptStream("its header is damaged") from error


def _check_jpeg(data: bytes, width: int, height: int) -> None:
    """Refuse what libjpeg would believe: a size that these bytes cannot fill, and passes over it without end.

    Huffman codes are a bit long at least, and the first scan of any file has one for every block (ITU-T T.81, F.1.2
    and G.1.2). Arithmetic codes may be shorter.
    """
    blocks = math.ceil(width / 8) * math.ceil(height / 8)
    if 8 * len(data) < blocks and not _ARITHMETIC.search(data):
        raise CorruptStream(f"the JPEG file is too short for the {width} × {height} pixels that it claims")
    scans = data.count(b"\xff\xda")
    if scans > _MAX_SCANS:
        raise CorruptStream(f"the JPEG file goes over its pixels {scans} times, which no honest file does")


def _raw(picture: Image.Image) -> Raw:
    notes = []
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        notes.append(f"animated: the first of {frames} frames")
    icc, turn = picture.info.get("icc_profile"), _orientation(picture)
    if picture.mode in ("P", "PA"):
        notes.append("palette colours spread to RGB")
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    elif "transparency" in picture.info and picture.mode in ("L", "RGB"):
        picture = picture.convert("LA" if picture.mode == "L" else "RGBA")
    if picture.mode not in _MODES:
        raise Unsupported(f"samples of the kind '{picture.mode}' cannot be read")
    channels = _MODES[picture.mode]
    pixels = np.asarray(picture if picture.mode == channels else picture.convert(channels))
    return Raw(as_planes(pixels), channels, 8, icc or None, None, turn, notes=notes)


def _orientation(picture: Image.Image) -> int:
    exif = picture.info.get("exif")
    return orientation(exif) if exif else 1


def _reader(name: str, suffixes: tuple[str, ...], sniff: Callable[[bytes], bool]) -> Reader:
    return Reader({"WEBP": "WebP"}.get(name, name), suffixes, sniff, lambda source: read(source, name))


JPEG = _reader("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), lambda data: data.startswith(b"\xff\xd8\xff"))
WEBP = _reader("WEBP", (".webp",), lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP")
BMP = _reader("BMP", (".bmp", ".dib"), lambda data: data.startswith(b"BM"))
GIF = _reader("GIF", (".gif",), lambda data: data.startswith((b"GIF87a", b"GIF89a")))
QOI = _reader("QOI", (".qoi",), lambda data: data.startswith(b"qoif"))
