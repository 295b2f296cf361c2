"""Reading pictures of any known format, and writing PNG, OpenEXR, Radiance and KTX2.

`READERS` is one ordered list. Each reader says "not mine" by its `sniff` (then the next is asked) and
"mine, but broken" by raising: :class:`CorruptStream`, :class:`Unsupported` or :class:`LimitExceeded`.
Content decides, never the suffix.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine import memory
from engine.channels import is_signed
from engine.codec import Ctx
from engine.doctor import Finding, examine
from engine.errors import Cancelled, CorruptStream, EngineError, LimitExceeded, UnknownFormat, Unsupported
from engine.files import FileMark, mark_of
from engine.image import Image, Meaning
from engine.io import avif, exr, heic, jpeg2000, jxl, netpbm, pillow, png, radiance, textures, tiff
from engine.io.finish import finish
from engine.io.source import Raw, Reader, Source
from engine.io.write import WRITABLE, exact_bytes, png_bytes, write, write_png
from engine.light_sets.names import layers_of, meaning_of

__all__ = [
    "READERS",
    "WRITABLE",
    "Loaded",
    "decode",
    "exact_bytes",
    "formats",
    "load",
    "mask_file",
    "png_bytes",
    "read",
    "read_bytes",
    "reader_of",
    "suffixes",
    "write",
    "write_png",
]

# What these say about damaged files, our errors and notes say too: without a handler it would go to stderr.
for _library in ("imagecodecs", "tifffile"):
    logging.getLogger(_library).addHandler(logging.NullHandler())

READERS: tuple[Reader, ...] = (
    png.READER,
    pillow.JPEG,
    pillow.WEBP,
    avif.READER,
    heic.READER,
    tiff.READER,
    jxl.READER,
    jpeg2000.READER,
    exr.READER,
    radiance.READER,
    textures.DDS,
    textures.KTX2,
    netpbm.READER,
    pillow.BMP,
    pillow.GIF,
    pillow.QOI,
)


_MASK_SUFFIXES = (".png", ".tif", ".exr")


@dataclass(frozen=True)
class Loaded:
    """A picture from a file. notes: what was done to it on the way in, in plain words. format: "PNG", "JPEG", …

    file: which bytes it was read from. findings: what `engine.doctor` found in light as the file holds it.
    signed: the file holds directions of −1 … 1 as floats.
    """

    image: Image
    notes: tuple[str, ...]
    format: str
    path: Path
    file: FileMark
    findings: tuple[Finding, ...] = ()
    signed: bool = False


def read(
    path: str | Path, ctx: Ctx | None = None, *, max_pixels: int | None = None, meaning: Meaning | None = None
) -> Loaded:
    """The picture in `path`, upright, in sRGB or Display P3 code values (see the notes), 8 or 16 bits a sample.

    Light in floats is linear, finite and without alpha, which becomes the mask; so does a mask file beside it.

    max_pixels: what is refused before anything is decoded; by default what fits :func:`engine.memory.limit`.
    meaning: what its channels stand for; by default what its name says (`engine.light_sets.names`), else its samples.
    Raises an `EngineError` that names the file: unreadable, `UnknownFormat`, `CorruptStream`, `Unsupported`
    or `LimitExceeded`.
    """
    path, ctx = Path(path), ctx or Ctx()
    data = read_bytes(path)
    ctx.check()
    loaded = load(data, path, ctx, max_pixels=max_pixels, meaning=meaning)
    layers = layers_of(path)
    if layers > 1:
        loaded = replace(loaded, notes=(*loaded.notes, f"{layers} layers, one under the other, as Godot stores them"))
    beside = mask_file(path) if loaded.image.is_float else None
    return _masked(loaded, beside, ctx) if beside is not None else loaded


def load(
    data: bytes,
    path: Path,
    ctx: Ctx | None = None,
    *,
    max_pixels: int | None = None,
    meaning: Meaning | None = None,
) -> Loaded:
    """:func:`read` where the content of `path` is at hand; `path` itself is not touched."""
    try:
        source = Source(data, max_pixels if max_pixels is not None else memory.max_pixels())
        reader = reader_of(data)
        image, notes, raw = _read_with(reader, source, ctx or Ctx(), _data(path, meaning))
        _require(meaning, image)
        findings = examine(raw.as_light()) if image.is_float else ()
    except EngineError as error:
        raise error.at(path) from error.__cause__
    signed = image.data is Meaning.DIRECTION and raw.pixels.dtype.kind == "f" and is_signed(raw.pixels)
    return Loaded(image, notes, reader.format, path, mark_of(data), findings, signed)


def _data(path: Path, meaning: Meaning | None) -> Meaning | None:
    """DIRECTION or MASK, if that is what was asked for or what the name says."""
    meant = meaning or meaning_of(path)
    return meant if meant in (Meaning.DIRECTION, Meaning.MASK) else None


def _require(meaning: Meaning | None, image: Image) -> None:
    if meaning is not None and meaning is not image.meaning:
        raise Unsupported(f"holds {image.meaning}, as its samples say, and cannot be read as {meaning}")


def mask_file(path: Path) -> Path | None:
    """The picture beside a map of light that says which of its texels count, by its name; None if there is none."""
    names = (f"{path.stem}{mark}{suffix}" for mark in (".mask", "_mask") for suffix in _MASK_SUFFIXES)
    for each in map(path.with_name, names):
        with contextlib.suppress(OSError):  # a name that is too long is no file
            if each.is_file():
                return each
    return None


def _masked(loaded: Loaded, beside: Path, ctx: Ctx) -> Loaded:
    """A picture of light with its mask file: white texels count, as far as its alpha lets them."""
    image, mask = loaded.image, load(read_bytes(beside), beside, ctx).image
    if (mask.width, mask.height) != (image.width, image.height):
        note = f"{beside.name} is {mask.width}×{mask.height}: not used as its mask"
        return replace(loaded, notes=(*loaded.notes, note))
    covered = np.asarray(mask.colour_pixels[:, :, 0] > mask.peak / 2)
    if not covered.any():
        return replace(loaded, notes=(*loaded.notes, f"{beside.name} is black: not used as its mask"))
    note = f"{beside.name} is its mask: {100 * (1 - float(covered.mean())):.1f} % of the texels do not count in scores"
    covered = covered if image.mask is None else covered & image.mask
    findings = tuple(each for each in loaded.findings if each.kind != "gutters")  # the mask names them
    return replace(loaded, image=replace(image, mask=covered), notes=(*loaded.notes, note), findings=findings)


def decode(data: bytes, reader: Reader, ctx: Ctx) -> Image:
    """The picture in `data`, which must be of that reader's format; limits and errors are those of `read`."""
    if not reader.sniff(data):
        raise CorruptStream(f"not a {reader.format} file")
    return _read_with(reader, Source(data, memory.max_pixels(), ctx.threads), ctx, None)[0]


