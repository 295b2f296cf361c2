"""dct-rans: the pixels of dct, in fewer bytes; honest refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engine import container, io, memory
from engine.codec import Ctx
from engine.codecs import dct
from engine.codecs.dct import DctCodec
from engine.codecs.dct_rans import DctRansCodec
from engine.color import DISPLAY_P3
from engine.container import Picture, Section
from engine.errors import CorruptStream, LimitExceeded, Unsupported, UsageError
from engine.image import Alpha, Image
from engine.samples import samples
from tests.pictures import photo_like

CODEC, PLAIN, CTX = DctRansCodec(), DctCodec(), Ctx()


def both(image: Image, **settings: object) -> tuple[bytes, bytes]:
    """The streams of dct-rans and dct; their pixels are the same."""
    ours, plain = CODEC.encode(image, settings, CTX).data, PLAIN.encode(image, settings, CTX).data
    decoded = CODEC.decode(ours, CTX)
    assert (decoded.pixels == PLAIN.decode(plain, CTX).pixels).all()
    return ours, plain


@pytest.mark.parametrize("chroma", tuple(dct.SAMPLING))
@pytest.mark.parametrize("sides", [(1, 1), (1, 9), (9, 1), (8, 8), (17, 31), (53, 47)])
def test_pixels_are_those_of_dct_in_fewer_bytes(sides: tuple[int, int], chroma: str) -> None:
    for quality, pixels in itertools.product((0, 30, 75, 100), (photo_like(*sides), photo_like(*sides)[:, :, :1])):
        ours, plain = both(Image(pixels), chroma=chroma, quality=quality)
        assert len(ours) < len(plain)


@pytest.mark.parametrize("settings", [{"tables": "annex-k"}, {"tables": "flat"}, {"trellis": False}])
def test_every_knob_means_what_it_means_for_dct(settings: dict[str, object]) -> None:
    both(Image(photo_like(40, 56)), quality=62.5, **settings)


def test_photographs_shrink_by_a_tenth_and_more() -> None:
    for sample in samples():
        if sample.name not in ("coffee", "astronaut", "chelsea", "rocket"):
            continue
        image = Image(np.ascontiguousarray(io.read(sample.path).image.pixels[:256, :384, :3]))
        for quality in (30, 60, 85):
            ours, plain = both(image, quality=quality)
            assert len(ours) < 0.9 * len(plain), (sample.name, quality)


def test_scans_are_no_setting_of_it() -> None:
    assert [p.name for p in CODEC.info.params] == [p.name for p in PLAIN.info.params if p.name != "scans"]
    with pytest.raises(UsageError):
        CODEC.encode(Image(photo_like(8, 8)), {"scans": "sequential"}, CTX)


def test_colours_and_profiles_are_kept() -> None:
    wide = Image(photo_like(20, 20), color=DISPLAY_P3)
    profiled = Image(photo_like(20, 20), icc=b"not a profile, but kept")
    for image in (wide, profiled):
        decoded = CODEC.decode(CODEC.encode(image, {}, CTX).data, CTX)
        assert (decoded.color, decoded.icc) == (image.color, image.icc)


def test_what_it_cannot_carry_is_refused() -> None:
    deep = Image(np.zeros((4, 4, 3), np.uint16), bits=16)
    clear = Image(np.zeros((4, 4, 4), np.uint8), alpha=Alpha.STRAIGHT)
    for image in (deep, clear):
        with pytest.raises(Unsupported):
            CODEC.encode(image, {}, CTX)


def payload_of(image: Image) -> bytes:
    return container.read(CODEC.encode(image, {}, CTX).data).section(Section.DCT_RANS)


def sealed(picture: Picture, payload: bytes) -> bytes:
    return container.write("dct-rans", picture, {Section.DCT_RANS: payload})


def test_headers_that_do_not_go_with_the_stream_are_refused() -> None:
    image, grey = Image(photo_like(30, 20)), Image(photo_like(30, 20)[:, :, :1])
    colour_payload, grey_payload = payload_of(image), payload_of(grey)
    for picture, payload in (
        (Picture.of(image), b""),
        (Picture.of(image), colour_payload[:1]),
        (Picture.of(image), b"\x03" + colour_payload[1:]),
        (Picture.of(image), colour_payload + b"\0"),
        (Picture.of(image), grey_payload),
        (Picture.of(grey), b"\x00" + grey_payload[1:]),
        (Picture(20, 33, 3), colour_payload),
        (Picture(20, 30, 4, Alpha.STRAIGHT), colour_payload),
        (Picture(20, 30, 3, bits=10), colour_payload),
        (Picture(65_501, 1, 3), colour_payload),
    ):
        with pytest.raises(CorruptStream):
            CODEC.decode(sealed(picture, payload), CTX)


def test_another_codecs_stream_is_refused() -> None:
    with pytest.raises(Unsupported, match="wavelet"):
        CODEC.decode(container.write("wavelet", Picture(4, 4, 3), {Section.DCT_RANS: bytes(20)}), CTX)


def test_a_picture_beyond_the_memory_limit_is_refused_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(memory.VARIABLE, "1M")
    with pytest.raises(LimitExceeded):
        CODEC.decode(sealed(Picture(4000, 4000, 3), b"\x00" + bytes(40)), CTX)
