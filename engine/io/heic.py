"""HEIC (HEVC in HEIF, ISO/IEC 23008-12) through pillow-heif, an optional extra: its wheels hold x265, which is GPL."""

from __future__ import annotations

import struct
from types import ModuleType

import numpy as np

from engine.errors import Unsupported
from engine.io.source import CHANNELS, Raw, Reader, Source, as_planes

INSTALL = "install the extra with \"pip install 'ratescope[heic]'\" (it brings x265 and libde265, under GPL and LGPL)"
_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_ANY_CODING, _AV1 = {b"mif1", b"msf1"}, {b"avif", b"avis"}
_MODES = {1: ("L", "I"), 3: ("RGB",), 4: ("RGBA", "RGBa")}  # by channels; what follows a semicolon is the depth


def load() -> ModuleType | None:
    """pillow-heif, or None where it is not installed."""
    try:
        import pillow_heif
    except ImportError:
        return None
    return pillow_heif


def _sniff(data: bytes) -> bool:
    if data[4:8] != b"ftyp":
        return False
    (size,) = struct.unpack_from(">I", data, 0)
    brands = data[8 : min(max(size, 16), 256)]
    named = {brands[i : i + 4] for i in range(0, len(brands), 4)}
    return bool(named & _BRANDS) or (bool(named & _ANY_CODING) and not named & _AV1)


def _read(source: Source) -> Raw:
    heif = load()
    if heif is None:
        raise Unsupported("HEIC pictures cannot be read here", hint=INSTALL)
    file = heif.open_heif(source.data, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    source.check_size(*file.size)
    depth, mode = int(file.info.get("bit_depth", 8)), str(file.mode)
    pixels = as_planes(np.asarray(file))
    if mode.partition(";")[0] not in _MODES.get(pixels.shape[2], ()) or pixels.dtype not in (np.uint8, np.uint16):
        raise Unsupported(f"HEIC samples of the kind '{mode}' cannot be read")
    bits = depth if pixels.dtype == np.uint16 else 8
    raw = Raw(pixels, CHANNELS[pixels.shape[2]], bits, file.info.get("icc_profile"), premultiplied="a" in mode)
    profile = file.info.get("nclx_profile")
    if profile and raw.icc is None:  # a file with both means the ICC profile, which knows more
        raw.cicp = (profile["color_primaries"], profile["transfer_characteristics"])
    if len(file) > 1:
        raw.notes.append(f"the main one of {len(file)} pictures")
    return raw


READER = Reader("HEIC", (".heic", ".heif", ".hif"), _sniff, _read)
