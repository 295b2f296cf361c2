"""The JPEG reader against hostile bytes: any stream decodes or is refused, in bounded time and memory."""

from __future__ import annotations

import io
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pil

from engine import native
from engine.codec import Ctx
from engine.codecs.dct import DctCodec
from engine.errors import CorruptStream, EngineError, Unsupported
from engine.image import Image
from engine.native import entropy, jpeg
from tests.pictures import photo_like

STREAMS = {
    f"{scans} {chroma}": DctCodec()
    .encode(Image(photo_like(40, 56)), {"scans": scans, "chroma": chroma, "quality": 60}, Ctx())
    .data
    for scans in ("sequential", "progressive")
    for chroma in ("4:2:0", "4:4:4")
}


def decode_or_refuse(data: bytes) -> None:
    try:
        header = jpeg.probe(data)
        assert header.blocks <= 8 * len(data) + 8
        pixels = jpeg.render(jpeg.read(data, header))
    except (CorruptStream, Unsupported):
        return
    assert pixels.shape == (header.height, header.width, header.components)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(STREAMS)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_a_mutated_stream_decodes_or_is_refused(name: str, changes: list[tuple[float, int]]) -> None:
    data = bytearray(STREAMS[name])
    for place, value in changes:
        data[int(place * len(data))] = value
    decode_or_refuse(bytes(data))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(STREAMS)),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 40),
    st.binary(max_size=40),
)
def test_a_spliced_stream_decodes_or_is_refused(name: str, place: float, removed: int, added: bytes) -> None:
    data = STREAMS[name]
    at = int(place * len(data))
    decode_or_refuse(data[:at] + added + data[at + removed :])


