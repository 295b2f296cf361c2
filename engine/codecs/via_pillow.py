"""Encoding through Pillow, for the codecs that it wraps. Nothing but pixels and colour is written."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image as PillowImage
from PIL import __version__ as pillow_version
from PIL import features

from engine.codec import CodecInfo
from engine.codecs.checks import encoding, profile_of
from engine.image import Image


def missing(feature: str, name: str) -> str | None:
    """None if Pillow here was built with `feature`, else what to do about it."""
    if features.check(feature):
        return None
    return f"this Pillow {pillow_version} was built without {name}: install the wheel with 'pip install -U pillow'"


def library(feature: str, name: str) -> str:
    """Library and version, as codec versions name it."""
    return f"{name} {features.version(feature)}, Pillow {pillow_version}"


def save(image: Image, info: CodecInfo, pillow_format: str, **options: Any) -> bytes:
    """The file that Pillow writes for an 8-bit picture, with its colour profile where it needs one."""
    pixels = image.pixels[:, :, 0] if image.channels == 1 else image.pixels
    out = io.BytesIO()
    with encoding(info):
        PillowImage.fromarray(pixels).save(out, pillow_format, icc_profile=profile_of(image), exif=b"", **options)
    return out.getvalue()
