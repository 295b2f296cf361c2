"""The dct codec: standard files, the pixels of other decoders, a smooth rate knob, honest refusals."""

from __future__ import annotations

import io
import shutil
import subprocess
import threading
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image as Pil

from engine import io as io_of_pictures
from engine import memory, registry
from engine.codec import Ctx
from engine.codecs.dct import DctCodec, quantisation_tables
from engine.color import DISPLAY_P3, SRGB
from engine.errors import Cancelled, CorruptStream, LimitExceeded, Unsupported, UsageError
from engine.image import Alpha, Image
from engine.rate import solve_rate
from engine.samples import samples
from engine.trial import Target, TargetKind
from tests.engine.counting import Counted
from tests.pictures import photo_like

CODEC = DctCodec()
CTX = Ctx()
CHROMA = ("4:2:0", "4:2:2", "4:4:4")
SIDES = ((1, 1), (1, 9), (9, 1), (2, 3), (8, 8), (16, 16), (17, 31), (53, 47))


def encode(pixels: np.ndarray, **settings: object) -> bytes:
    return CODEC.encode(Image(pixels), settings, CTX).data


def decode(data: bytes) -> np.ndarray:
    return CODEC.decode(data, CTX).pixels


def by_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Pil.open(io.BytesIO(data)))


def largest_difference(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.squeeze().astype(int) - b.squeeze().astype(int)).max())


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


@pytest.mark.parametrize("scans", ["sequential", "progressive"])
@pytest.mark.parametrize("chroma", CHROMA)
@pytest.mark.parametrize("sides", SIDES)
def test_pillow_reads_the_same_pixels_as_we_do(sides: tuple[int, int], chroma: str, scans: str) -> None:
    pixels = photo_like(*sides)
    data = encode(pixels, chroma=chroma, scans=scans, quality=80)
    assert Pil.open(io.BytesIO(data)).info.get("progressive", 0) == (scans == "progressive")
    assert decode(data).shape == pixels.shape
    assert largest_difference(decode(data), by_pillow(data)) <= 1


@pytest.mark.parametrize("scans", ["sequential", "progressive"])
@pytest.mark.parametrize("sides", SIDES)
def test_pillow_reads_the_same_grey_as_we_do(sides: tuple[int, int], scans: str) -> None:
    data = encode(photo_like(*sides)[:, :, :1].copy(), scans=scans)
    assert Pil.open(io.BytesIO(data)).mode == "L"
    assert largest_difference(decode(data), by_pillow(data)) <= 1


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", CHROMA)
@pytest.mark.parametrize("quality", [10, 75, 100])
def test_we_read_pillows_files_as_pillow_does(quality: int, subsampling: str, progressive: bool) -> None:
    out = io.BytesIO()
    picture = Pil.fromarray(photo_like(77, 93))
    picture.save(out, "JPEG", quality=quality, subsampling=subsampling, progressive=progressive, optimize=True)
    assert largest_difference(decode(out.getvalue()), by_pillow(out.getvalue())) <= 1


@pytest.mark.parametrize("progressive", [False, True])
def test_restart_intervals_are_read(progressive: bool) -> None:
    out = io.BytesIO()
    picture = Pil.fromarray(photo_like(50, 70))
    picture.save(out, "JPEG", restart_marker_blocks=2, progressive=progressive)
    assert b"\xff\xd3" in out.getvalue()
    assert largest_difference(decode(out.getvalue()), by_pillow(out.getvalue())) <= 1


def test_rgb_files_without_colour_transform_are_read() -> None:
    out = io.BytesIO()
    Pil.fromarray(photo_like(24, 24)).save(out, "JPEG", keep_rgb=True, quality=90)
    assert largest_difference(decode(out.getvalue()), by_pillow(out.getvalue())) <= 1


