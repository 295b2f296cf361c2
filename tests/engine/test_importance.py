"""Painted regions: the map and its bytes, how it travels with a picture, and what it does to the codecs' bits."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import carry, container, io, registry, samples
from engine.channels import stacked
from engine.cli import main
from engine.codec import Codec, Ctx
from engine.codecs import dct_region
from engine.codecs.dct import SAMPLING
from engine.codecs.wavelet import WaveletCodec
from engine.container import Section
from engine.errors import CorruptStream, EngineError, UsageError
from engine.image import Image, Meaning
from engine.importance import CELL, LIMIT, Importance, factors, of_mask, pack, painted, unpack
from engine.metrics import metric, refusal, scores
from engine.native import jpeg
from engine.rate import solve_rate
from engine.trial import Runner, Target, TargetKind
from tests.pictures import photo_like

CTX = Ctx()
WAVELET = WaveletCodec()


def disc(height: int, width: int, inside: float = 1.0, outside: float = 0.5) -> np.ndarray:
    """A mask, H×W of 0 … 1: an ellipse in the middle."""
    y, x = np.mgrid[:height, :width]
    return np.where(((x / width - 0.5) / 0.2) ** 2 + ((y / height - 0.5) / 0.22) ** 2 < 1, inside, outside)


def photo(height: int = 96, width: int = 128, mask: np.ndarray | None = None) -> Image:
    image = Image(photo_like(height, width))
    return replace(image, importance=of_mask(disc(height, width) if mask is None else mask))


# --- The map ---------------------------------------------------------------------------------------


def test_white_is_important_grey_neutral_and_black_least() -> None:
    mask = np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], CELL)[None].repeat(CELL, axis=0)
    found = of_mask(mask)
    assert found is not None
    assert found.steps.tolist() == [[-LIMIT, -LIMIT // 2, 0, LIMIT // 2, LIMIT]]


def test_the_mean_of_a_cell_counts_also_at_the_edge_of_the_picture() -> None:
    mask = np.full((CELL + 4, CELL), 0.5)
    mask[: CELL // 2] = 1
    mask[CELL:] = 0
    found = of_mask(mask)
    assert found is not None
    assert found.steps.tolist() == [[LIMIT // 2], [-LIMIT]]


def test_a_neutral_mask_is_none() -> None:
    assert of_mask(np.full((40, 40), 128 / 255)) is None


def test_a_mask_is_of_the_size_of_its_picture() -> None:
    with pytest.raises(UsageError, match="20 × 10 pixels, the picture 128 × 96"):
        painted(photo(), Image(np.zeros((10, 20, 3), np.uint8)))


def test_a_mask_of_light_is_refused() -> None:
    with pytest.raises(UsageError, match="code values"):
        painted(photo(), Image(np.zeros((96, 128, 3), np.float32)))


@pytest.mark.parametrize("steps", [[[LIMIT + 1]], [[-LIMIT - 1]], []])
def test_a_map_stays_within_its_range(steps: list[list[int]]) -> None:
    with pytest.raises(EngineError, match="i8 from -8 to 8"):
        Importance(np.array(steps, np.int8))


def test_a_map_is_of_the_size_of_its_picture() -> None:
    with pytest.raises(EngineError, match="another size"):
        Image(np.zeros((33, 16, 3), np.uint8), importance=Importance(np.ones((2, 1), np.int8)))


def test_factors_are_quarter_octaves_and_one_over_them() -> None:
    exact = 2.0 ** (np.arange(-LIMIT, LIMIT + 1) / 4)
    assert np.array_equal(factors(), exact.astype(np.float32))
    assert np.array_equal(factors(inverse=True), exact[::-1].astype(np.float32))


@given(rows=st.integers(1, 9), columns=st.integers(1, 9), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_map_comes_back_from_its_bytes(rows: int, columns: int, seed: int) -> None:
    steps = np.random.default_rng(seed).integers(-LIMIT, LIMIT + 1, (rows, columns)).astype(np.int8)
    assert unpack(pack(Importance(steps)), rows * CELL - 3, columns * CELL) == Importance(steps)


def test_a_painted_ellipse_takes_few_bytes() -> None:
    found = of_mask(disc(512, 768))
    assert found is not None
    assert len(pack(found)) < 160


@given(data=st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_bytes_that_are_no_map_are_refused(data: bytes) -> None:
    with contextlib.suppress(CorruptStream):
        assert np.abs(unpack(data, 40, 50).steps).max() <= LIMIT


def test_a_map_that_leaves_its_range_is_corrupt() -> None:
    from engine.native import entropy

    with pytest.raises(CorruptStream, match="leaves its range"):
        unpack(entropy.rans_encode(bytes([16, 2])), 16, 32)


# --- With a picture ----------------------------------------------------------------------------------


def test_two_maps_of_one_picture_are_two_pictures_to_the_store() -> None:
    plain, strong, weak = Image(photo_like(96, 128)), photo(), photo(mask=disc(96, 128, 0.7))
    assert len({each.digest for each in (plain, strong, weak)}) == 3
    assert strong.with_pixels(strong.pixels).digest == strong.digest


def test_a_codec_that_follows_no_map_says_so_and_codes_the_plain_picture() -> None:
    jpeg = registry.codec("jpeg")
    fitted = carry.fit(photo(), jpeg.info)
    assert fitted.image.importance is None
    assert "cannot be told where its bits matter" in fitted.notes[0]
    assert carry.fit(photo(), WAVELET.info).notes == ()


def test_channels_one_under_the_other_are_painted_alike() -> None:
    steps = np.array([[1], [2], [3]], np.int8)
    map_ = Image(
        np.zeros((40, 16, 3), np.uint8), data=Meaning.DIRECTION, importance=Importance(steps)
    )  # planes begin in the middle of cells
    below = stacked(map_).importance
    assert below is not None
    assert below.steps[:, 0].tolist() == [1, 2, 1, 2, 3, 1, 2, 3]


# --- What it does to the wavelet codec ---------------------------------------------------------------


def in_and_out(codec: Codec, image: Image, bpp: float) -> tuple[int, float, float]:
    """Bytes at this rate, PSNR inside of the middle and outside."""
    region = replace(image, importance=of_mask(disc(image.height, image.width)))
    result = solve_rate(codec, image, Target(TargetKind.BPP, bpp), CTX)
    assert result.reached
    found = scores(region, codec.decode(result.data, CTX), ("psnr_inside", "psnr_outside"))
    return len(result.data), found["psnr_inside"], found["psnr_outside"]


@pytest.mark.parametrize(("codec", "gain"), [("wavelet", 3.5), ("dct", 2.25), ("dct-rans", 2.25)])
def test_a_strong_mask_buys_the_region_two_decibels_at_equal_bytes(codec: str, gain: float) -> None:
    image = io.read(next(each.path for each in samples.samples() if each.name == "astronaut")).image
    coder = registry.codec(codec)
    size, before, _ = in_and_out(coder, image, 0.4)
    steered, after, _ = in_and_out(coder, replace(image, importance=of_mask(disc(image.height, image.width))), 0.4)
    assert steered <= 1.01 * size
    assert after > before + gain


def test_a_painted_jpeg_is_a_jpeg_like_any_other() -> None:
    from PIL import Image as Pillow

    coder, image = registry.codec("dct"), photo()
    data = coder.encode(image, {"quality": 40}, CTX).data
    theirs = np.asarray(Pillow.open(BytesIO(data)).convert("RGB"))
    assert np.abs(theirs.astype(int) - coder.decode(data, CTX).pixels).max() <= 3
    plain = coder.encode(replace(image, importance=None), {"quality": 40}, CTX).data
    region = ("psnr_inside", "psnr_outside")
    before, after = (scores(image, coder.decode(each, CTX), region) for each in (plain, data))
    assert after["psnr_inside"] > before["psnr_inside"] + 1.5
    assert abs(after["psnr_outside"] - before["psnr_outside"]) < 1.5


@pytest.mark.parametrize("chroma", ["4:2:0", "4:2:2", "4:4:4"])
def test_blocks_take_the_weight_of_their_cells(chroma: str) -> None:
    h, v = SAMPLING[chroma]
    where = jpeg.layout(40, 24, 3, h, v)
    steps = np.array([[8, 0, -8], [0, 0, 4]], np.int8)
    found = dct_region.weights(Importance(steps), where)
    assert found.finer == 2**-1.5
    exact = 2 ** ((steps.astype(float) - 6) / 2)
    luma = exact.repeat(2, axis=0).repeat(2, axis=1)[:3, :5]
    assert np.allclose(found.blocks[0][:3, :5], luma)
    chroma_cells = luma if h == 1 else exact if v == 2 else exact.repeat(2, axis=0)[:3]
    assert np.allclose(found.blocks[1][: chroma_cells.shape[0], : chroma_cells.shape[1]], chroma_cells)
    assert found.mean == pytest.approx(found.blocks[0].mean())


def test_the_map_is_in_the_stream_and_decodes_alone() -> None:
    image = photo()
    encoded = WAVELET.encode(image, {"quality": 40}, CTX)
    stream = container.read(encoded.data)
    assert unpack(stream.section(Section.IMPORTANCE), 96, 128) == image.importance
    assert WAVELET.bit_map(encoded.data, CTX).apart["painted map"] == len(stream.section(Section.IMPORTANCE)) + 2
    plain = WAVELET.encode(replace(image, importance=None), {"quality": 40}, CTX).data
    assert Section.IMPORTANCE not in container.read(plain).sections


@pytest.mark.parametrize("height", [1, 15, 97, 600])
def test_pictures_of_any_size_can_be_painted(height: int) -> None:
    mask = np.random.default_rng(height).uniform(0, 1, (height, 70)).repeat(1, axis=0)
    image = Image(photo_like(height, 70), importance=of_mask((mask > 0.5).astype(float)))
    decoded = WAVELET.decode(WAVELET.encode(image, {"quality": 90}, CTX).data, CTX)
    assert scores(image, decoded, ["psnr"])["psnr"] > 36


def test_a_lossless_file_needs_no_map() -> None:
    encoded = WAVELET.encode(photo(), {"lossless": True}, CTX)
    assert Section.IMPORTANCE not in container.read(encoded.data).sections
    assert np.array_equal(WAVELET.decode(encoded.data, CTX).pixels, photo().pixels)


def test_light_with_gutters_is_steered_too() -> None:
    light = (photo_like(96, 128) / 64).astype(np.float32)
    mask = np.ones((96, 128), bool)
    mask[:, :20] = False
    plain = Image(light, mask=mask)
    image = replace(plain, importance=of_mask(disc(96, 128)))
    region = ("log2_psnr_inside", "log2_psnr_outside")
    made = [WAVELET.decode(WAVELET.encode(each, {"quality": 30}, CTX).data, CTX) for each in (plain, image)]
    before, after = (scores(image, each, region) for each in made)
    assert after[region[0]] > before[region[0]] + 2
    assert abs(after[region[1]] - before[region[1]]) < 1.5


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_painted_file_begins_with_a_coarser_picture(share: float) -> None:
    image = photo(256, 256)
    data = WAVELET.encode(image, {"quality": 60}, CTX).data
    beginning = WAVELET.decode_beginning(data[: round(share * len(data))], CTX)
    assert scores(image, beginning, ["psnr"])["psnr"] > 18


@given(at=st.integers(0, 10_000), value=st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_damaged_painted_files_are_refused_or_decoded(at: int, value: int) -> None:
    data = bytearray(_PAINTED)
    data[at % (len(data) - 4)] = value
    from engine.native import crc32c

    data[-4:] = crc32c(bytes(data[:-4])).to_bytes(4, "little")
    with contextlib.suppress(EngineError):
        WAVELET.decode(bytes(data), CTX)


_PAINTED = WAVELET.encode(photo(64, 64), {"quality": 50}, CTX).data


# --- Scores ------------------------------------------------------------------------------------------


def test_psnr_is_measured_inside_and_outside() -> None:
    mask = np.full((32, 32), 0.5)
    mask[:16, :16] = 1
    image = Image(np.full((32, 32, 3), 100, np.uint8), importance=of_mask(mask))
    pixels = image.pixels.copy()
    pixels[:16, :16] += 1
    pixels[16:] += 10
    found = scores(image, Image(pixels), ("psnr_inside", "psnr_outside"))
    assert found["psnr_inside"] == pytest.approx(10 * np.log10(255**2))
    assert found["psnr_outside"] == pytest.approx(10 * np.log10(255**2 / (100 * 512 / 768)))


def test_without_a_region_there_is_no_inside() -> None:
    plain = Image(photo_like(96, 128))
    assert "a region is painted" in str(refusal(metric("psnr_inside").info, plain))
    everywhere = replace(plain, importance=Importance(np.full((6, 8), 2, np.int8)))
    assert scores(everywhere, plain, ("psnr_inside", "psnr_outside")) == {}


def test_where_all_is_less_important_the_rest_is_the_region() -> None:
    steps = np.array([[-4, 0, -8]], np.int8)
    assert Importance(steps).region.tolist() == [[False, True, False]]


# --- The rate search and the commands --------------------------------------------------------------


def test_the_rate_search_follows_the_map() -> None:
    runner = Runner(WAVELET, photo())
    plain = Runner(WAVELET, replace(photo(), importance=None))
    assert runner.encode({"quality": 50}, CTX).trial.size > plain.encode({"quality": 50}, CTX).trial.size
    assert runner.key({"quality": 50}) != plain.key({"quality": 50})


def test_encode_and_measure_take_a_mask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source, mask, out = (tmp_path / name for name in ("a.png", "mask.png", "a.rsw"))
    io.write_png(source, Image(photo_like(96, 128)))
    io.write_png(mask, Image((disc(96, 128) * 255).astype(np.uint8)))
    assert main(["encode", str(source), str(out), "--codec", "wavelet", "--bpp", "1", "--roi", str(mask)]) == 0
    said = capsys.readouterr().out
    assert "dB inside" in said
    assert "dB outside" in said
    assert main(["measure", str(source), str(out), "--metrics", "psnr_inside", "--roi", str(mask)]) == 0
    assert "PSNR inside" in capsys.readouterr().out
    assert main(["encode", str(source), str(out), "--codec", "wavelet", "--roi", str(out)]) == 2
    assert "would be written onto an input" in capsys.readouterr().err
