"""What every wrapper of a foreign encoder does: check the picture, word the library's failures, name its colours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.codec import CodecInfo
from engine.color import SRGB, profile_bytes
from engine.errors import Cancelled, CodecFailed, EngineError, LimitExceeded, Unsupported
from engine.image import Alpha, Image


def require_carried(image: Image, info: CodecInfo) -> None:
    """`Unsupported` if `image` is not what `info` claims to carry (`engine.carry.fit` makes it so)."""
    can = info.capabilities
    if image.bits not in can.depths:
        raise Unsupported(f"{info.label} carries {' or '.join(map(str, can.depths))} bits a sample, not {image.bits}")
    if image.has_alpha and (not can.alpha or image.alpha is Alpha.PREMULTIPLIED):
        raise Unsupported(f"{info.label} carries {'straight' if can.alpha else 'no'} alpha")
    if max(image.width, image.height) > can.max_side:
        size = f"{image.width} × {image.height}"
        raise Unsupported(f"{info.label} carries sides up to {can.max_side} pixels, this picture is {size}")


@contextmanager
def encoding(info: CodecInfo) -> Iterator[None]:
    """Failures of the library while encoding, as `CodecFailed` with its own words."""
    try:
        yield
    except (EngineError, Cancelled):
        raise
    except MemoryError as error:
        raise LimitExceeded(f"{info.label}: not enough memory to encode this picture") from error
    except Exception as error:  # a library's own exception types are many and undocumented
        raise CodecFailed(f"{info.label} could not encode this picture: {error}") from error


def profile_of(image: Image) -> bytes | None:
    """The ICC profile that a file of `image` needs, or None where sRGB, which every viewer assumes, is right.

    Grey has no primaries: with sRGB's curve it needs none either.
    """
    if image.icc is not None:
        return image.icc
    plain = image.color == SRGB or (image.is_gray and image.color.transfer == SRGB.transfer)
    return None if plain else profile_bytes(image.color)