@pytest.mark.parametrize("chroma", CHROMA)
def test_imagemagick_reads_the_same_pixels_as_we_do(chroma: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    program = shutil.which("magick") or shutil.which("convert")
    about = subprocess.run([program, "-version"], capture_output=True, text=True, check=False) if program else None
    if about is None or "ImageMagick" not in about.stdout.partition("\n")[0]:
        pytest.skip("ImageMagick is not installed")
    folder = tmp_path_factory.mktemp("magick")
    data = encode(photo_like(61, 83), chroma=chroma)
    (folder / "a.jpg").write_bytes(data)
    subprocess.run([str(program), str(folder / "a.jpg"), str(folder / "a.ppm")], check=True)
    assert largest_difference(decode(data), np.asarray(Pil.open(folder / "a.ppm"))) <= 1


@pytest.mark.parametrize("tables", ["balanced", "flat", "annex-k"])
@pytest.mark.parametrize("chroma", CHROMA)
def test_more_quality_is_more_bytes_and_more_psnr(chroma: str, tables: str) -> None:
    pixels = photo_like(96, 128)
    files = [encode(pixels, quality=q, chroma=chroma, tables=tables) for q in (5, 20, 40, 60, 75, 85, 92, 97)]
    assert all(len(a) < len(b) for a, b in pairwise(files))
    scores = [psnr(pixels, decode(data)) for data in files]
    assert all(a < b for a, b in pairwise(scores))


@pytest.mark.parametrize("tables", ["balanced", "flat"])
def test_neither_rate_nor_psnr_falls_with_quality_on_a_dark_picture(tables: str) -> None:
    """Large areas of one dark colour: the DC values of a picture as good as all alike."""
    pixels = np.full((192, 256, 3), (6, 5, 9), np.uint8)
    pixels[40:160, 60:200] = photo_like(120, 140, seed=1) // 3
    files = [encode(pixels, quality=quality, tables=tables) for quality in range(2, 100)]
    assert min(len(b) / len(a) for a, b in pairwise(files)) > 0.998
    assert min(b - a for a, b in pairwise([psnr(pixels, decode(data)) for data in files])) > -0.05


def test_the_rate_knob_is_finer_than_whole_numbers() -> None:
    pixels = photo_like(128, 128)
    sizes = [len(encode(pixels, quality=q)) for q in np.linspace(80, 84, 41)]
    steps = [b / a for a, b in pairwise(sizes)]
    assert 0.997 < min(steps) < max(steps) < 1.015
    assert len(set(sizes)) > 30


def test_the_trellis_saves_bytes_at_equal_quality() -> None:
    pixels = photo_like(160, 160)
    sizes, scores = [], []
    for trellis in (True, False):
        files = [encode(pixels, quality=q, trellis=trellis) for q in (45, 60, 75, 88)]
        sizes.append(np.log([len(data) for data in files]))
        scores.append([psnr(pixels, decode(data)) for data in files])
    at = np.linspace(max(s[0] for s in scores), min(s[-1] for s in scores), 20)
    with_it, without = (np.interp(at, score, size) for score, size in zip(scores, sizes, strict=True))
    assert np.exp(np.mean(with_it - without)) < 0.985


def test_the_rate_goes_on_falling_where_steps_cannot_grow() -> None:
    blots = np.random.default_rng(1).integers(0, 2, (22, 22, 1)).astype(np.uint8) * 255
    pixels = np.ascontiguousarray(blots.repeat(3, 0).repeat(3, 1).repeat(3, 2))
    assert quantisation_tables("flat", 0).min() == quantisation_tables("flat", 3).min() == 255
    assert len(encode(pixels, quality=0, tables="flat")) < 0.9 * len(encode(pixels, quality=3, tables="flat"))


def test_full_quality_is_nearly_lossless() -> None:
    pixels = photo_like(64, 64)
    assert psnr(pixels, decode(encode(pixels, quality=100, chroma="4:4:4"))) > 50


def test_annex_k_at_a_whole_quality_is_libjpegs_table() -> None:
    out = io.BytesIO()
    Pil.fromarray(photo_like(8, 8)).save(out, "JPEG", quality=83)
    ours = encode(photo_like(8, 8), quality=83, tables="annex-k")
    assert Pil.open(io.BytesIO(ours)).quantization == Pil.open(out).quantization  # type: ignore[attr-defined]


def test_tables_stay_within_a_byte() -> None:
    for kind in ("balanced", "flat", "annex-k"):
        assert quantisation_tables(kind, 0).max() == 255
        assert quantisation_tables(kind, 100).min() == quantisation_tables(kind, 100).max() == 1


def test_the_smallest_scans_are_no_larger_than_either_kind() -> None:
    for side in (4, 40, 160):
        pixels = photo_like(side, side)
        sizes = {scans: len(encode(pixels, scans=scans)) for scans in ("smallest", "sequential", "progressive")}
        assert sizes["smallest"] == min(sizes.values())


def test_figures_add_up_to_the_file() -> None:
    encoded = CODEC.encode(Image(photo_like(40, 40)), {}, CTX)
    assert encoded.stats["header_bytes"] + encoded.stats["scan_bytes"] + 2 == len(encoded.data)


def test_a_profile_travels_with_a_picture_that_is_not_srgb() -> None:
    picture = Image(photo_like(20, 20), color=DISPLAY_P3)
    data = CODEC.encode(picture, {}, CTX).data
    assert CODEC.decode(data, CTX).color == DISPLAY_P3
    assert Pil.open(io.BytesIO(data)).info["icc_profile"]
    assert CODEC.decode(encode(picture.pixels), CTX).color == SRGB


def test_a_profile_of_several_segments_survives() -> None:
    profile = np.random.default_rng(1).bytes(150_000)
    data = CODEC.encode(Image(photo_like(9, 9), icc=profile), {}, CTX).data
    assert CODEC.decode(data, CTX).icc == profile


def test_what_jpeg_cannot_carry_is_refused() -> None:
    with pytest.raises(Unsupported, match="alpha"):
        CODEC.encode(Image(np.zeros((4, 4, 4), np.uint8), alpha=Alpha.STRAIGHT), {}, CTX)
    with pytest.raises(Unsupported, match="16-bit"):
        CODEC.encode(Image(np.zeros((4, 4, 3), np.uint16)), {}, CTX)
    with pytest.raises(UsageError, match="quality"):
        encode(photo_like(4, 4), quality=101)


def test_cmyk_is_refused_with_the_reason() -> None:
    out = io.BytesIO()
    Pil.new("CMYK", (16, 16)).save(out, "JPEG")
    with pytest.raises(Unsupported, match="4 colour components"):
        decode(out.getvalue())


@pytest.mark.parametrize(
    ("marker", "precision", "reason"),
    [(0xC3, 8, "lossless"), (0xC5, 8, "hierarchical"), (0xC9, 8, "arithmetic"), (0xC1, 12, "12-bit")],
)
def test_other_kinds_of_jpeg_are_refused_with_the_reason(marker: int, precision: int, reason: str) -> None:
    data = bytearray(encode(photo_like(16, 16), scans="sequential"))
    at = data.index(b"\xff\xc0")
    data[at + 1], data[at + 4] = marker, precision
    with pytest.raises(Unsupported, match=reason):
        decode(bytes(data))


def test_cancelling_stops_an_encode() -> None:
    event = threading.Event()
    event.set()
    with pytest.raises(Cancelled):
        CODEC.encode(Image(photo_like(32, 32)), {}, Ctx.cancelled_by(event))


@pytest.mark.parametrize("scans", ["sequential", "progressive"])
def test_every_truncation_is_refused(scans: str) -> None:
    data = encode(photo_like(24, 24), scans=scans)
    for size in range(len(data)):
        with pytest.raises(CorruptStream):
            decode(data[:size])


def test_what_is_no_jpeg_is_refused() -> None:
    for data in (b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n" + bytes(64), bytes(1000), b"\xff" * 1000):
        with pytest.raises(CorruptStream):
            decode(data)


def test_a_header_that_claims_more_than_its_data_can_hold_is_refused() -> None:
    data = bytearray(encode(photo_like(16, 16), scans="sequential"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = (65_000).to_bytes(2, "big") * 2
    with pytest.raises(CorruptStream, match="ends too early"):
        decode(bytes(data))


def test_a_header_may_not_claim_more_memory_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(photo_like(64, 64), chroma="4:4:4")
    monkeypatch.setenv(memory.VARIABLE, str(memory.decode_estimate(CODEC.info, 64 * 64 * 3) - 1))
    with pytest.raises(LimitExceeded, match="decoding this picture needs about"):
        decode(data)
    monkeypatch.setenv(memory.VARIABLE, str(memory.decode_estimate(CODEC.info, 64 * 64 * 3)))
    assert decode(data).shape == (64, 64, 3)


def test_flat_blocks_keep_their_shade_to_half_a_step() -> None:
    shades = np.arange(0, 256, 4, dtype=np.uint8)
    pixels = np.kron(shades.reshape(8, 8), np.ones((8, 8), np.uint8))[:, :, None]
    for quality in (5, 30, 70):
        step = int(quantisation_tables("balanced", quality)[0, 0]) / 8
        assert largest_difference(decode(encode(pixels, quality=quality)), pixels) <= step / 2 + 1


@pytest.mark.parametrize("tables", ["balanced", "flat", "annex-k"])
@pytest.mark.parametrize("shade", [0, 255])
def test_the_extremes_survive_the_best_quality(shade: int, tables: str) -> None:
    # The DC of black is -1024 at steps of one, which JPEG cannot code: -1023 is the nearest.
    pixels = np.full((16, 24, 3), shade, np.uint8)
    assert largest_difference(decode(encode(pixels, quality=100, tables=tables)), pixels) <= 1


@pytest.mark.parametrize("settings", [{}, {"trellis": False, "scans": "sequential", "chroma": "4:4:4"}], ids=str)
@pytest.mark.parametrize(
    "target",
    [*(Target(TargetKind.BPP, bpp) for bpp in (0.4, 1.0, 2.5)), Target(TargetKind.BYTES, 6000)],
    ids=str,
)
def test_a_rate_takes_one_encode_and_one_transform(target: Target, settings: dict[str, object]) -> None:
    for sample in samples()[:3]:
        pixels = io_of_pictures.read(sample.path).image.pixels
        codec, picture = Counted(DctCodec()), Image(np.ascontiguousarray(pixels[:256, :320]))
        result = solve_rate(codec, picture, target, CTX, settings=settings)
        assert result.reached
        rate = result.best.bpp if target.kind is TargetKind.BPP else result.best.size
        assert rate <= target.value
        assert result.message == "", "nothing to say of a distance"
        assert (codec.encodes, codec.transforms, result.encodes) == (0, 1, 1)


@pytest.mark.parametrize("codec_id", ["dct", "dct-rans"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_prepared_picture_makes_the_files_of_the_encoder(codec_id: str, channels: int) -> None:
    codec, picture = registry.codec(codec_id), Image(np.ascontiguousarray(photo_like(50, 70)[:, :, :channels]))
    chosen = {"chroma": "4:2:2", "tables": "flat"}
    tried = codec.prepare(picture, chosen, CTX)
    for quality in (20.0, 80.0, 20.0):
        assert tried.encode(quality) == codec.encode(picture, {**chosen, "quality": quality}, CTX)
