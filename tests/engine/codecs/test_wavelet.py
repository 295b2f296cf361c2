"""The wavelet codec: exact when lossless, near and monotone when lossy, and never fooled by damaged data."""

from __future__ import annotations

import contextlib
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import container, memory
from engine.codec import Ctx
from engine.codecs import colour_axes
from engine.codecs.wavelet import WaveletCodec
from engine.container import Section
from engine.errors import CorruptStream, EngineError, LimitExceeded, Unsupported
from engine.image import Alpha, Image
from engine.native import processor, use_processor
from engine.native import wavelet as native
from engine.rate import solve_rate
from engine.trial import Target, TargetKind
from tests.engine.counting import Counted
from tests.pictures import photo_like

CODEC, CTX = WaveletCodec(), Ctx()
LARGEST = 2**24 - 1
EFFORTS = ("fast", "normal", "max")


def photo(height: int = 96, width: int = 128, channels: int = 3, bits: int = 8, seed: int = 7) -> Image:
    rgb = photo_like(height, width, seed)
    ramp = np.linspace(0, 255, height * width).astype(np.uint8).reshape(height, width, 1)
    pixels = np.concatenate([rgb[:, :, : 3 if channels > 2 else 1], ramp][: 2 - channels % 2], axis=2)
    if bits > 8:
        noise = np.random.default_rng(seed).integers(0, 256, pixels.shape)
        pixels = (pixels.astype(np.uint16) * 256 + noise) >> (16 - bits)
    return Image(
        pixels.astype(np.uint8 if bits <= 8 else np.uint16),
        alpha=Alpha.STRAIGHT if channels % 2 == 0 else Alpha.NONE,
        bits=bits,
    )


def encode(image: Image, **chosen: object) -> bytes:
    return CODEC.encode(image, chosen, CTX).data


def decode(data: bytes) -> Image:
    return CODEC.decode(data, CTX)


def psnr(a: Image, b: Image) -> float:
    error = np.mean((a.pixels.astype(float) - b.pixels) ** 2)
    return 10 * math.log10(a.peak**2 / error) if error else math.inf


@pytest.mark.parametrize("effort", ["normal", "max"])
@pytest.mark.parametrize("bits", [8, 10, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (2, 2), (33, 50), (96, 128)])
def test_lossless_is_exact(size: tuple[int, int], channels: int, bits: int, effort: str) -> None:
    image = photo(*size, channels, bits)
    decoded = decode(encode(image, lossless=True, effort=effort))
    assert np.array_equal(decoded.pixels, image.pixels) and decoded.bits == bits and decoded.alpha == image.alpha