def reader_of(data: bytes) -> Reader:
    """The reader that knows this content; `UnknownFormat` if none does."""
    for reader in READERS:
        if reader.sniff(data):
            return reader
    raise UnknownFormat(_unknown(data), hint=f"known are {', '.join(formats())}")


def read_bytes(path: str | Path) -> bytes:
    """The content of a file that fits in memory and is not empty; an `EngineError` names the file and the cause."""
    try:
        return _bytes_of(Path(path))
    except EngineError as error:
        raise error.at(path) from error.__cause__


def formats() -> list[str]:
    """The names of the formats that can be read, in the order of `READERS`."""
    return [reader.format for reader in READERS]


def suffixes() -> list[str]:
    """The usual file suffixes of these formats (".png", …), for dialogs and for looking through folders."""
    return [suffix for reader in READERS for suffix in reader.suffixes]


def _read_with(reader: Reader, source: Source, ctx: Ctx, data: Meaning | None) -> tuple[Image, tuple[str, ...], Raw]:
    try:
        raw = reader.read(source)
        ctx.check()
        return *finish(raw, data), raw
    except (EngineError, Cancelled):
        raise
    except MemoryError as error:
        raise LimitExceeded(f"decoding this {reader.format} file ran out of memory") from error
    except Exception as error:  # decoders of other people raise whatever they like on damaged input
        raise CorruptStream(f"damaged or incomplete {reader.format} file: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:159] + "…"


def _bytes_of(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise EngineError("is a folder, not a picture")
        if path.exists() and not path.is_file():
            raise EngineError("is not a regular file")
        size = path.stat().st_size
        if size == 0:
            raise CorruptStream("the file is empty")
        memory.require(size, "reading this file")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise EngineError("no such file") from error
    except PermissionError as error:
        raise EngineError("no permission to read it") from error
    except (OSError, ValueError) as error:
        raise EngineError(f"could not be read: {getattr(error, 'strerror', None) or error}") from error


def _unknown(data: bytes) -> str:
    """Why nobody wanted it; formats that people often try are named."""
    if data[4:8] == b"ftyp":
        return f"files of the kind '{data[8:12].decode('ascii', 'replace').strip()}' (video …) cannot be read"
    if data[:4] == b"%PDF":
        return "PDF files cannot be read"
    if data.lstrip()[:5] in (b"<?xml", b"<svg "):
        return "vector graphics cannot be read"
    return "not a picture in a known format"
