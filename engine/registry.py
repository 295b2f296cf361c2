"""The codecs, in the order in which people meet them.

An explicit table: id -> "module:factory", imported only when that codec is asked for, so that a
missing library disables one row and `import engine` stays light. Command codecs (TOML files) and
plug-ins (entry points in `ratescope.plugins`) follow the built-in rows.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache

from engine.codec import Codec
from engine.codecs.unavailable import UnavailableCodec
from engine.errors import UsageError

BUILTIN: dict[str, str] = {
    "dct": "engine.codecs.dct:DctCodec",
    "wavelet": "engine.codecs.wavelet:WaveletCodec",
    "jpeg": "engine.codecs.jpeg:JpegCodec",
    "jpeg2000": "engine.codecs.jpeg2000:Jpeg2000Codec",
    "webp": "engine.codecs.webp:WebpCodec",
    "avif": "engine.codecs.avif:AvifCodec",
    "jxl": "engine.codecs.jxl:JxlCodec",
}


@cache
def _builtin(codec_id: str) -> Codec:
    module, factory = BUILTIN[codec_id].split(":")
    try:
        return getattr(importlib.import_module(module), factory)()
    except ImportError as error:
        return UnavailableCodec(codec_id, f"a library that it needs does not load: {error}")


def codec_ids() -> list[str]:
    """Every codec's id, built-in rows first."""
    return [*BUILTIN]


def codec(codec_id: str) -> Codec:
    """The codec with this id; `UsageError` lists the known ones."""
    if codec_id in BUILTIN:
        return _builtin(codec_id)
    raise UsageError(f"unknown codec '{codec_id}'; known are {', '.join(codec_ids())}")


def codecs() -> Iterator[Codec]:
    """Every codec in order, usable or not."""
    return (codec(codec_id) for codec_id in codec_ids())
