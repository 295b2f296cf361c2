"""Our codecs beside the libraries that people would take instead, at equal rates and on one thread."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from engine import registry
from engine.bench.pictures import large_photograph, photograph
from engine.bench.work import Side, Work, clock
from engine.codec import Codec, Ctx, Loading, Settings
from engine.image import Image
from engine.rate import solve_rate
from engine.trial import Target, TargetKind

RATE = 1.0  # bpp of the classical codecs
LEARNED_RATE = 0.5
_BASELINE = {"trellis": False, "scans": "sequential"}
_PROGRESSIVE = {"trellis": False}

Peer = Callable[[Image, float], Side]


def works() -> Iterator[Work]:
    """The suite."""
    small = photograph()
    yield _work("dct-codec", small, "dct", _PROGRESSIVE, partial(_jpeg, progressive=True))
    yield _work("dct-codec-baseline", small, "dct", _BASELINE, partial(_jpeg, progressive=False))
    yield _work("dct-codec-trellis", small, "dct", {}, partial(_jpeg, progressive=True))
    yield _work("wavelet-codec", small, "wavelet", {}, _jpeg2000)
    learned = registry.codec("hyperprior")
    if learned.available() is None:
        yield _work("hyperprior-codec", small, "hyperprior", {}, _avif, rate=LEARNED_RATE)


def large_works() -> Iterator[Work]:
    """The suite of large pictures."""
    large = large_photograph()
    yield _work("dct-codec-24mp", large, "dct", _PROGRESSIVE, partial(_jpeg, progressive=True))
    yield _work("dct-codec-baseline-24mp", large, "dct", _BASELINE, partial(_jpeg, progressive=False))


def _work(name: str, image: Image, codec_id: str, settings: Settings, peer: Peer, *, rate: float = RATE) -> Work:
    codec = registry.codec(codec_id)
    what = f"`{codec_id}`, an RGB photograph of {image.width}×{image.height} at {rate:g} bpp"
    return Work(name, what, "ms", _ours(codec, image, settings, rate), peer(image, rate))


def _ours(codec: Codec, image: Image, settings: Settings, rate: float) -> Side:
    if isinstance(codec, Loading):
        codec.load()
    chosen, bpp = at_rate(codec, image, rate, settings)
    ctx = Ctx(threads=1)
    data = codec.encode(image, chosen, ctx).data
    return Side(
        f"ratescope {codec.info.id}",
        f"{settings_text(chosen)}; {bpp:.3f} bpp, 1 thread",
        clock(lambda: codec.encode(image, chosen, ctx)),
        clock(lambda: codec.decode(data, ctx)),
    )


def at_rate(codec: Codec, image: Image, rate: float, settings: Settings) -> tuple[dict[str, Any], float]:
    """The settings that take `image` to `rate`, and the rate that they give."""
    best = solve_rate(codec, image, Target(TargetKind.BPP, rate), Ctx(threads=1), settings=settings).best
    return best.settings, best.bpp


def settings_text(settings: Settings) -> str:
    """Settings as rows name them."""
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def _jpeg(image: Image, rate: float, *, progressive: bool) -> Side:
    """libjpeg-turbo through Pillow, straight from and to arrays."""
    from PIL import Image as Pillow

    codec = registry.codec("jpeg")
    chosen, bpp = at_rate(codec, image, rate, {"progressive": progressive})
    options = {"quality": chosen["quality"], "subsampling": "4:2:0", "progressive": progressive, "optimize": True}

    def encode() -> bytes:
        out = io.BytesIO()
        Pillow.fromarray(image.pixels).save(out, "JPEG", **options)
        return out.getvalue()

    data = encode()
    settings = f"{settings_text(options)}; {bpp:.3f} bpp, 1 thread"
    return Side(
        codec.version(),
        settings,
        clock(encode),
        clock(lambda: np.asarray(Pillow.open(io.BytesIO(data)))),
    )


def _jpeg2000(image: Image, rate: float) -> Side:
    """OpenJPEG through imagecodecs, straight from and to arrays."""
    import imagecodecs

    codec = registry.codec("jpeg2000")
    chosen, bpp = at_rate(codec, image, rate, {})
    options = {"level": chosen["quality"], "reversible": False, "mct": True, "codecformat": "j2k", "numthreads": 1}
    data = imagecodecs.jpeg2k_encode(image.pixels, **options)
    settings = f"{settings_text(options)}; {bpp:.3f} bpp"
    return Side(
        codec.version(),
        settings,
        clock(lambda: imagecodecs.jpeg2k_encode(image.pixels, **options)),
        clock(lambda: imagecodecs.jpeg2k_decode(data, numthreads=1)),
    )


def _avif(image: Image, rate: float) -> Side:
    """libavif as our table of codecs drives it: aom on one thread, dav1d."""
    codec = registry.codec("avif")
    chosen, bpp = at_rate(codec, image, rate, {"speed": 6})
    ctx = Ctx(threads=1)
    data = codec.encode(image, chosen, ctx).data
    return Side(
        codec.version().partition(";")[0],
        f"{settings_text(chosen)}; {bpp:.3f} bpp, 1 thread",
        clock(lambda: codec.encode(image, chosen, ctx)),
        clock(lambda: codec.decode(data, ctx)),
    )
