"""What the wrapped encoders really write: the settings that do them justice, colour, and nothing else."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import JpegImagePlugin

from engine import registry
from engine.codec import Ctx
from engine.codecs import via_imagecodecs, via_pillow
from engine.color import DISPLAY_P3, recognise
from engine.errors import CodecFailed, CorruptStream, Unsupported
from engine.image import Alpha, Image
from engine.metrics import scores

CTX = Ctx()
PEERS = ["jpeg", "jpeg2000", "webp", "avif", "jxl"]


def scene(channels: int = 3, height: int = 120, width: int = 150) -> Image:
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 100 * np.sin(x / (9 + 4 * c)) * np.cos(y / (13 - 2 * c)) for c in range(channels)]
    alpha = Alpha.STRAIGHT if channels in (2, 4) else Alpha.NONE
    return Image(np.stack(planes, -1).astype(np.uint8), alpha=alpha)


def noise(side: int) -> Image:
    return Image(np.random.default_rng(3).integers(0, 256, (side, side, 3), dtype=np.uint8))


def encoded(codec_id: str, image: Image, **settings: object) -> bytes:
    return registry.codec(codec_id).encode(image, settings, CTX).data


def opened(data: bytes) -> PillowImage.Image:
    return PillowImage.open(io.BytesIO(data))


@pytest.mark.parametrize("codec_id", ["jpeg", "jpeg2000", "webp", "avif"])
def test_other_programs_see_the_same_pixels(codec_id: str) -> None:
    data = encoded(codec_id, scene())
    ours = registry.codec(codec_id).decode(data, CTX).pixels
    assert np.abs(np.asarray(opened(data)).astype(int) - ours).max() <= 1


@pytest.mark.parametrize("codec_id", ["jpeg", "jpeg2000", "webp", "avif"])
def test_no_metadata_is_written_for_srgb(codec_id: str) -> None:
    picture = opened(encoded(codec_id, scene()))
    assert not {"exif", "xmp", "icc_profile", "dpi"} & set(picture.info)


@pytest.mark.parametrize("codec_id", ["jpeg", "webp", "avif"])
def test_display_p3_is_embedded_as_a_profile(codec_id: str) -> None:
    picture = opened(encoded(codec_id, replace(scene(), color=DISPLAY_P3)))
    assert recognise(picture.info["icc_profile"]) == DISPLAY_P3


@pytest.mark.parametrize("codec_id", PEERS)
def test_grey_needs_no_profile_whatever_its_primaries(codec_id: str) -> None:
    if not registry.codec(codec_id).info.capabilities.gray:
        pytest.skip("carries no grey")
    grey = scene(1)
    assert encoded(codec_id, replace(grey, color=DISPLAY_P3)) == encoded(codec_id, grey)


@pytest.mark.parametrize("codec_id", PEERS)
def test_what_a_peer_does_not_carry_is_refused_by_name(codec_id: str) -> None:
    codec = registry.codec(codec_id)
    can = codec.info.capabilities
    wide = Image(np.zeros((1, 1, 3), np.uint8))
    object.__setattr__(wide, "pixels", np.broadcast_to(np.uint8(0), (1, can.max_side + 1, 3)))
    premultiplied = Image(np.zeros((2, 2, 4), np.uint8), alpha=Alpha.PREMULTIPLIED)
    light = Image(np.zeros((2, 2, 3), np.float32))
    for image in (wide, premultiplied, *([] if can.hdr else [light])):
        with pytest.raises(Unsupported, match=codec.info.label):
            codec.encode(image, {}, CTX)


@pytest.mark.parametrize("codec_id", PEERS)
def test_the_version_names_library_and_number(codec_id: str) -> None:
    assert all(part.split()[-1][0].isdigit() for part in registry.codec(codec_id).version().split(", "))


def test_a_missing_library_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(via_pillow.features, "check", lambda _: False)
    assert "built without AVIF: install the wheel" in (registry.codec("avif").available() or "")

    def fail() -> None:
        raise ImportError("no such module")

    monkeypatch.setattr(via_imagecodecs, "load", fail)
    assert "pip install imagecodecs" in (registry.codec("jxl").available() or "")


def test_a_library_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(via_imagecodecs.load(), "jpegxl_encode", fail)
    with pytest.raises(CodecFailed, match="JPEG XL could not encode this picture: out of luck"):
        encoded("jxl", scene())


# --- JPEG ---------------------------------------------------------------------------------------


def test_jpeg_is_progressive_and_420_by_default() -> None:
    picture = opened(encoded("jpeg", scene()))
    assert picture.info["progressive"]
    assert JpegImagePlugin.get_sampling(picture) == 2
    baseline = opened(encoded("jpeg", scene(), progressive=False, chroma="4:4:4"))
    assert "progressive" not in baseline.info
    assert JpegImagePlugin.get_sampling(baseline) == 0
    assert JpegImagePlugin.get_sampling(opened(encoded("jpeg", scene(), chroma="4:2:2"))) == 1


def test_jpeg_tables_are_optimised() -> None:
    plain = io.BytesIO()
    PillowImage.fromarray(scene().pixels).save(plain, "JPEG", quality=75, subsampling="4:2:0")
    assert len(encoded("jpeg", scene(), quality=75, progressive=False)) < len(plain.getvalue())


@pytest.mark.parametrize("quality", [94, 100])
def test_jpeg_codes_noise_at_high_quality(quality: int) -> None:
    image = noise(500)
    data = encoded("jpeg", image, quality=quality, chroma="4:4:4")
    assert len(data) > image.pixels.size / 3
    assert scores(image, registry.codec("jpeg").decode(data, CTX), ["psnr"])["psnr"] > 30


# --- JPEG 2000 ----------------------------------------------------------------------------------


def coding_style(data: bytes) -> tuple[int, int, int]:
    """Colour transform, decomposition levels and wavelet (0 is 9/7, 1 is 5/3) from the COD segment (T.800, A.6.1)."""
    place = data.index(b"\xff\x52")
    return data[place + 8], data[place + 9], data[place + 13]


def test_jpeg2000_uses_97_with_the_colour_transform() -> None:
    assert coding_style(encoded("jpeg2000", scene(3, 260, 300))) == (1, 5, 0)
    assert coding_style(encoded("jpeg2000", scene(3, 260, 300), lossless=True)) == (1, 5, 1)
    assert coding_style(encoded("jpeg2000", scene(1, 260, 300))) == (0, 5, 0)


@pytest.mark.parametrize(("height", "width", "levels"), [(1, 500, 0), (64, 64, 3), (200, 200, 4)])
def test_jpeg2000_splits_small_pictures_less(height: int, width: int, levels: int) -> None:
    assert coding_style(encoded("jpeg2000", scene(3, height, width)))[1] == levels


def test_jpeg2000_hits_the_quality_it_is_asked_for() -> None:
    image = scene(height=300, width=400)
    for quality in (30, 38):
        decoded = registry.codec("jpeg2000").decode(encoded("jpeg2000", image, quality=quality), CTX)
        assert scores(image, decoded, ["psnr"])["psnr"] == pytest.approx(quality, abs=1.5)


def test_jp2_files_declare_their_alpha_and_profile() -> None:
    data = encoded("jpeg2000", replace(scene(4), color=DISPLAY_P3))
    place = data.index(b"cdef") + 4
    kinds = struct.unpack_from(">H12H", data, place)
    assert kinds == (4, 0, 0, 1, 1, 0, 2, 2, 0, 3, 3, 1, 0)
    place = data.index(b"colr") + 4
    assert data[place] == 2
    assert recognise(data[place + 3 :]) == DISPLAY_P3
    assert opened(data).mode == "RGBA"


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_jpeg2000_keeps_the_depth(bits: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 2**bits, (20, 30, 3)).astype(np.uint16)
    image = Image(pixels, bits=bits)
    decoded = registry.codec("jpeg2000").decode(encoded("jpeg2000", image, lossless=True), CTX)
    assert decoded.bits == bits
    assert (decoded.pixels == pixels).all()


# --- WebP, AVIF, JPEG XL ------------------------------------------------------------------------


def test_webp_keeps_colour_under_full_transparency_only_when_lossless() -> None:
    pixels = scene(4).pixels.copy()
    pixels[:, :, 3] = 0
    pixels[0, 0, 3] = 255
    image = Image(pixels, alpha=Alpha.STRAIGHT)
    codec = registry.codec("webp")
    assert (codec.decode(encoded("webp", image, lossless=True), CTX).pixels == pixels).all()
    assert len(encoded("webp", image)) < len(encoded("webp", image, lossless=True))


def test_webp_takes_fractions_of_quality() -> None:
    sizes = {len(encoded("webp", noise(200), quality=quality)) for quality in np.linspace(60, 64, 9)}
    assert len(sizes) > 5


@pytest.mark.parametrize(("chroma", "steps"), [("4:2:0", (1, 1)), ("4:2:2", (1, 0)), ("4:4:4", (0, 0))])
def test_avif_subsamples_as_asked(chroma: str, steps: tuple[int, int]) -> None:
    data = encoded("avif", scene(), chroma=chroma)
    flags = data[data.index(b"av1C") + 6]
    assert (flags >> 3 & 1, flags >> 2 & 1) == steps


def test_avif_codes_grey_without_chroma() -> None:
    data = encoded("avif", scene(1))
    assert data[data.index(b"av1C") + 6] >> 4 & 1


def test_avif_tuning_reaches_the_encoder() -> None:
    image = scene()
    by_tuning = {tune: encoded("avif", image, tune=tune) for tune in ("default", "psnr", "ssim")}
    assert len(set(by_tuning.values())) >= 2


@pytest.mark.parametrize(
    ("codec_id", "knob", "values"), [("webp", "method", (0, 6)), ("avif", "speed", (10, 6)), ("jxl", "effort", (1, 7))]
)
def test_effort_reaches_the_encoder(codec_id: str, knob: str, values: tuple[int, int]) -> None:
    quick, slow = (encoded(codec_id, scene(), **{knob: value}) for value in values)
    assert quick != slow


def test_jpeg_xl_with_a_profile_it_cannot_write_is_refused() -> None:
    with pytest.raises(Unsupported, match="sRGB"):
        encoded("jxl", replace(scene(), color=DISPLAY_P3))
    with pytest.raises(Unsupported, match="sRGB"):
        encoded("jxl", replace(scene(), icc=b"some other profile"))


def test_one_codecs_file_is_not_anothers() -> None:
    files = {codec_id: encoded(codec_id, scene()) for codec_id in PEERS}
    for codec_id in PEERS:
        for other, data in files.items():
            if other != codec_id:
                with pytest.raises(CorruptStream):
                    registry.codec(codec_id).decode(data, CTX)