@settings(deadline=None, max_examples=40)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.integers(1, 4),
    deep=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
    effort=st.sampled_from(["normal", "max"]),
)
def test_lossless_is_exact_for_noise_of_full_range(
    size: tuple[int, int], channels: int, deep: bool, seed: int, effort: str
) -> None:
    dtype = np.uint16 if deep else np.uint8
    top = np.iinfo(dtype).max
    pixels = np.random.default_rng(seed).choice([0, 1, top // 2, top], (*size, channels)).astype(dtype)
    image = Image(pixels, alpha=Alpha.STRAIGHT if channels % 2 == 0 else Alpha.NONE)
    assert np.array_equal(decode(encode(image, lossless=True, effort=effort)).pixels, pixels)


@pytest.mark.parametrize("effort", EFFORTS)
def test_the_curve_is_monotone(effort: str) -> None:
    image = photo(160, 208)
    points = []
    for quality in range(10, 90, 4):
        data = encode(image, quality=quality, effort=effort)
        points.append((len(data), psnr(image, decode(data))))
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(points))


def test_a_small_step_of_quality_makes_a_small_step_of_size() -> None:
    image = photo(160, 208)
    sizes = [len(encode(image, quality=q)) for q in np.arange(50, 51, 0.1)]
    assert all(abs(b / a - 1) < 0.02 for a, b in itertools.pairwise(sizes))


@pytest.mark.parametrize(("bits", "floor"), [(8, 55.0), (12, 75.0), (16, 95.0)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_best_quality_is_near_lossless_at_any_depth(channels: int, bits: int, floor: float) -> None:
    image = photo(64, 80, channels, bits)
    assert psnr(image, decode(encode(image, quality=100))) > floor


def test_the_step_sets_the_error() -> None:
    # Fine uniform quantisation of an orthonormal transform: mean squared error is step^2 / 12.
    image = photo(128, 128)
    encoded = CODEC.encode(image, {"quality": 80}, CTX)
    error = np.mean((image.pixels.astype(float) - decode(encoded.data).pixels) ** 2)
    assert error == pytest.approx(encoded.stats["step"] ** 2 / 12, rel=0.35)


def test_alpha_is_exact_whatever_the_quality() -> None:
    image = photo(48, 64, 4)
    decoded = decode(encode(image, quality=20))
    assert np.array_equal(decoded.pixels[:, :, 3], image.pixels[:, :, 3])
    assert not np.array_equal(decoded.pixels, image.pixels)


def test_an_opaque_alpha_costs_a_few_bytes() -> None:
    image = photo(64, 80)
    opaque = np.concatenate([image.pixels, np.full((64, 80, 1), 255, np.uint8)], axis=2)
    assert len(encode(Image(opaque, alpha=Alpha.STRAIGHT))) <= len(encode(image)) + 4


def test_4_2_0_saves_bytes_and_loses_only_colour_detail() -> None:
    image = photo(96, 128)
    full, half = encode(image, quality=70), encode(image, quality=70, chroma="4:2:0")
    assert len(half) < len(full)
    assert psnr(image, decode(half)) < psnr(image, decode(full))


def test_a_flat_picture_takes_next_to_nothing_and_comes_back_flat() -> None:
    image = Image(np.full((200, 300, 3), (200, 30, 90), np.uint8))
    data = encode(image, quality=90)
    assert len(data) < 60
    assert np.abs(decode(data).pixels.astype(int) - (200, 30, 90)).max() <= 1


def test_grey_stored_as_colour_costs_hardly_more_than_grey() -> None:
    grey = photo(96, 128, 1)
    triple = Image(np.repeat(grey.pixels, 3, axis=2))
    # The grey axis is sqrt 3 times as long: the same step means a finer picture.
    coarser = 60 - 10 * math.log2(math.sqrt(3))
    assert len(encode(triple, quality=coarser)) < 1.02 * len(encode(grey, quality=60)) + 30


def test_the_same_picture_gives_the_same_bytes() -> None:
    assert encode(photo()) == encode(photo())


def test_stats_add_up_to_the_file() -> None:
    encoded = CODEC.encode(photo(64, 80, 4), {}, CTX)
    assert sum(encoded.stats["bytes"].values()) == pytest.approx(len(encoded.data), abs=4)


def test_lossless_floats_are_refused_in_plain_words() -> None:
    with pytest.raises(Unsupported, match="nothing lossless"):
        encode(Image(np.zeros((4, 4, 3), np.float32)), lossless=True)


def test_more_effort_gives_a_better_curve() -> None:
    # 0.05 dB is less than a tenth of what 5 % of rate are worth.
    image = photo(160, 208)
    sizes = {}
    for effort in EFFORTS:
        points = [encode(image, quality=q, effort=effort) for q in (36, 48)]
        quality = [psnr(image, decode(data)) for data in points]
        share = (36 - quality[0]) / (quality[1] - quality[0])
        sizes[effort] = math.exp(math.log(len(points[0])) * (1 - share) + math.log(len(points[1])) * share)
    assert sizes["max"] < sizes["normal"] < sizes["fast"]


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize(
    "target",
    [
        Target(TargetKind.BYTES, 1_500),
        Target(TargetKind.BYTES, 9_999),
        Target(TargetKind.BPP, 1),
        Target(TargetKind.PSNR, 36),
    ],
    ids=str,
)
def test_a_target_takes_one_transform_and_one_encode(target: Target, effort: str) -> None:
    codec, image = Counted(WaveletCodec()), photo(192, 256)
    result = solve_rate(codec, image, target, CTX, settings={"effort": effort})
    assert (codec.transforms, codec.encodes, result.encodes) == (1, 0, 1)
    assert result.reached and result.data == encode(image, **result.best.settings)
    if target.kind is TargetKind.PSNR:
        assert 36 <= psnr(image, decode(result.data)) <= 36.03
    else:
        limit = target.value if target.kind is TargetKind.BYTES else target.value * 192 * 256 / 8
        assert 0.995 * limit <= len(result.data) <= limit


def test_a_target_that_is_known_takes_nothing() -> None:
    codec, image, target = Counted(WaveletCodec()), photo(96, 128), Target(TargetKind.BYTES, 3_000)
    first = solve_rate(codec, image, target, CTX)
    again = solve_rate(codec, image, target, CTX, known=first.probes, blob=lambda _name: first.data)
    assert (codec.transforms, codec.encodes, again.encodes) == (1, 0, 0)
    assert again.best == first.best


def test_a_target_out_of_reach_takes_one_encode_too() -> None:
    codec = Counted(WaveletCodec())
    result = solve_rate(codec, photo(96, 128), Target(TargetKind.BYTES, 40), CTX)
    assert (result.reached, result.encodes, codec.transforms, codec.encodes) == (False, 1, 1, 0)
    assert "cannot go below" in result.message


@pytest.mark.parametrize("image", [photo(40, 50, 4, 16), photo(70, 60, 1)])
def test_a_try_is_the_file_that_an_encode_makes(image: Image) -> None:
    for chosen in ({}, {"chroma": "4:2:0", "effort": "max"}, {"lossless": True}):
        tried = CODEC.prepare(image, chosen, CTX)
        for quality in (30, 80, 30):
            assert tried.encode(quality).data == encode(image, **chosen, quality=quality)


@pytest.mark.parametrize("effort", EFFORTS)
def test_the_more_of_a_file_the_finer_the_picture(effort: str) -> None:
    image = photo(192, 256)
    data = encode(image, quality=60, effort=effort)
    pictures = [CODEC.decode_beginning(data[: len(data) * share // 100], CTX) for share in (2, 5, 10, 20, 40, 70, 100)]
    quality = [psnr(image, each) for each in pictures]
    assert quality == sorted(quality) and quality[0] > 12 and quality[2] > 17
    assert quality[-1] == psnr(image, decode(data))


def test_a_beginning_ends_within_a_band() -> None:
    # Noise everywhere: where a band is cut, the rows above are finer than those below.
    image = Image(np.random.default_rng(2).integers(0, 256, (256, 256, 1)).astype(np.uint8))
    data = encode(image, quality=70)
    beginning = CODEC.decode_beginning(data[: len(data) * 37 // 100], CTX)
    errors = np.abs(beginning.pixels - image.pixels.astype(int))
    assert errors[:64].mean() < 0.85 * errors[-64:].mean()


@settings(deadline=None, max_examples=60)
@given(share=st.floats(0, 1), channels=st.integers(1, 4), lossless=st.booleans(), effort=st.sampled_from(EFFORTS))
def test_any_beginning_is_a_picture(share: float, channels: int, lossless: bool, effort: str) -> None:
    image = photo(41, 67, channels)
    data = encode(image, quality=70, lossless=lossless, effort=effort)
    least = len(data) - len(container.read(data).section(Section.WAVELET)) - 4 + 13
    beginning = data[: least + round(share * (len(data) - least))]
    assert CODEC.decode_beginning(beginning, CTX).pixels.shape == image.pixels.shape
    with pytest.raises(CorruptStream):
        decode(beginning[:-1])


def test_a_beginning_without_its_header_is_refused() -> None:
    data = encode(photo(40, 50))
    for size in (0, 3, 5, 8, 12, 20):
        with pytest.raises(CorruptStream):
            CODEC.decode_beginning(data[:size], CTX)
    with pytest.raises(Unsupported, match="version"):
        CODEC.decode_beginning(data[:3] + b"\x09" + data[4:], CTX)
    with pytest.raises(Unsupported, match="codec"):
        CODEC.decode_beginning(data[:4] + b"\x77" + data[5:], CTX)
    with pytest.raises(CorruptStream, match="not a Ratescope"):
        CODEC.decode_beginning(b"PNG" + data, CTX)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("chosen", [{"quality": 30}, {"quality": 75}, {"lossless": True}], ids=str)
def test_bits_lie_where_the_detail_is_and_sum_to_the_file(chosen: dict[str, object], effort: str) -> None:
    pixels = np.full((201, 255, 3), 90, np.uint8)
    pixels[40:100, 150:230] = photo_like(60, 80)
    data = encode(Image(pixels), effort=effort, **chosen)
    found = CODEC.bit_map(data, CTX)
    told = found.bits.sum() + 8 * found.apart_bytes
    assert told == pytest.approx(8 * len(data), abs=16)
    assert found.bits[30:110, 140:240].sum() > 0.7 * found.bits.sum()


def test_a_lone_coefficient_pays_most_and_its_block_the_rest() -> None:
    q, bits = np.zeros((32, 32), np.int32), np.zeros((32, 32), np.float32)
    q[4, 12] = 100  # in HL of level 2
    decoder, decoded = native.FastBandDecoder(32, 32, fast_stream(q, 2)), np.empty_like(q)
    for level in (3, 2, 1):
        decoder.tell(bits)
        decoder.level(0, decoded, [], 2, level)
    assert np.array_equal(decoded, q)
    assert 15 < bits[4, 12] < 25 and bits[4, 12] == bits.max()
    assert bits[:8, 8:16].sum() > 0.7 * bits.sum()


def test_every_processor_reads_the_same_from_the_fast_coder() -> None:
    image = photo(150, 210)
    for chosen in ({"quality": 35}, {"quality": 80}, {"lossless": True}):
        data = encode(image, **chosen)
        whole = decode(data).pixels
        used = use_processor(0)
        try:
            assert (used, use_processor(-1), use_processor(0)) == (0, processor(), 0)
            assert np.array_equal(decode(data).pixels, whole) and encode(image, **chosen) == data
        finally:
            use_processor(-1)


def test_the_fast_coder_keeps_any_value_of_24_bits() -> None:
    rng = np.random.default_rng(3)
    q = (rng.integers(-LARGEST, LARGEST + 1, (70, 90)) >> rng.integers(0, 25, (70, 90))).astype(np.int32)
    q[20:50, 30:60] //= 1 << 20
    stream, decoded = fast_stream(q, 3), np.empty_like(q)
    read_fast(stream, decoded, 3)
    assert np.array_equal(decoded, q)


def fast_stream(q: np.ndarray, levels: int) -> bytes:
    encoder = native.FastBandEncoder(q.shape[1], q.shape[0], q.size)
    for level in range(levels + 1, 0, -1):
        encoder.level(0, q, [], levels, level)
    return encoder.finish()


def read_fast(stream: bytes, q: np.ndarray, levels: int) -> None:
    decoder = native.FastBandDecoder(q.shape[1], q.shape[0], stream)
    for level in range(levels + 1, 0, -1):
        decoder.level(0, q, [], levels, level)
    decoder.finish()


def test_the_fast_coder_starts_afresh_in_long_streams() -> None:
    # Several chunks of 2^18 symbols, one of which ends inside a band.
    q = np.random.default_rng(5).integers(-4, 5, (700, 900)).astype(np.int32)
    stream, decoded = fast_stream(q, 2), np.empty_like(q)
    read_fast(stream, decoded, 2)
    assert np.array_equal(decoded, q)
    for at in (9, len(stream) // 3, len(stream) // 2, len(stream) - 9):
        damaged = stream[:at] + bytes([stream[at] ^ 16]) + stream[at + 1 :]
        with pytest.raises(CorruptStream):
            read_fast(damaged, decoded, 2)


def test_the_fast_coder_has_room_for_a_chunk_of_the_dearest_values() -> None:
    # Noise of 17 bits: each coefficient is an escape, three notes of the encoder instead of one.
    q = np.random.default_rng(6).integers(-(2**16), 2**16, (512, 600)).astype(np.int32)
    encoder = native.FastBandEncoder(q.shape[1], q.shape[0], q.size)
    encoder._state[-2:] = guard = 0x0123456789ABCDEF
    for level in (2, 1):
        encoder.level(0, q, [], 1, level)
    stream, decoded = encoder.finish(), np.empty_like(q)
    read_fast(stream, decoded, 1)
    assert np.array_equal(decoded, q) and encoder._state[-1] == guard


@pytest.mark.parametrize("fast", [False, True], ids=["mixing", "fast"])
@pytest.mark.parametrize("value", [LARGEST, -LARGEST, 2.0 * LARGEST, -2.0 * LARGEST])
def test_coefficients_at_the_end_of_the_range_and_beyond_are_kept_within_it(value: float, fast: bool) -> None:
    coefficients, q = np.array([[value, 0]], np.float32), np.empty((1, 2), np.int32)
    encoder = native.FastBandEncoder(2, 1, 2) if fast else native.BandEncoder(2, 2)
    encoder.level(0, q, [], 0, 1, coefficients=coefficients, step=1.0)
    assert q.tolist() == [[math.copysign(LARGEST, value), 0]]


@pytest.mark.parametrize(("row", "levels"), [([2**24 - 1, 0], 0), ([0, 2**24 - 1], 1)], ids=["LL", "HL"])
def test_no_changed_byte_gives_the_fast_coder_a_coefficient_beyond_24_bits(row: list[int], levels: int) -> None:
    stream = fast_stream(np.array([row], np.int32), levels)
    for at, value in itertools.product(range(len(stream)), range(0, 256, 5)):
        decoded = np.zeros((1, 2), np.int32)
        with contextlib.suppress(CorruptStream):
            read_fast(stream[:at] + bytes([value]) + stream[at + 1 :], decoded, levels)
        assert np.abs(decoded).max() <= LARGEST


def test_a_fast_stream_that_ends_is_noticed_row_by_row() -> None:
    noise = np.random.default_rng(1).integers(-99, 99, (64, 64)).astype(np.int32)
    stream = fast_stream(noise, 0)
    with pytest.raises(CorruptStream, match="ends too early"):
        native.FastBandDecoder(64, 64, stream[:100]).level(0, np.zeros_like(noise), [], 0, 1)


def resealed(data: bytes, payload: bytes) -> bytes:
    """The stream with another wavelet section and a checksum that fits: only the decoder can object."""
    return container.write("wavelet", container.read(data).picture, {Section.WAVELET: payload})


@settings(deadline=None, max_examples=150)
@given(data=st.data(), lossless=st.booleans(), channels=st.integers(1, 4), effort=st.sampled_from(EFFORTS))
def test_a_mutated_payload_decodes_or_is_refused(
    data: st.DataObject, lossless: bool, channels: int, effort: str
) -> None:
    whole = encode(photo(37, 53, channels), lossless=lossless, quality=65, effort=effort)
    payload = bytearray(container.read(whole).section(Section.WAVELET))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode(resealed(whole, bytes(payload)))
    except (CorruptStream, Unsupported):
        return
    assert decoded.pixels.shape == (37, 53, channels)


@settings(deadline=None, max_examples=60)
@given(noise=st.binary(max_size=400), channels=st.integers(1, 4))
def test_noise_as_payload_decodes_or_is_refused(noise: bytes, channels: int) -> None:
    whole = encode(photo(20, 24, channels))
    with contextlib.suppress(CorruptStream, Unsupported):
        decode(resealed(whole, noise))


@pytest.mark.parametrize("effort", ["normal", "max"])
def test_a_cut_payload_is_refused_though_its_checksum_fits(effort: str) -> None:
    whole = encode(photo(), effort=effort)
    payload = container.read(whole).section(Section.WAVELET)
    for size in (0, 5, 12, len(payload) // 2, len(payload) - 6):
        with pytest.raises(CorruptStream):
            decode(resealed(whole, payload[:size]))
    with pytest.raises(CorruptStream):
        decode(resealed(whole, payload + bytes(6)))


def test_another_codecs_stream_is_refused() -> None:
    other = container.write("hyperprior", container.Picture(4, 4, 3), {Section.WAVELET: bytes(20)})
    with pytest.raises(Unsupported, match="hyperprior"):
        decode(other)


def test_axes_are_a_rotation_and_follow_the_detail() -> None:
    rng = np.random.default_rng(5)
    for mix in (np.eye(3), rng.normal(size=(3, 3)), np.array([[1, 1, 1], [1, 0, -1], [0.1, -0.2, 0.1]])):
        detail = rng.normal(0, 100, (40, 50, 3)) * (9, 3, 1) @ mix
        planes = [np.ascontiguousarray(np.rint(detail[:, :, c]).astype(np.int32)) for c in range(3)]
        axes = colour_axes.unpack(colour_axes.choose(planes)).astype(float)
        assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-6) and np.linalg.det(axes) == pytest.approx(1, abs=1e-6)
        turned = axes @ native.gradient_products(planes) @ axes.T
        off_diagonal = np.abs(turned - np.diag(np.diag(turned))).max()
        assert off_diagonal < 2e-3 * turned.max()
        assert list(np.diag(turned)) == sorted(np.diag(turned), reverse=True)


def test_a_flat_picture_has_a_grey_axis() -> None:
    flat = [np.zeros((4, 4), np.int32)] * 3
    assert np.allclose(np.abs(colour_axes.unpack(colour_axes.choose(flat))[0]), 1 / math.sqrt(3), atol=1e-4)


def test_a_level_outside_the_plane_is_an_error() -> None:
    q = np.zeros((8, 8), np.int32)
    with pytest.raises(EngineError, match="RS_ERR_ARGUMENT"):
        native.BandEncoder(8, 64).level(0, q, [], 2, 4)
    with pytest.raises(ValueError, match="guides"):
        native.BandEncoder(8, 64).level(1, q, [np.zeros((8, 9), np.int32)], 2, 3)


def test_a_coefficient_beyond_24_bits_is_an_error() -> None:
    q = np.full((8, 8), 1 << 25, np.int32)
    with pytest.raises(EngineError, match="RS_ERR_RANGE"):
        native.BandEncoder(8, 64).level(0, q, [], 0, 1)


def test_a_header_may_not_claim_more_memory_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    flat = encode(Image(np.zeros((64, 64, 3), np.uint8)))
    needed = memory.decode_estimate(CODEC.info, 64 * 64 * 3)
    monkeypatch.setenv(memory.VARIABLE, str(needed))
    assert decode(flat).width == 64
    monkeypatch.setenv(memory.VARIABLE, str(needed - 1))
    with pytest.raises(LimitExceeded, match="decoding this picture needs about"):
        decode(flat)


def test_a_small_stream_that_claims_a_huge_picture_is_refused_before_memory_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = encode(photo(20, 24, 1))
    payload = bytearray(container.read(small).section(Section.WAVELET))
    payload[0] = 6
    monkeypatch.setenv(memory.VARIABLE, "2G")
    with pytest.raises(LimitExceeded):
        decode(container.write("wavelet", container.Picture(16_384, 16_384, 1), {Section.WAVELET: bytes(payload)}))


def test_levels_that_contradict_the_size_are_refused() -> None:
    whole = encode(photo(40, 48))
    payload = bytearray(container.read(whole).section(Section.WAVELET))
    for levels in (payload[0] - 1, payload[0] + 1, 31):
        payload[0] = levels
        with pytest.raises(CorruptStream, match="contradicts"):
            decode(resealed(whole, bytes(payload)))


@pytest.mark.parametrize(("row", "levels"), [([LARGEST, 0], 0), ([0, LARGEST], 1)], ids=["LL", "HL"])
def test_no_changed_byte_gives_a_coefficient_beyond_24_bits(row: list[int], levels: int) -> None:
    q = np.array([row], np.int32)
    encoder = native.BandEncoder(2, 2)
    for level in range(levels + 1, 0, -1):
        encoder.level(0, q, [], levels, level)
    stream = encoder.finish() + bytes(4)
    for at, value in itertools.product(range(len(stream) - 4), range(0, 256, 5)):
        decoder = native.BandDecoder(2, stream[:at] + bytes([value]) + stream[at + 1 :])
        decoded = np.zeros_like(q)
        with contextlib.suppress(CorruptStream):
            for level in range(levels + 1, 0, -1):
                decoder.level(0, decoded, [], levels, level)
            assert np.abs(decoded).max() <= LARGEST


def test_a_plane_wider_than_its_coder_is_an_error() -> None:
    q = np.zeros((8, 9), np.int32)
    with pytest.raises(EngineError, match="RS_ERR_ARGUMENT"):
        native.BandDecoder(8, bytes(20)).level(0, q, [], 0, 1)


def test_a_stream_that_ends_is_noticed_row_by_row() -> None:
    # Not only when all is decoded: a small stream must not keep a large picture's decoder busy.
    noise = np.random.default_rng(1).integers(-99, 99, (64, 64)).astype(np.int32)
    encoder = native.BandEncoder(64, noise.size)
    encoder.level(0, noise.copy(), [], 0, 1)
    with pytest.raises(CorruptStream, match="ends too early"):
        native.BandDecoder(64, encoder.finish()[:100]).level(0, np.zeros_like(noise), [], 0, 1)


def test_a_magnitude_without_end_is_refused() -> None:
    # The band is not empty (its flag has 1/16), then zeros, which say "larger" for ever.
    q = np.zeros((1, 2), np.int32)
    with pytest.raises(CorruptStream, match="damaged"):
        native.BandDecoder(2, bytes([0x0F, 0xFF, 0xF0, 0x00])).level(0, q, [], 0, 1)
