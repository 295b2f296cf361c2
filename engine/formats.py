"""What a file is, told by its content, and the sections that it is made of.

Only the outer structure is walked: segments of JPEG (ITU-T T.81 B.1), boxes of JPEG 2000, AVIF and JPEG XL
(ISO/IEC 14496-12), chunks of WebP (RIFF) and PNG, marker segments of a JPEG 2000 codestream (ITU-T T.800 A).
Every length is checked against the data, nothing is allocated by a header's word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine import container, io
from engine.codec import CodecInfo
from engine.codecs import log_coded, texture
from engine.errors import CorruptStream
from engine.io import exr


@dataclass(frozen=True)
class Format:
    """A file format by its name.

    codec: id of the codec that decodes it, None where only the picture readers do. ours: one of our own codecs
    wrote it, so that its decoder alone gives the very pixels that were measured.
    """

    name: str
    codec: str | None
    ours: bool = False


@dataclass(frozen=True)
class Section:
    """`count` neighbouring parts of one name: `size` bytes from `offset` on."""

    name: str
    offset: int
    size: int
    count: int = 1


def identify(data: bytes) -> Format:
    """The format of `data` by its content; `UnknownFormat` if it is none that we know."""
    if container.is_ours(data):
        # Only a stream that is whole says which codec wrote it.
        return Format(_OURS, container.read(data).codec, ours=True)
    name = io.reader_of(data).format
    if name in _TEXTURES:
        return Format(name, texture.codec_of(data))
    if name == _EXR:
        return Format(name, "exr-dwa" if exr.is_dwa(data) else None)
    return Format(name, _CODECS.get(name))


def suffix_of(data: bytes, info: CodecInfo) -> str:
    """The suffix of a file that `info`'s codec wrote: its own, our container's where that holds light, or
    that of the kind of texture file that was chosen."""
    if texture.is_texture(data):
        return texture.suffix_of(data)
    wrapped = container.is_ours(data) and container.Section.FILE in container.read(data).sections
    return log_coded.SUFFIX if wrapped else info.extension


def sections(data: bytes) -> list[Section]:
    """The outer parts of `data` in order; they cover it without a gap. `CorruptStream` if one is cut off."""
    walk = _WALKS.get(identify(data).name, _whole)
    merged: list[Section] = []
    for name, start, end in walk(data):
        if not start < end <= len(data):
            raise CorruptStream(f"the section '{name}' ends too early")
        last = merged[-1] if merged else None
        if last is not None and last.name == name:
            merged[-1] = Section(name, last.offset, last.size + end - start, last.count + 1)
        else:
            merged.append(Section(name, start, end - start))
    return merged


Parts = Iterator[tuple[str, int, int]]
"""(name, start, end) of each part."""


def _whole(data: bytes) -> Parts:
    yield "data", 0, len(data)


def _ours(data: bytes) -> Parts:
    stream = container.read(data)
    at = len(data) - container.CHECKSUM_BYTES - sum(map(container.section_bytes, stream.sections.values()))
    yield "header", 0, at
    for kind, payload in stream.sections.items():
        end = at + container.section_bytes(payload)
        yield container.section_name(kind), at, end
        at = end
    yield "checksum", at, len(data)


_JPEG_NAMES = {0xC4: "DHT", 0xDB: "DQT", 0xDD: "DRI", 0xFE: "COM", 0xDA: "SOS"}


def _jpeg(data: bytes) -> Parts:
    yield "SOI", 0, 2
    at = 2
    while at < len(data):
        if data[at] != 0xFF:
            yield "trailing", at, len(data)
            return
        marker = data[at + 1] if at + 1 < len(data) else -1
        if marker == 0xD9:
            yield "EOI", at, at + 2
            at += 2
            continue
        end = at + 2 + _be(data, at + 2, 2)
        yield _jpeg_name(marker), at, end
        at = end
        if marker == 0xDA:
            end = _end_of_scan(data, at)
            yield "scan", at, end
            at = end


def _jpeg_name(marker: int) -> str:
    if 0xE0 <= marker <= 0xEF:
        return f"APP{marker - 0xE0}"
    if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
        return f"SOF{marker - 0xC0}"
    return _JPEG_NAMES.get(marker, f"marker {marker:#04x}")


def _end_of_scan(data: bytes, at: int) -> int:
    """Entropy-coded data end at a marker that is neither a stuffed zero nor a restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7 or data[at + 1] == 0xFF:
            at += 1 if data[at + 1] == 0xFF else 2
            continue
        return at


def _boxes(data: bytes) -> Parts:
    at = 0
    while at < len(data):
        size, name = _be(data, at, 4), data[at + 4 : at + 8].decode("latin-1").strip()
        if size == 1:
            size = _be(data, at + 8, 8)
        elif size == 0:
            size = len(data) - at
        if size < 8:
            raise CorruptStream(f"the box '{name}' has an impossible size of {size} bytes")
        yield name, at, at + size
        at += size


def _riff(data: bytes) -> Parts:
    yield "RIFF", 0, 12
    at = 12
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        end = min(at + 8 + size + (size & 1), max(len(data), at + 8 + size))
        yield data[at : at + 4].decode("latin-1").strip(), at, end
        at = end


def _png(data: bytes) -> Parts:
    yield "signature", 0, 8
    at = 8
    while at < len(data):
        end = at + 12 + _be(data, at, 4)
        yield data[at + 4 : at + 8].decode("latin-1"), at, end
        at = end


_J2K_NAMES = {0x51: "SIZ", 0x52: "COD", 0x53: "COC", 0x5C: "QCD", 0x5D: "QCC", 0x64: "COM", 0x55: "TLM", 0x5F: "POC"}


def _j2k(data: bytes) -> Parts:
    yield "SOC", 0, 2
    at = 2
    while at < len(data):
        marker = _be(data, at, 2)
        if marker == 0xFFD9:
            yield "EOC", at, at + 2
            at += 2
        elif marker == 0xFF90:
            length = _be(data, at + 6, 4)
            end = at + length if length else max(len(data) - 2, at + 1)
            if end <= at:
                raise CorruptStream("a tile-part has an impossible length")
            yield "tile-part", at, end
            at = end
        elif marker >> 8 != 0xFF:
            yield "trailing", at, len(data)
            return
        else:
            end = at + 2 + _be(data, at + 2, 2)
            yield _J2K_NAMES.get(marker & 0xFF, f"marker {marker:#06x}"), at, end
            at = end


def _be(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise CorruptStream("the data end in the middle of a header")
    return int.from_bytes(data[at : at + size], "big")


def _jpeg2000(data: bytes) -> Parts:
    return _j2k(data) if data[:2] == b"\xff\x4f" else _boxes(data)


def _jxl(data: bytes) -> Parts:
    return _whole(data) if data[:2] == b"\xff\x0a" else _boxes(data)


_OURS = "Ratescope"
_CODECS = {"JPEG": "jpeg", "JPEG 2000": "jpeg2000", "WebP": "webp", "AVIF": "avif", "JPEG XL": "jxl", "HEIC": "heic"}
_TEXTURES = ("DDS", "KTX2")
_EXR = "OpenEXR"
_WALKS: dict[str, Callable[[bytes], Parts]] = {
    _OURS: _ours,
    "JPEG": _jpeg,
    "JPEG 2000": _jpeg2000,
    "WebP": _riff,
    "AVIF": _boxes,
    "HEIC": _boxes,
    "JPEG XL": _jxl,
    "PNG": _png,
}