MUTATE_UNDER_A_LIMIT = """
import random, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from engine.errors import CorruptStream, Unsupported
from engine import native
from engine.native import entropy, jpeg
data = sys.stdin.buffer.read()
random.seed(5)
for turn in range(400):
    bad = bytearray(data)
    for _ in range(3):
        bad[random.randrange(min(len(bad), 700 if turn % 2 else len(bad)))] = random.randrange(256)
    try:
        jpeg.render(jpeg.read(bytes(bad), jpeg.probe(bytes(bad))))
    except (CorruptStream, Unsupported):
        pass
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_AS"), reason="this system cannot limit memory")
@pytest.mark.parametrize("name", sorted(STREAMS))
def test_mutated_headers_do_not_make_it_allocate_by_a_lie(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MUTATE_UNDER_A_LIMIT], input=STREAMS[name], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def segment(data: bytes, marker: int) -> tuple[int, int]:
    """Start and end of the first segment with this marker."""
    at = 2
    while data[at + 1] != marker:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at, at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def test_a_scan_that_brings_nothing_new_is_refused() -> None:
    data = STREAMS["sequential 4:4:4"]
    start, _ = segment(data, 0xDA)
    with pytest.raises(CorruptStream):
        jpeg.read(data[:-2] + data[start:], jpeg.probe(data))


def test_bytes_that_a_scan_does_not_use_are_refused() -> None:
    data = STREAMS["sequential 4:4:4"]
    jpeg.read(data, jpeg.probe(data))
    with pytest.raises(CorruptStream):
        jpeg.read(data[:-2] + b"\0" + data[-2:], jpeg.probe(data))


def test_data_after_the_end_does_no_harm() -> None:
    data = STREAMS["progressive 4:2:0"]
    whole = jpeg.render(jpeg.read(data, jpeg.probe(data)))
    assert np.array_equal(jpeg.render(jpeg.read(data + b"more", jpeg.probe(data))), whole)


def test_fill_bytes_before_markers_are_skipped() -> None:
    data = STREAMS["sequential 4:4:4"]
    start, _ = segment(data, 0xDB)
    padded = data[:start] + b"\xff\xff" + data[start:-2] + b"\xff" + data[-2:]
    assert np.array_equal(jpeg.read(padded, jpeg.probe(padded)).levels, jpeg.read(data, jpeg.probe(data)).levels)


def test_huffman_codes_that_overflow_are_refused() -> None:
    data = bytearray(STREAMS["sequential 4:4:4"])
    start, _ = segment(bytes(data), 0xC4)
    data[start + 5] = 3  # three codes of one bit
    with pytest.raises(CorruptStream):
        jpeg.probe(bytes(data))


def test_a_quantisation_step_of_zero_is_refused() -> None:
    data = bytearray(STREAMS["sequential 4:4:4"])
    start, _ = segment(bytes(data), 0xDB)
    data[start + 20] = 0
    with pytest.raises(CorruptStream):
        jpeg.probe(bytes(data))


def test_levels_survive_the_file_exactly() -> None:
    rng = np.random.default_rng(3)
    where = jpeg.layout(45, 37, 3, 2, 2)
    levels = (rng.laplace(0, 3, (where.blocks, 64)) * (rng.random((where.blocks, 64)) < 0.4)).astype(np.int16)
    levels[:, 0] = rng.integers(-1023, 1024, where.blocks)
    levels[::7, 63], levels[::5, 20] = 1023, -1023
    tables = np.ones((2, 64), np.uint8)
    for mode in ("sequential", "progressive"):
        data = jpeg.write(levels, where, tables, mode).data  # type: ignore[arg-type]
        read = jpeg.read(data, jpeg.probe(data)).levels
        for ours, theirs, grid, component in zip(
            where.parts(levels), where.parts(read), where.grids, range(3), strict=True
        ):
            width, height = where.plane_size(component)
            used = np.s_[: -(-height // 8), : -(-width // 8)]
            shape = (grid[1], grid[0], 64)
            assert np.array_equal(ours.reshape(shape)[used], theirs.reshape(shape)[used])
            assert np.array_equal(ours[:, 0], theirs[:, 0])


@pytest.mark.parametrize("sampling", [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (1, 4), (4, 2), (3, 1)])
@pytest.mark.parametrize("size", [(50, 35), (3, 17), (33, 2)])
def test_every_sampling_renders_as_libjpeg_does(sampling: tuple[int, int], size: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    where = jpeg.layout(*size, 3, *sampling)
    levels = np.rint(rng.laplace(0, 1, (where.blocks, 64)) * (60 / (1 + np.arange(64)))).astype(np.int16)
    data = jpeg.write(levels, where, np.full((2, 64), 3, np.uint8), "smaller").data
    ours = jpeg.render(jpeg.read(data, jpeg.probe(data)))
    theirs = np.asarray(Pil.open(io.BytesIO(data)))
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_levels_out_of_range_are_not_written() -> None:
    where = jpeg.layout(8, 8, 1, 1, 1)
    with pytest.raises(EngineError):
        jpeg.write(np.full((1, 64), 1024, np.int16), where, np.ones((1, 64), np.uint8), "sequential")


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 7, 40, 41])
def test_halved_chroma_is_the_least_squares_answer(n: int) -> None:
    rng = np.random.default_rng(n)
    line = rng.integers(-1200, 1200, n).astype(np.int16)
    half = (n + 1) // 2
    upsampling = np.zeros((2 * half, half))
    for i in range(2 * half):
        near, far = i // 2, i // 2 + (1 if i % 2 else -1)
        upsampling[i, near] += 0.75
        upsampling[i, min(max(far, 0), half - 1)] += 0.25
    if half < 3:
        upsampling = np.repeat(np.eye(half), 2, axis=0)
    padded = np.append(line, line[-1:])[: 2 * half]
    expected = np.linalg.lstsq(upsampling, padded.astype(float), rcond=None)[0].clip(-2048, 2047)
    across = jpeg.halve(np.ascontiguousarray(line[None, :].repeat(3, 0)), 2, 1)
    down = jpeg.halve(np.ascontiguousarray(line[:, None].repeat(3, 1)), 1, 2)
    assert np.abs(across - expected[None, :]).max() <= 0.51
    assert np.abs(down - expected[:, None]).max() <= 0.51


def test_the_forward_dct_is_the_definition_to_a_sixteenth_of_a_unit() -> None:
    rng = np.random.default_rng(9)
    block = rng.integers(-2048, 2048, (8, 8)).astype(np.int16)
    k = np.arange(8)
    basis = np.cos((2 * k[None, :] + 1) * k[:, None] * np.pi / 16) / 2
    basis[0] /= np.sqrt(2)
    zigzag = sorted(range(64), key=lambda i: (i // 8 + i % 8, i // 8 if (i // 8 + i % 8) % 2 else i % 8))
    coefs = np.empty((1, 64), np.int16)
    jpeg.forward_dct(block, (1, 1), coefs)
    assert np.abs(coefs[0] - (basis @ block @ basis.T).reshape(64)[zigzag]).max() <= 1.5


def test_more_empty_blocks_in_a_row_than_one_symbol_counts_come_back() -> None:
    where = jpeg.layout(8 * 256, 8 * 130, 1, 1, 1)  # a run of empty bands ends at 32767 (T.81 G.1.2.2)
    levels = np.zeros((where.blocks, 64), np.int16)
    levels[-1] = 3
    tables = np.full((1, 64), 16, np.uint8)
    data = jpeg.write(levels, where, tables, "progressive", b"").data
    assert (jpeg.read(data, jpeg.probe(data)).levels == levels).all()


CHOSEN = {
    "chroma": st.sampled_from(["4:2:0", "4:2:2", "4:4:4"]),
    "quality": st.floats(0, 100),
    "scans": st.sampled_from(["sequential", "smallest"]),
    "trellis": st.just(False),
}


@settings(max_examples=25)
@given(st.integers(1, 300), st.integers(1, 40), st.fixed_dictionaries(CHOSEN), st.booleans())
def test_every_path_of_the_processor_makes_the_same(
    width: int, height: int, chosen: dict[str, object], noise: bool
) -> None:
    pixels = photo_like(height, width)
    if noise:
        pixels = np.random.default_rng(width).integers(0, 2, pixels.shape, np.uint8) * np.uint8(255)
    files, pictures = set(), set()
    for mask in (0, -1):
        native.use_processor(mask)
        try:
            data = DctCodec().encode(Image(pixels), chosen, Ctx()).data
            files.add(data)
            pictures.add(DctCodec().decode(data, Ctx()).pixels.tobytes())
        finally:
            native.use_processor(-1)
    assert (len(files), len(pictures)) == (1, 1)


DC_STEPS = tuple(dict.fromkeys(min(round(1.17**i), 255) for i in range(37)))


@given(st.integers(0, 99), st.sampled_from([30, 1000, 16_256]), st.floats(0, 1e6), st.integers(1, 3))
def test_the_step_of_dc_is_the_one_of_least_cost(seed: int, spread: int, trade: float, planes: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = [130 + 77 * i for i in range(planes)]
    parts = [rng.integers(-spread, spread, n).astype(np.int16) for n in sizes]
    flat = [rng.integers(0, 2, n).astype(np.uint8) for n in sizes]

    def cost(step: int) -> float:
        counts = np.zeros(12, np.uint32)
        arrays = [
            (native.const("int16_t", dc), native.const("uint8_t", f), dc.size)
            for dc, f in zip(parts, flat, strict=True)
        ]
        error = sum(native.lib.rs_jpeg_dc_cost(*each, step, native.mutable("uint32_t", counts)) for each in arrays)
        return error + trade * float(counts @ (entropy.huffman_lengths(counts, 16) + np.arange(12)))

    assert jpeg.dc_step(list(zip(parts, flat, strict=True)), trade) == min(DC_STEPS, key=cost)


@pytest.mark.parametrize("step", [1, 7])
def test_differences_beyond_every_picture_are_counted_with_the_largest(step: int) -> None:
    dc, flat = np.array([-32_768, 32_767, 0], np.int16), np.zeros(3, np.uint8)
    counts = np.zeros(13, np.uint32)
    native.lib.rs_jpeg_dc_cost(
        native.const("int16_t", dc), native.const("uint8_t", flat), 3, step, native.mutable("uint32_t", counts)
    )
    assert counts.sum() == 3
    assert counts[12] == 0, "there is no room for it"


def test_a_room_is_the_thread_s_own_and_no_larger_than_is_worth_keeping() -> None:
    first = native.room("a test's", 100, np.uint16)
    assert np.shares_memory(first, native.room("a test's", (5, 4), np.int64))
    assert not np.shares_memory(first, native.room("another test's", 100, np.uint16))
    with ThreadPoolExecutor(1) as pool:
        assert not np.shares_memory(first, pool.submit(native.room, "a test's", 100, np.uint16).result())
    large = native.room("a test's", 1 << 24, np.uint8)
    assert not np.shares_memory(large, native.room("a test's", 1 << 24, np.uint8))
