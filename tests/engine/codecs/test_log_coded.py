"""Light within our container: the header and the file inside must agree, and neither is believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine import container, registry
from engine.codec import Ctx
from engine.codecs.log_coded import SUFFIX
from engine.color import LINEAR_SRGB
from engine.container import Section
from engine.errors import CorruptStream, EngineError, LimitExceeded, Unsupported
from engine.formats import identify, sections, suffix_of
from engine.image import Alpha, Image
from engine.light import LogTransfer

CTX = Ctx()
WRAPPED = ["jpeg2000", "jxl", "avif"]


def ramp(height: int = 24, width: int = 40, channels: int = 3) -> Image:
    stops = np.linspace(-12, 5, height * width * channels).reshape(height, width, channels)
    return Image(np.exp2(stops).astype(np.float32), LINEAR_SRGB)


@pytest.fixture(params=WRAPPED)
def wrapped(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    return request.param, registry.codec(request.param).encode(ramp(), {}, CTX).data


def test_the_file_tells_its_codec_its_parts_and_its_suffix(wrapped: tuple[str, bytes]) -> None:
    codec_id, data = wrapped
    form = identify(data)
    assert (form.codec, form.ours) == (codec_id, True)
    parts = sections(data)
    assert [part.name for part in parts] == ["header", "file", "checksum"]
    assert sum(part.size for part in parts) == len(data)
    assert len(data) - len(container.read(data).section(Section.FILE)) <= 25
    info = registry.codec(codec_id).info
    assert suffix_of(data, info) == SUFFIX != info.extension


def test_the_suffix_of_other_files_is_the_codec_s_own() -> None:
    for codec_id, settings in (("wavelet", {}), ("jxl", {"light": "float"})):
        codec = registry.codec(codec_id)
        assert suffix_of(codec.encode(ramp(), settings, CTX).data, codec.info) == codec.info.extension


def test_a_changed_file_inside_is_refused_or_decodes_to_its_size(wrapped: tuple[str, bytes]) -> None:
    """With a checksum that fits, so that the decoders behind it have to object."""
    codec_id, data = wrapped
    stream = container.read(data)
    file = stream.section(Section.FILE)
    rng = np.random.default_rng(2)
    refused = 0
    for turn in range(100):
        mutant = bytearray(file)
        for place in rng.integers(0, len(file), rng.integers(1, 4)):
            mutant[place] = rng.integers(256)
        payload = bytes(mutant[: rng.integers(len(file))] if turn % 4 == 0 else mutant)
        try:
            image = registry.codec(codec_id).decode(
                container.write(codec_id, stream.picture, {Section.FILE: payload}), CTX
            )
        except (CorruptStream, LimitExceeded, Unsupported):
            refused += 1
            continue
        assert image.pixels.shape == ramp().pixels.shape and np.isfinite(image.pixels).all()
    assert refused >= 20


def test_a_header_that_contradicts_the_file_is_refused(wrapped: tuple[str, bytes]) -> None:
    codec_id, data = wrapped
    stream = container.read(data)
    for lie in (
        {"width": 41},
        {"height": 2**20},
        {"channels": 1},
        {"channels": 4, "alpha": Alpha.STRAIGHT},
        {"bits": 16, "transfer": None},
    ):
        picture = replace(stream.picture, **lie)
        forged = container.write(codec_id, picture, {Section.FILE: stream.section(Section.FILE)})
        with pytest.raises(CorruptStream):
            registry.codec(codec_id).decode(forged, CTX)


def test_a_stream_of_another_codec_is_refused_by_name(wrapped: tuple[str, bytes]) -> None:
    codec_id, data = wrapped
    other = WRAPPED[WRAPPED.index(codec_id) - 1]
    with pytest.raises(Unsupported, match=f"written by the codec '{codec_id}'"):
        registry.codec(other).decode(data, CTX)
    with pytest.raises(CorruptStream, match="no file section"):
        registry.codec(codec_id).decode(container.write(codec_id, container.read(data).picture, {}), CTX)


def test_a_file_of_8_bits_inside_is_refused(wrapped: tuple[str, bytes]) -> None:
    codec_id, data = wrapped
    codec = registry.codec(codec_id)
    flat = codec.encode(Image(np.zeros((24, 40, 3), np.uint8)), {}, CTX).data
    forged = container.write(codec_id, container.read(data).picture, {Section.FILE: flat})
    with pytest.raises(CorruptStream, match="does not hold codes of"):
        codec.decode(forged, CTX)


def test_codes_beyond_their_range_are_refused_in_wavelet_too() -> None:
    codec = registry.codec("wavelet")
    data = codec.encode(ramp(), {}, CTX).data
    stream = container.read(data)
    assert stream.picture.transfer == LogTransfer.reaching(32.0)
    plain = replace(stream.picture, bits=8, transfer=None)
    with pytest.raises(EngineError):
        codec.decode(container.write("wavelet", plain, {Section.WAVELET: bytes(30)}), CTX)


def test_floats_that_were_not_made_to_fit_are_refused() -> None:
    pixels = ramp().pixels.copy()
    pixels[3, 3, 1] = np.nan
    transparent = Image(np.ones((4, 4, 4), np.float32), LINEAR_SRGB, Alpha.STRAIGHT)
    for codec_id in ("wavelet", "jpeg2000"):
        for image in (Image(pixels, LINEAR_SRGB), transparent):
            with pytest.raises(Unsupported):
                registry.codec(codec_id).encode(image, {}, CTX)


def test_jxl_holds_light_as_a_plain_file_of_its_own() -> None:
    codec = registry.codec("jxl")
    image = ramp()
    data = codec.encode(image, {"light": "float", "distance": 0.3}, CTX).data
    assert identify(data).name == "JPEG XL" and not identify(data).ours
    stops = [np.log2(each.pixels + 2.0**-10) for each in (image, codec.decode(data, CTX))]
    assert np.abs(stops[0] - stops[1]).mean() < 0.05
    exact = codec.encode(image, {"lossless": True}, CTX).data
    assert (codec.decode(exact, CTX).pixels == image.pixels).all()
