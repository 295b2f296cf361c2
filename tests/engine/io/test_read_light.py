"""Light in floats: OpenEXR, Radiance, TIFF, JPEG XL in, with what is wrong in them said; OpenEXR and Radiance out."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import OpenEXR
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.color import DISPLAY_P3, LINEAR_SRGB, SRGB, ColorSpec, chromaticities
from engine.errors import CorruptStream, LimitExceeded, Unsupported, UsageError
from engine.image import Alpha, Image
from engine.io import Loaded, read, write
from engine.io.radiance import hdr_bytes
from tests.damaged.seeds import chroma_exr

H, W = 19, 33
LINEAR_P3 = ColorSpec(12, 8)


def light(height: int = H, width: int = W, channels: int = 3) -> np.ndarray:
    """Half floats from deep shade to a lamp, exact in every format but Radiance."""
    rng = np.random.default_rng(3)
    return np.exp2(rng.uniform(-12, 9, (height, width, channels))).astype(np.float16)


def exr(channels: dict[str, np.ndarray], **header: object) -> bytes:
    out = io.BytesIO()
    given_header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION, **header}
    OpenEXR.File(given_header, {name: np.ascontiguousarray(plane) for name, plane in channels.items()}).write(out)
    return out.getvalue()


def planes(pixels: np.ndarray, names: str = "RGB") -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(pixels[:, :, place]) for place, name in enumerate(names)}


def load(folder: Path, data: bytes, **options: int) -> Loaded:
    path = folder / "light.bin"
    path.write_bytes(data)
    return read(path, **options)


# --- OpenEXR ------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", ["NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "DWAA"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_every_usual_exr_is_read(tmp_path: Path, compression: str, dtype: type) -> None:
    pixels = light().astype(dtype)
    data = exr(planes(pixels), compression=getattr(OpenEXR, f"{compression}_COMPRESSION"))
    loaded = load(tmp_path, data)
    assert (loaded.format, loaded.image.color, loaded.image.bits) == ("OpenEXR", LINEAR_SRGB, 32)
    worst = np.abs(loaded.image.pixels / pixels.astype(np.float32) - 1).max()
    assert worst <= {"DWAA": 1.0, "PXR24": 2**-15}.get(compression, 0)
    assert loaded.notes == ("names no primaries: taken as BT.709",)


def test_tiles_are_read(tmp_path: Path) -> None:
    data = exr(planes(light(70, 90)), type=OpenEXR.tiledimage, tiles=OpenEXR.TileDescription())
    assert (load(tmp_path, data).image.pixels == light(70, 90)).all()


def test_the_first_part_with_a_picture_is_read(tmp_path: Path) -> None:
    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    parts = [
        OpenEXR.Part(dict(header), {"depth": light(channels=1)[:, :, 0], "id": np.zeros((H, W), np.uint32)}, "passes"),
        OpenEXR.Part(dict(header), planes(light()), "beauty"),
    ]
    out = io.BytesIO()
    OpenEXR.File(parts).write(out)
    loaded = load(tmp_path, out.getvalue())
    assert (loaded.image.pixels == light()).all()
    assert loaded.notes[0] == "part 2 of 2, “beauty”"


@pytest.mark.parametrize(
    ("names", "expected", "said"),
    [
        (["R", "G", "B", "Z", "diffuse.R"], "RGB", "2 further channels left out: Z, diffuse.R"),
        (["diffuse.R", "diffuse.G", "diffuse.B"], "RGB", "read from the channels diffuse.R, diffuse.G, diffuse.B"),
        (["red", "green", "blue"], "RGB", "read from the channels red, green, blue"),
        (["Y"], "Y", "read from the channel Y"),
        (["Z"], "Y", "read from the channel Z"),
    ],
)
def test_channels_of_any_name_are_found_and_said(tmp_path: Path, names: list[str], expected: str, said: str) -> None:
    pixels = light(channels=len(names))
    loaded = load(tmp_path, exr({name: pixels[:, :, place] for place, name in enumerate(names)}))
    assert (loaded.image.pixels == pixels[:, :, : len(expected)]).all()
    assert said in loaded.notes


def test_chroma_that_is_no_number_is_mended_like_other_light(tmp_path: Path) -> None:
    even = np.ones((8, 12), np.float16)
    wild = np.full((4, 6), np.nan, np.float16)
    wild[0] = np.inf, -np.inf, 1, np.nan, 60_000, 0
    loaded = load(tmp_path, chroma_exr({"Y": even * np.float16(np.inf), "RY": wild, "BY": -wild}, 2))
    assert np.isfinite(loaded.image.pixels).all()


@pytest.mark.parametrize("step", [1, 2])
def test_luminance_and_chroma_become_rgb(tmp_path: Path, step: int) -> None:
    weights = np.array([0.2126, 0.7152, 0.0722])
    y, x = np.mgrid[:8, :12] / 12
    rgb = np.stack([1 + x, 2 - y, 0.5 + x * y], axis=2)
    luminance = rgb @ weights
    chroma = (rgb[:, :, [0, 2]] / luminance[:, :, None] - 1)[::step, ::step]
    planes = {"Y": luminance, "RY": chroma[:, :, 0], "BY": chroma[:, :, 1]}
    data = chroma_exr({name: plane.astype(np.float16) for name, plane in planes.items()}, step)
    loaded = load(tmp_path, data)
    assert "luminance and chroma were converted to RGB" in loaded.notes
    inner = loaded.image.pixels[:-1, :-1]  # beyond the last chroma sample there is none to lead to
    assert np.abs(inner / rgb[:-1, :-1] - 1).max() < (0.003 if step == 1 else 0.02)


def test_damaged_chroma_is_refused(tmp_path: Path) -> None:
    planes = {"Y": np.ones((8, 12)), "RY": np.zeros((4, 6)), "BY": np.zeros((4, 6))}
    data = chroma_exr({name: plane.astype(np.float16) for name, plane in planes.items()}, 2)
    for length in range(300, len(data), 37):
        with pytest.raises(CorruptStream):
            load(tmp_path, data[:length])


def test_whole_numbers_are_no_light(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="whole numbers"):
        load(tmp_path, exr({"id": np.ones((3, 4), np.uint32)}))


def test_primaries_of_the_file_are_kept_where_they_have_a_number(tmp_path: Path) -> None:
    loaded = load(tmp_path, exr(planes(light()), chromaticities=chromaticities(12)))
    assert loaded.image.color == LINEAR_P3
    assert loaded.notes == ("Display P3, linear kept",)


def test_other_primaries_are_converted_and_white_stays_white(tmp_path: Path) -> None:
    ap0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
    xyz_like = (0.735, 0.265, 0.274, 0.717, 0.167, 0.009, 1 / 3, 1 / 3)
    for given_primaries, converted in ((xyz_like, True), (ap0, False)):
        pixels = np.full((2, 2, 3), 0.5, np.float16)
        loaded = load(tmp_path, exr(planes(pixels), chromaticities=given_primaries))
        assert loaded.image.color == LINEAR_SRGB
        assert ("converted" in loaded.notes[0]) == converted
        np.testing.assert_allclose(loaded.image.pixels, 0.5, atol=2e-4)


def test_alpha_becomes_the_mask_and_leaves_the_light_alone(tmp_path: Path) -> None:
    pixels = light(channels=4)
    pixels[:, :, 3] = 1
    pixels[:3, :, 3] = 0
    loaded = load(tmp_path, exr(planes(pixels, "RGBA")))
    assert loaded.image.mask is not None
    assert not loaded.image.mask[:3].any() and loaded.image.mask[3:].all()
    assert (loaded.image.pixels == pixels[:, :, :3]).all() and not loaded.image.has_alpha
    assert "alpha became the mask: 99 texels (15.8 %) are not covered and do not count in scores" in loaded.notes


@pytest.mark.parametrize(("alpha", "said"), [(1, "covers every texel"), (2, "neither 0 nor 1"), (0, "0 everywhere")])
def test_alpha_that_masks_nothing_is_left_out_and_said(tmp_path: Path, alpha: float, said: str) -> None:
    pixels = light(channels=4)
    pixels[:, :, 3] = alpha
    loaded = load(tmp_path, exr(planes(pixels, "RGBA")))
    assert loaded.image.mask is None and any(said in note for note in loaded.notes)


def test_improper_light_is_counted_and_placed(tmp_path: Path) -> None:
    pixels = light().astype(np.float32)
    brightest = 100_000.0
    pixels[2, 5, 1], pixels[3, 0], pixels[4, 4, 0] = np.nan, np.inf, -0.25
    pixels[7, 7, 2] = brightest
    loaded = load(tmp_path, exr(planes(pixels)))
    shown = loaded.image
    assert any(
        note.startswith("1 texel not a number (NaN) and 1 texel infinite, the first at x 5, y 2")
        for note in loaded.notes
    )
    assert "1 texel with light below 0 (down to -0.25), the first at x 4, y 4" in loaded.notes
    assert "1 texel brighter than half floats hold (65504; up to 100000)" in loaded.notes
    assert np.isfinite(shown.pixels).all() and shown.pixels[2, 5, 1] == 0 and shown.pixels[3, 0, 0] == brightest
    assert shown.mask is not None and np.argwhere(~shown.mask).tolist() == [[2, 5], [3, 0]]


def test_a_damaged_exr_is_refused_in_silence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = exr(planes(light()))
    for cut in (5, 60, len(data) // 2, len(data) - 9):
        with pytest.raises(CorruptStream):
            load(tmp_path, data[:cut])
    assert capfd.readouterr() == ("", "")


def test_an_exr_that_claims_more_than_it_can_hold_is_refused_before_it_is_believed(tmp_path: Path) -> None:
    data = bytearray(exr(planes(light())))
    place = data.find(b"dataWindow\0box2i\0") + len(b"dataWindow\0box2i\0") + 4
    struct.pack_into("<4i", data, place, 0, 0, 20_000, 20_000)
    with pytest.raises(LimitExceeded):
        load(tmp_path, bytes(data), max_pixels=10**6)
    struct.pack_into("<4i", data, place, 0, 0, 1, 900_000)
    with pytest.raises(CorruptStream, match="too short for the 2 × 900001 pixels"):
        load(tmp_path, bytes(data))


def test_tiles_that_no_picture_needs_are_refused_before_room_is_made_for_them(tmp_path: Path) -> None:
    data = bytearray(exr(planes(light(70, 90)), type=OpenEXR.tiledimage, tiles=OpenEXR.TileDescription()))
    place = data.find(b"tiles\0tiledesc\0") + len(b"tiles\0tiledesc\0") + 4
    for sides in ((1 << 20, 64), (64, 1 << 20)):
        struct.pack_into("<2I", data, place, *sides)
        with pytest.raises(CorruptStream, match=f"claims tiles of {sides[0]} × {sides[1]} pixels"):
            load(tmp_path, bytes(data))


# --- Radiance -----------------------------------------------------------------------------------


def quads(pixels: np.ndarray) -> np.ndarray:
    """RGBE as Ward has it, rounded down."""
    mantissa, exponent = np.frexp(pixels.max(axis=2))
    scale = mantissa * 256 / pixels.max(axis=2)
    return np.concatenate([pixels * scale[:, :, None], exponent[:, :, None] + 128], axis=2).astype(np.uint8)


def hdr(body: bytes, size: str = f"-Y {H} +X {W}", header: str = "FORMAT=32-bit_rle_rgbe\n") -> bytes:
    return f"#?RADIANCE\n{header}\n{size}\n".encode() + body


def near(a: np.ndarray, b: np.ndarray) -> bool:
    """Within the step of RGBE, which follows the brightest channel."""
    return bool((np.abs(a - b) <= b.max(axis=2, keepdims=True) / 128).all())


def test_flat_files_are_read(tmp_path: Path) -> None:
    pixels = light().astype(np.float32)
    loaded = load(tmp_path, hdr(quads(pixels).tobytes()))
    assert loaded.format == "Radiance" and near(loaded.image.pixels, pixels)


def test_new_run_lengths_are_read(tmp_path: Path) -> None:
    pixels = np.repeat(light(H, 3).astype(np.float32), 11, axis=1)
    data = hdr_bytes(Image(pixels, LINEAR_SRGB))
    assert len(data) < H * W * 4
    assert near(load(tmp_path, data).image.pixels, pixels)


def test_old_run_lengths_are_read(tmp_path: Path) -> None:
    row = bytes([10, 20, 30, 129])
    run = bytes([1, 1, 1])
    body = (
        row + run + bytes([44]) + run + bytes([1]) + bytes([9, 8, 7, 130]) + run + bytes([19])
    )  # 1 + 44 + 256, 1 + 19
    loaded = load(tmp_path, hdr(body, "-Y 3 +X 107"))
    flat = loaded.image.pixels.reshape(-1, 3)
    assert (flat[:301] == np.array([10, 20, 30]) * 2.0**-7).all()
    assert (flat[301:] == np.array([9, 8, 7]) * 2.0**-6).all()


@pytest.mark.parametrize(
    ("size", "undo"),
    [
        (f"+Y {H} +X {W}", lambda p: p[::-1]),
        (f"-Y {H} -X {W}", lambda p: p[:, ::-1]),
        (f"+X {H} -Y {W}", lambda p: p.swapaxes(0, 1)),
        (f"-X {H} +Y {W}", lambda p: p.swapaxes(0, 1)[::-1, ::-1]),
    ],
)
def test_every_orientation_is_turned_upright(tmp_path: Path, size: str, undo) -> None:
    stored = quads(light().astype(np.float32))
    straight = load(tmp_path, hdr(stored.tobytes())).image.pixels
    loaded = load(tmp_path, hdr(stored.tobytes(), size))
    assert (loaded.image.pixels == undo(straight)).all()
    assert "turned upright, as the file asks" in loaded.notes


def test_exposure_and_primaries_of_a_radiance_file_are_told(tmp_path: Path) -> None:
    body = quads(light().astype(np.float32)).tobytes()
    p3 = " ".join(map(str, chromaticities(12)))
    loaded = load(tmp_path, hdr(body, header=f"EXPOSURE=2\nEXPOSURE=1.5\nPRIMARIES={p3}\n"))
    assert loaded.image.color == LINEAR_P3
    assert "its light was stored with an exposure of 3, which is kept" in loaded.notes


@pytest.mark.parametrize(
    "data",
    [
        b"#?RADIANCE\n",
        hdr(b""),
        hdr(quads(light().astype(np.float32)).tobytes()[:-5]),
        hdr(bytes([1, 1, 1, 5]) + bytes(4 * H * W)),
        hdr(b"", "-Y 5 -Y 5"),
        hdr(b"", "-Y 0 +X 5"),
        hdr(b"\x02\x02\x00\x64" + bytes(99), "-Y 100 +X 100"),
        hdr(bytes([9, 9, 9, 9]) + bytes([1, 1, 1, 255]) * 9, "-Y 16000 +X 16000"),
        hdr(bytes(4 * H * W), header="FORMAT=ascii\n"),
    ],
)
def test_a_damaged_radiance_file_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(CorruptStream):
        load(tmp_path, data)


def test_radiance_in_xyz_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="XYZ"):
        load(tmp_path, hdr(bytes(4 * H * W), header="FORMAT=32-bit_rle_xyze\n"))


# --- TIFF, JPEG XL ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "predictor": True}, {"planarconfig": "separate"}])
def test_float_tiff_is_linear_light(tmp_path: Path, dtype: type, options: dict[str, object]) -> None:
    pixels = light().astype(dtype)
    out = io.BytesIO()
    stored = pixels.transpose(2, 0, 1) if "planarconfig" in options else pixels
    tifffile.imwrite(out, stored, photometric="rgb", **options)
    loaded = load(tmp_path, out.getvalue())
    assert (loaded.image.pixels == pixels).all() and loaded.image.color == LINEAR_SRGB
    assert "floats are taken as linear light" in loaded.notes


def test_float_tiff_keeps_mask_and_primaries(tmp_path: Path) -> None:
    pixels = light(channels=4).astype(np.float32)
    pixels[:, :, 3] = np.arange(H)[:, None] > 4
    pairs = [part for number in chromaticities(12) for part in (round(number * 1000), 1000)]
    extra = [(318, "2I", 2, pairs[12:], True), (319, "2I", 6, pairs[:12], True)]
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, photometric="rgb", extrasamples=["unassalpha"], extratags=extra)
    loaded = load(tmp_path, out.getvalue())
    assert loaded.image.color == LINEAR_P3
    assert loaded.image.mask is not None and loaded.image.mask.sum() == W * (H - 5)


def test_float_jpeg_xl_is_light(tmp_path: Path) -> None:
    pixels = light().astype(np.float32)
    loaded = load(tmp_path, imagecodecs.jpegxl_encode(pixels, lossless=True, effort=1))
    assert (loaded.image.pixels == pixels).all() and loaded.image.color == LINEAR_SRGB


# --- Out ----------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), half=st.booleans(), gray=st.booleans(), masked=st.booleans())
def test_exr_gives_back_every_bit(tmp_path_factory, seed: int, half: bool, gray: bool, masked: bool) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.normal(0, 3, (5, 7, 1 if gray else 3)).astype(np.float16 if half else np.float32)
    mask = np.arange(35).reshape(5, 7) % 3 > 0 if masked else None
    image = Image(pixels.astype(np.float32), LINEAR_SRGB if gray else LINEAR_P3, mask=mask)
    path = tmp_path_factory.getbasetemp() / "round-trip.exr"
    assert write(path, image) == ()
    assert read(path).image.digest == image.digest
    stored = OpenEXR.File(str(path), separate_channels=True).channels()
    assert {plane.pixels.dtype for plane in stored.values()} == {np.dtype(np.float16 if half else np.float32)}


def test_radiance_rounds_to_the_nearest_step(tmp_path: Path) -> None:
    pixels = np.array([[[255.5 / 256, 0.1, 0], [1, 2, 3], [1e-3, 0, 0], [0, 0, 0]]], np.float32)
    path = tmp_path / "x.hdr"
    assert write(path, Image(pixels, LINEAR_SRGB)) == ()
    back = read(path).image.pixels
    assert np.abs(back - pixels).max(axis=2).tolist() <= (pixels.max(axis=2) / 256 + 1e-12).tolist()
    assert back[0, 3].tolist() == [0, 0, 0]


def test_what_a_format_cannot_hold_is_said(tmp_path: Path) -> None:
    wild = Image(np.array([[[4.0, -0.5, 0.5]]], np.float32), LINEAR_P3)
    assert write(tmp_path / "a.png", wild) == (
        "a.png: light outside of black … white was clipped at 1 texel: PNG holds no more",
    )
    clipped = read(tmp_path / "a.png").image
    assert (clipped.bits, clipped.color, clipped.pixels[0, 0].tolist()) == (16, DISPLAY_P3, [65535, 0, 48192])
    notes = write(tmp_path / "a.hdr", wild)
    assert [note.split(": ")[1][:30] for note in notes] == [
        "Display P3, linear was converted"[:30],
        "Radiance files carry no light b"[:30],
    ]
    codes = Image(np.array([[[255, 128, 0, 128]]], np.uint8), SRGB, Alpha.STRAIGHT)
    assert write(tmp_path / "a.exr", codes) == ("a.exr: code values were converted to linear light",)
    stored = OpenEXR.File(str(tmp_path / "a.exr")).channels()["RGBA"].pixels[0, 0]
    np.testing.assert_allclose(stored, np.array([1, 0.21586, 0, 1]) * 128 / 255, atol=1e-5)
    with pytest.raises(UsageError, match=r"\.png, \.exr, \.hdr"):
        write(tmp_path / "a.jpg", wild)
