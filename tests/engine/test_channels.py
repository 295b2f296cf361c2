"""Directions and masks: their channels are data on the way in, through every codec and in every score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import io, registry
from engine.channel_film import ChannelFilm
from engine.channels import from_samples, stacked, unstacked, vectors, with_channels
from engine.codec import Ctx
from engine.color import LINEAR_SRGB
from engine.display import displayable, to_display
from engine.errors import CorruptStream, EngineError, Unsupported, UsageError
from engine.image import Alpha, Image, Meaning
from engine.io.finish import finish
from engine.io.source import Raw
from engine.metrics import error_map, metric, metric_ids, refusal, scores
from engine.tone import NEUTRAL, Tone
from engine.trial import Runner

SIDE = 32
FINE = {
    **{codec: {"quality": 90} for codec in ("jpeg", "webp", "avif", "wavelet")},
    "bc7": {"effort": "fast"},
    "astc": {"effort": "fast", "block": "4x4"},
    "jpeg2000": {"quality": 50},
}


def directions(bits: int = 8, channels: int = 4) -> Image:
    """A field of directions that turns, its length 0.25 to 1, and a fourth channel: codes."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
    angle, length = 2 * np.pi * x, 0.25 + 0.75 * y
    field = np.stack([np.cos(angle) * length, np.sin(angle) * length, 0.1 * np.ones_like(x), 2 * y - 1], axis=2)
    codes = np.rint((field[:, :, :channels] + 1) / 2 * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    return Image(codes, alpha=Alpha.STRAIGHT if channels == 4 else Alpha.NONE, bits=bits, data=Meaning.DIRECTION)


def turned(image: Image, degrees: float) -> Image:
    """The directions turned around z; their length stays."""
    v, a = vectors(image), np.radians(degrees)
    x, y = v[:, :, 0] * np.cos(a) - v[:, :, 1] * np.sin(a), v[:, :, 0] * np.sin(a) + v[:, :, 1] * np.cos(a)
    new = np.stack([x, y, v[:, :, 2]], axis=2)
    codes = np.rint((new + 1) / 2 * image.peak).astype(image.pixels.dtype)
    return image.with_pixels(np.concatenate([codes, image.pixels[:, :, 3:]], axis=2))


@pytest.mark.parametrize("degrees", [0.5, 3.0, 90.0, 180.0])
def test_the_angle_is_that_by_which_directions_were_turned(degrees: float) -> None:
    ref = directions(16)
    v = vectors(ref)
    flat, tall = v.copy(), np.linalg.norm(v, axis=2)
    flat[:, :, 2] = 0
    across = np.linalg.norm(flat, axis=2) / tall
    want = np.degrees(2 * np.arcsin(np.sin(np.radians(degrees) / 2) * across))  # the chord of a turn around z
    found = scores(ref, turned(ref, degrees), ["angle_mean", "angle_p99", "directionality", "rebalance"])
    assert found["angle_mean"] == pytest.approx(want.mean(), abs=0.01)
    assert found["angle_p99"] == pytest.approx(np.percentile(want, 99), abs=0.02)
    assert found["directionality"] < 1e-4
    assert found["rebalance"] == 0
    assert error_map(ref, turned(ref, degrees), "angle_mean") == pytest.approx(want, abs=0.03)


def test_a_shorter_direction_of_the_same_angle_is_an_error_of_directionality_alone() -> None:
    ref = directions(16)
    codes = np.rint((vectors(ref) * 0.5 + 1) / 2 * ref.peak).astype(np.uint16)
    img = ref.with_pixels(np.concatenate([codes, ref.pixels[:, :, 3:]], axis=2))
    found = scores(ref, img, ["angle_mean", "directionality"])
    length = np.linalg.norm(vectors(ref), axis=2)
    assert found["angle_mean"] < 0.01
    assert found["directionality"] == pytest.approx(np.sqrt(np.mean((length / 2) ** 2)), rel=1e-3)


def test_texels_without_a_direction_do_not_count() -> None:
    ref = directions()
    pixels = ref.pixels.copy()
    pixels[:4] = 0
    notes: list[str] = []
    map_ = from_samples(pixels, 8, Meaning.DIRECTION, notes)
    assert map_.mask is not None and int((~map_.mask).sum()) == 4 * SIDE and "do not count" in notes[0]
    spoilt = pixels.copy()
    spoilt[:4] = 200
    assert scores(map_, map_.with_pixels(spoilt), ["angle_mean", "psnr"]) == {"angle_mean": 0.0, "psnr": np.inf}


def test_each_mask_is_scored_by_itself_and_the_worst_stands_for_all() -> None:
    ref = Image(np.full((8, 8, 4), 100, np.uint8), alpha=Alpha.STRAIGHT, data=Meaning.MASK)
    pixels = ref.pixels.copy()
    pixels[:, :, 1] += 51
    pixels[:, :4, 3] = 0
    found = scores(ref, ref.with_pixels(pixels), [each for each in metric_ids() if each.startswith("mask_")])
    assert found["mask_r"] == found["mask_b"] == 0
    assert found["mask_g"] == pytest.approx(20.0)
    assert found["mask_a"] == pytest.approx(100 * 100 / 255 / np.sqrt(2))
    assert found["mask_worst"] == found["mask_a"]
    one = Image(ref.pixels[:, :, :1], data=Meaning.MASK)
    assert set(scores(one, one, metric_ids())) == {"mse", "psnr", "mask_worst", "mask_r"}


def test_directions_and_masks_are_never_scored_as_colours() -> None:
    for map_ in (directions(), replace(directions(), data=Meaning.MASK)):
        able = {each for each in metric_ids() if refusal(metric(each).info, map_) is None}
        assert able & {"ssim", "flip", "psnr_y", "delta_e2000", "log2_psnr"} == set()
        assert all(map_.data in metric(each).info.of for each in able)
    colours = Image(directions().pixels[:, :, :3])
    assert "holds code values" in str(refusal(metric("angle_mean").info, colours))
    assert "angle_mean" in str(refusal(metric("flip").info, directions()))


@pytest.mark.parametrize("codec_id", ["jpeg", "wavelet", "webp", "avif", "jxl", "jpeg2000", "dct", "bc7", "astc"])
@pytest.mark.parametrize("meaning", [Meaning.DIRECTION, Meaning.MASK])
def test_every_codec_carries_all_four_channels(codec_id: str, meaning: Meaning) -> None:
    codec, map_ = registry.codec(codec_id), replace(directions(), data=meaning)
    runner = Runner(codec, map_)
    run = runner.decode(runner.encode(FINE.get(codec_id, {}), Ctx()), Ctx())
    assert run.decoded is not None and run.decoded.data is meaning
    found = scores(map_, run.decoded, ["psnr", "angle_mean", "mask_a"])
    assert found["psnr"] > 30
    assert found.get("angle_mean", 0) < 3 and found.get("mask_a", 0) < 3, found
    if codec.info.family == "texture":
        assert run.trial.stats["format"] in ("BC7", "ASTC 4×4")  # not marked as sRGB
    else:
        assert runner.fitted.height == 4 * SIDE and runner.fitted.data is None
        assert runner.fitted.is_gray or not codec.info.capabilities.gray
        assert "one under the other" in runner.notes[0]


def test_planes_come_back_as_channels_and_others_stay() -> None:
    map_ = directions()
    assert np.array_equal(unstacked(stacked(map_), map_).pixels, map_.pixels)
    assert unstacked(map_, map_) is map_
    with pytest.raises(CorruptStream, match="planes"):
        with_channels(Image(np.zeros((9, 4, 1), np.uint8)), 4)


def test_what_the_channels_stand_for_is_part_of_a_picture() -> None:
    plain = Image(directions().pixels, alpha=Alpha.STRAIGHT)
    digests = {plain.digest, directions().digest, replace(plain, data=Meaning.MASK).digest}
    assert len(digests) == 3
    assert (plain.meaning, directions().meaning) == (Meaning.COLOUR, Meaning.DIRECTION)
    with pytest.raises(EngineError, match="whole numbers"):
        Image(np.zeros((2, 2, 3), np.float32), LINEAR_SRGB, data=Meaning.MASK)


def test_a_map_is_shown_as_its_codes_are_stored() -> None:
    map_ = directions()
    assert np.array_equal(to_display(map_), map_.pixels[:, :, :3])  # no checker behind the fourth channel


# --- reading --------------------------------------------------------------------------------------


def test_a_file_is_read_as_its_name_says_and_as_one_asks(tmp_path: Path) -> None:
    path = tmp_path / "Lightmap-0_comp_dir.png"
    io.write_png(path, Image(directions().pixels, alpha=Alpha.STRAIGHT))
    read = io.read(path)
    assert read.image.data is Meaning.DIRECTION and np.array_equal(read.image.pixels, directions().pixels)
    assert io.read(path, meaning=Meaning.MASK).image.data is Meaning.MASK
    assert io.read(path, meaning=Meaning.COLOUR).image.meaning is Meaning.COLOUR
    with pytest.raises(Unsupported, match="cannot be read as light"):
        io.read(path, meaning=Meaning.LIGHT)
    io.write_png(path, Image(np.zeros((4, 4), np.uint8)))
    with pytest.raises(Unsupported, match="three channels or four"):
        io.read(path)


def finished(pixels: np.ndarray, channels: str = "RGBA") -> tuple[Image, tuple[str, ...]]:
    return finish(Raw(pixels.astype(np.float32), channels, 32), Meaning.DIRECTION)


def test_signed_floats_stay_signed() -> None:
    v = vectors(directions(16))
    image, notes = finished(np.concatenate([v, np.full((SIDE, SIDE, 1), 0.5)], axis=2))
    assert np.abs(vectors(image) - v).max() <= 1 / 65535
    assert image.pixels[0, 0, 3] == 32768 and "signed" in notes[0]


def test_floats_of_0_to_1_are_unitys_packed_directions() -> None:
    v = vectors(directions(16))
    image, notes = finished((v + 1) / 2, "RGB")
    assert np.abs(vectors(image) - v).max() <= 1 / 65535 and "0 … 1" in notes[0]


def test_floats_that_are_broken_or_out_of_range_are_told() -> None:
    values = np.full((4, 4, 3), 0.5)
    values[0, 0, 1], values[1, 1, 0], values[2, 2, 2] = np.nan, 3.0, -0.5
    image, notes = finished(values, "RGB")
    assert image.mask is not None and not image.mask[0, 0]
    assert any("1 texel not finite" in note for note in notes) and any("1 texel beyond" in note for note in notes)


# --- looking --------------------------------------------------------------------------------------


def test_one_channel_is_shown_alone_as_grey_and_the_fourth_too() -> None:
    map_ = directions(16)
    film = displayable(map_)
    assert isinstance(film, ChannelFilm) and film.shape == (SIDE, SIDE, 3)
    eight = np.rint(map_.pixels / 257).astype(np.uint8)
    for channel in range(1, 5):
        shown = film.develop(Tone(channel=channel))
        assert np.array_equal(shown, np.repeat(eight[:, :, channel - 1 : channel], 3, axis=2))
    assert np.array_equal(film.develop(NEUTRAL), eight[:, :, :3])
    assert np.array_equal(
        film.crop(slice(4, 9), slice(2, 30), Tone(channel=4)), film.develop(Tone(channel=4))[4:9, 2:30]
    )
    grey = displayable(Image(map_.pixels[:, :, :1], bits=16, data=Meaning.MASK))
    assert isinstance(grey, ChannelFilm) and np.array_equal(grey.develop(Tone(channel=3)), grey.develop(NEUTRAL))
    with pytest.raises(UsageError, match="no channel 5"):
        Tone(channel=5)
