"""Every call of the C library takes what lies at the edge of its documented ranges, and refuses what lies beyond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.native._base import ffi, lib

ARGUMENT, SPACE, TRUNCATED, CORRUPT, RANGE, UNSUPPORTED = -1, -2, -3, -4, -5, -6
MANY = 1 << 30
SIDE = 1 << 30


def room(kind: str, count: int, value: float = 0) -> Any:
    """An array of `count`; beyond the end lies nothing that a call may touch."""
    return ffi.new(f"{kind}[]", [value] * count)


class Call:
    """A call of the library with arguments that it takes, of which a test changes some."""

    def __init__(self, function: str, **arguments: Any) -> None:
        self.function, self.arguments = getattr(lib, function), arguments

    def __call__(self, **changed: Any) -> int:
        assert set(changed) <= set(self.arguments)
        return int(self.function(*{**self.arguments, **changed}.values()))


BYTES, OUT = room("uint8_t", 64), room("uint8_t", 8192)
GRID = {"grid_x": 2, "grid_y": 2, "used_x": 2, "used_y": 2}
STEPS, ROUNDING, BITS = room("uint8_t", 128, 1), room("float", 64, 0.5), room("float", 256, 1)
COEFS, LEVELS, WORDS = room("int16_t", 256), room("int16_t", 256), room("int32_t", 256)
PAIR = room("uint16_t", 2)
CDFS = ffi.new("uint16_t[]", [0, 9])


def with_value(array: Any, at: int, value: float) -> Any:
    changed = ffi.new(ffi.typeof(array), list(array))
    changed[at] = value
    return changed


NAN = float("nan")
rans_encode = Call("rs_rans_encode", data=BYTES, size=8, dst=OUT, capacity=lib.rs_rans_bound(8))
rans_decode = Call("rs_rans_decode", data=BYTES, size=0, out=OUT, count=0)
huffman_encode = Call("rs_huffman_encode", data=BYTES, size=8, dst=OUT, capacity=lib.rs_huffman_bound(8))
huffman_decode = Call("rs_huffman_decode", data=BYTES, size=0, out=OUT, count=0)
huffman_lengths = Call(
    "rs_huffman_lengths", freq=room("uint32_t", 289, 1), symbols=288, limit=16, lengths=room("uint8_t", 289)
)
tables = {"cdfs": CDFS, "entries": 2, "rows": ffi.new("uint32_t[]", [0, 2]), "offsets": room("int32_t", 1), "tables": 1}
ranx_encode = Call(
    "rs_ranx_encode", values=WORDS, index=PAIR, count=2, **tables, dst=OUT, capacity=lib.rs_ranx_bound(2)
)
ranx_decode = Call("rs_ranx_decode", data=BYTES, size=0, index=PAIR, count=0, **tables, values=WORDS)
models = {"models": room("uint32_t", 4), "contexts": 4}
binary_encode = Call(
    "rs_binary_encode", bits=ffi.new("uint8_t[]", [1, 0]), context=PAIR, count=2, **models, out=OUT, capacity=64
)
binary_decode = Call("rs_binary_decode", data=BYTES, size=2, context=PAIR, count=2, **models, bits=OUT)

blocks = Call("rs_jpeg_blocks", width=9, height=9, components=3, h=2, v=2, grid=room("int32_t", 8))
planes = Call("rs_jpeg_planes", pixels=BYTES, count=4, channels=3, planes=LEVELS)
halve = Call("rs_jpeg_halve", plane=COEFS, width=4, height=4, h=2, v=2, scratch=room("float", 16 + 8 * 4), out=LEVELS)
forward = Call("rs_dct8_forward", plane=COEFS, width=16, height=16, coefs=LEVELS, blocks_x=2, blocks_y=2)
quantise = Call("rs_jpeg_quantise", coefs=COEFS, **GRID, table=STEPS, rounding=ROUNDING, levels=LEVELS)
trellis = Call(
    "rs_jpeg_trellis", coefs=COEFS, **GRID, table=STEPS, bits=BITS, strength=0.0, weights=ffi.NULL, levels=LEVELS
)
count = Call("rs_jpeg_count", levels=COEFS, **GRID, counts=room("uint32_t", 256))
gather = Call("rs_jpeg_dc_gather", coefs=COEFS, **GRID, dc=LEVELS, flat=OUT)
dc_cost = Call("rs_jpeg_dc_cost", dc=COEFS, flat=BYTES, count=4, step=1, counts=room("uint32_t", 12))
SIZES = ffi.new("size_t[]", [3, 1, 0, 0])
dc_step = Call("rs_jpeg_dc_step", dc=COEFS, flat=BYTES, sizes=SIZES, planes=2, trade=1.0)
SCRATCH = lib.rs_jpeg_write_scratch(4)
write = Call(
    "rs_jpeg_write",
    levels=room("int16_t", 256),
    width=16,
    height=16,
    components=1,
    h=1,
    v=1,
    tables=STEPS,
    mode=2,
    extra=BYTES,
    extra_size=0,
    scratch=room("uint64_t", SCRATCH // 8),
    scratch_size=SCRATCH,
    dst=OUT,
    capacity=8192,
    stats=room("int64_t", 3),
)
FILE = write()
INFO = ffi.new("int32_t[]", [16, 16, 1, 8, 0xC0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1])
RENDER = lib.rs_jpeg_render_scratch(INFO)
render_scratch = Call("rs_jpeg_render_scratch", info=INFO)
render = Call(
    "rs_jpeg_render",
    levels=room("int16_t", 256),
    tables=room("uint16_t", 256, 1),
    info=INFO,
    scratch=room("uint8_t", RENDER),
    scratch_size=RENDER,
    pixels=OUT,
)

dwt = [
    Call(f"rs_dwt{kind}", plane=room(word, 16), width=4, height=4, levels=2, scratch=room(word, 4 * 64))
    for kind, word in (
        ("53_forward", "int32_t"),
        ("53_inverse", "int32_t"),
        ("97_forward", "float"),
        ("97_inverse", "float"),
    )
]
dwt_scratch = Call("rs_dwt_scratch", width=1, height=1)
load = Call("rs_plane_load", pixels=BYTES, bytes=1, count=4, channels=3, channel=2, offset=0, plane=WORDS)
store = Call("rs_plane_store", plane=WORDS, count=4, channels=3, channel=2, offset=0, bits=8, pixels=BYTES, bytes=1)
centre = room("float", 3)
plane = {"width": 4, "height": 4, "levels": 1, "step": 1.0}
dequantise = Call("rs_wavelet_dequantise", q=WORDS, **plane, centre=centre, coefficients=room("float", 16))
centres = Call(
    "rs_wavelet_centres",
    q=WORDS,
    coefficients=room("float", 16),
    **plane,
    count=room("double", 3),
    excess=room("double", 3),
)
wavelet_state = Call("rs_wavelet_state", width=4)
_STATE = room("uint64_t", lib.rs_wavelet_state(4) // 8 + 1)
where = {"guide": ffi.NULL, "guide2": ffi.NULL, "width": 4, "height": 4, "levels": 1, "level": 1}


def encode_level(**changed: Any) -> int:
    lib.rs_wavelet_encode_start(_STATE, 4, OUT, 8192)
    given = {"state": _STATE, "plane": 0, "coefficients": ffi.NULL, "step": 1.0, "trade": 0.0, "skip": 0, "q": WORDS}
    return int(lib.rs_wavelet_encode_level(*{**given, **where, **changed}.values()))


def decode_level(**changed: Any) -> int:
    lib.rs_wavelet_decode_start(_STATE, 4, BYTES, 64)
    return int(lib.rs_wavelet_decode_level(*{"state": _STATE, "plane": 0, "q": WORDS, **where, **changed}.values()))


def bound(function: str) -> Callable[..., int]:
    return Call(function, count=0)


def info(**changed: int) -> Any:
    fields = {"width": 0, "height": 1, "components": 2, "h": 8, "v": 9, "h1": 10, "v1": 11}
    new = ffi.new("int32_t[]", list(INFO))
    for name, value in changed.items():
        new[fields[name]] = value
    return new


TAKEN: list[tuple[Callable[..., int], dict[str, Any]]] = [
    (rans_encode, {}),
    (rans_decode, {}),
    (huffman_encode, {}),
    (huffman_decode, {}),
    (huffman_lengths, {}),
    (huffman_lengths, {"symbols": 2, "limit": 1}),
    (huffman_lengths, {"symbols": 16, "limit": 4}),
    (ranx_encode, {}),
    (ranx_decode, {}),
    (binary_encode, {}),
    (bound("rs_rans_bound"), {"count": MANY}),
    (bound("rs_ranx_bound"), {"count": MANY}),
    (bound("rs_binary_bound"), {"count": 1 << 48}),
    (bound("rs_wavelet_bound"), {"count": 1 << 48}),
    (bound("rs_jpeg_write_scratch"), {"count": 1}),
    (bound("rs_jpeg_write_scratch"), {"count": 1 << 40}),
    (Call("rs_jpeg_write_bound", blocks=1, extra=0), {"blocks": 1 << 40}),
    (blocks, {"width": 65_500}),
    (blocks, {"height": 65_500}),
    (blocks, {"width": 1, "height": 1}),
    (blocks, {"h": 4, "v": 4}),
    (blocks, {"h": 1, "v": 1}),
    (blocks, {"components": 1}),
    (planes, {}),
    (planes, {"channels": 1}),
    (halve, {}),
    (halve, {"width": 1, "height": 1, "h": 1, "v": 1}),
    (forward, {}),
    (forward, {"width": 1, "height": 1}),
    (quantise, {}),
    (quantise, {"used_x": 1, "used_y": 1}),
    (quantise, {"rounding": with_value(ROUNDING, 7, 0.0)}),
    (trellis, {}),
    (trellis, {"used_x": 1, "used_y": 1}),
    (trellis, {"bits": with_value(BITS, 255, 64.0)}),
    (trellis, {"bits": with_value(BITS, 0, 0.0)}),
    (count, {}),
    (count, {"levels": with_value(COEFS, 63, -1023)}),
    (gather, {}),
    (gather, {"used_x": 1, "used_y": 1}),
    (dc_cost, {}),
    (dc_cost, {"step": 255}),
    *((dc_step, {"planes": value, "trade": 0.0}) for value in (1, 4)),
    (write, {}),
    (write, {"mode": 0}),
    (write, {"capacity": FILE}),
    (write, {"levels": with_value(COEFS, 70, -1023)}),
    (write, {"levels": with_value(COEFS, 255, 1023)}),
    (render, {}),
    (render_scratch, {"info": info(components=3)}),
    (render_scratch, {"info": info(components=3, h=4, v=2, h1=2)}),
    (dwt_scratch, {"width": SIDE, "height": SIDE}),
    *((each, changed) for each in dwt for changed in ({}, {"levels": 0}, {"levels": 30}, {"width": 1, "height": 1})),
    (load, {}),
    (load, {"bytes": 2, "channels": 1, "channel": 0}),
    (store, {}),
    (store, {"bytes": 2, "bits": 16, "channels": 1, "channel": 0}),
    (store, {"bits": 1}),
    (dequantise, {}),
    (dequantise, {"levels": 30}),
    (dequantise, {"levels": 0, "width": 1, "height": 1}),
    (centres, {}),
    (centres, {"levels": 30}),
    (wavelet_state, {"width": SIDE}),
    (encode_level, {"level": 2}),
    (encode_level, {"plane": 3}),
    (encode_level, {"levels": 0, "level": 1}),
    (encode_level, {"levels": 30, "level": 31}),
    (decode_level, {"level": 2}),
]

REFUSED: list[tuple[Callable[..., int], dict[str, Any], int]] = [
    (rans_encode, {"size": MANY + 1}, ARGUMENT),
    (rans_encode, {"capacity": lib.rs_rans_bound(8) - 1}, SPACE),
    (rans_decode, {"count": MANY + 1}, ARGUMENT),
    (rans_decode, {"size": 1}, CORRUPT),
    (rans_decode, {"count": 1}, TRUNCATED),
    (huffman_encode, {"size": MANY + 1}, ARGUMENT),
    (huffman_encode, {"capacity": lib.rs_huffman_bound(8) - 1}, SPACE),
    (huffman_decode, {"count": MANY + 1}, ARGUMENT),
    (huffman_decode, {"size": 1}, CORRUPT),
    (huffman_decode, {"count": 1}, TRUNCATED),
    (huffman_lengths, {"symbols": 289}, ARGUMENT),
    (huffman_lengths, {"limit": 0}, ARGUMENT),
    (huffman_lengths, {"limit": 17}, ARGUMENT),
    (huffman_lengths, {"symbols": 3, "limit": 1}, ARGUMENT),
    (huffman_lengths, {"symbols": 17, "limit": 4}, ARGUMENT),
    (ranx_encode, {"count": MANY + 1}, ARGUMENT),
    (ranx_encode, {"capacity": lib.rs_ranx_bound(2) - 1}, SPACE),
    (ranx_encode, {"index": ffi.new("uint16_t[]", [0, 1])}, ARGUMENT),
    (ranx_encode, {"tables": 0}, ARGUMENT),
    (ranx_encode, {"entries": 3}, ARGUMENT),
    (ranx_encode, {"rows": ffi.new("uint32_t[]", [1, 2])}, ARGUMENT),
    (ranx_encode, {"rows": ffi.new("uint32_t[]", [0, 0, 2]), "tables": 2}, ARGUMENT),
    (ranx_encode, {"rows": ffi.new("uint32_t[]", [0, 9, 2]), "tables": 2}, ARGUMENT),
    (ranx_encode, {"rows": ffi.new("uint32_t[]", [0, 1]), "entries": 1}, ARGUMENT),
    (ranx_encode, {"cdfs": ffi.new("uint16_t[]", [1, 9])}, ARGUMENT),
    (ranx_encode, {"cdfs": ffi.new("uint16_t[]", [0, 0])}, ARGUMENT),
    (ranx_decode, {"count": MANY + 1}, ARGUMENT),
    (ranx_decode, {"size": 1}, CORRUPT),
    (ranx_decode, {"count": 1, "size": 11}, TRUNCATED),
    (ranx_decode, {"count": 1, "size": 12, "cdfs": ffi.new("uint16_t[]", [1, 9])}, ARGUMENT),
    (binary_encode, {"bits": ffi.new("uint8_t[]", [1, 2])}, ARGUMENT),
    (binary_encode, {"context": ffi.new("uint16_t[]", [0, 4])}, ARGUMENT),
    (binary_encode, {"capacity": 0}, SPACE),
    (binary_decode, {"context": ffi.new("uint16_t[]", [0, 4])}, ARGUMENT),
    (bound("rs_rans_bound"), {"count": MANY + 1}, ARGUMENT),
    (bound("rs_ranx_bound"), {"count": MANY + 1}, ARGUMENT),
    (bound("rs_binary_bound"), {"count": (1 << 48) + 1}, ARGUMENT),
    (bound("rs_wavelet_bound"), {"count": (1 << 48) + 1}, ARGUMENT),
    (bound("rs_jpeg_write_scratch"), {"count": 0}, ARGUMENT),
    (bound("rs_jpeg_write_scratch"), {"count": (1 << 40) + 1}, ARGUMENT),
    (Call("rs_jpeg_write_bound", blocks=1, extra=0), {"blocks": 0}, ARGUMENT),
    (Call("rs_jpeg_write_bound", blocks=1, extra=0), {"blocks": (1 << 40) + 1}, ARGUMENT),
    *((blocks, {side: value}, ARGUMENT) for side in ("width", "height") for value in (0, 65_501)),
    *((blocks, {"components": value}, ARGUMENT) for value in (0, 2, 4)),
    *((blocks, {factor: value}, ARGUMENT) for factor in "hv" for value in (0, 5)),
    *((planes, {"channels": value}, ARGUMENT) for value in (0, 2, 4)),
    *((halve, {name: 0}, ARGUMENT) for name in ("width", "height", "h", "v")),
    *((halve, {name: 3}, ARGUMENT) for name in "hv"),
    *((forward, {name: 0}, ARGUMENT) for name in ("width", "height", "blocks_x", "blocks_y")),
    *((forward, {name: 17}, ARGUMENT) for name in ("width", "height")),
    *(
        (each, {n: v}, ARGUMENT)
        for each in (quantise, trellis, count, gather)
        for n in ("used_x", "used_y")
        for v in (0, 3)
    ),
    *((each, {"table": with_value(STEPS, at, 0)}, ARGUMENT) for each in (quantise, trellis) for at in (0, 63)),
    *((quantise, {"rounding": with_value(ROUNDING, 63, v)}, ARGUMENT) for v in (-0.01, 0.51, NAN)),
    *((trellis, {"strength": value}, ARGUMENT) for value in (-0.01, NAN)),
    *((trellis, {"bits": with_value(BITS, 255, value)}, ARGUMENT) for value in (-0.5, 64.5, NAN)),
    (count, {"levels": with_value(COEFS, 63, 1024)}, RANGE),
    *((dc_cost, {"step": value}, ARGUMENT) for value in (0, 256)),
    *((dc_step, {"planes": value}, ARGUMENT) for value in (0, 5)),
    *((dc_step, {"trade": value}, ARGUMENT) for value in (-0.01, NAN)),
    *((write, {"mode": value}, ARGUMENT) for value in (-1, 3)),
    (write, {"scratch_size": SCRATCH - 1}, ARGUMENT),
    (write, {"width": 0}, ARGUMENT),
    *((write, {"levels": with_value(COEFS, at, v)}, RANGE) for at in (0, 255) for v in (-1024, 1024)),
    *((write, {"capacity": size}, SPACE) for size in (0, 1, 90, FILE - 1)),
    (render, {"scratch_size": RENDER - 1}, ARGUMENT),
    *((render_scratch, {"info": info(components=n)}, ARGUMENT) for n in (0, 2, 4)),
    (render_scratch, {"info": info(width=0)}, ARGUMENT),
    (render_scratch, {"info": info(components=3, h=3, h1=2)}, ARGUMENT),
    (render_scratch, {"info": info(components=3, v=3, v1=2)}, ARGUMENT),
    (dwt_scratch, {"width": SIDE + 1}, ARGUMENT),
    (dwt_scratch, {"height": SIDE + 1}, ARGUMENT),
    *((each, {side: v}, ARGUMENT) for each in dwt for side in ("width", "height") for v in (0, SIDE + 1)),
    *((each, {"levels": value}, ARGUMENT) for each in dwt for value in (-1, 31)),
    *((each, {"bytes": value}, ARGUMENT) for each in (load, store) for value in (0, 3, 4)),
    *((each, {"channels": 0, "channel": -1}, ARGUMENT) for each in (load, store)),
    *((each, {"channel": value}, ARGUMENT) for each in (load, store) for value in (-1, 3)),
    *((store, {"bits": value}, ARGUMENT) for value in (0, 9)),
    (store, {"bytes": 2, "bits": 17}, ARGUMENT),
    *((e, {s: v}, ARGUMENT) for e in (dequantise, centres) for s in ("width", "height") for v in (0, SIDE + 1)),
    *((each, {"levels": value}, ARGUMENT) for each in (dequantise, centres) for value in (-1, 31)),
    (wavelet_state, {"width": SIDE + 1}, ARGUMENT),
    *((each, {"plane": value}, ARGUMENT) for each in (encode_level, decode_level) for value in (-1, 4)),
    *((each, {"levels": value}, ARGUMENT) for each in (encode_level, decode_level) for value in (-1, 31)),
    *((each, {"level": value}, ARGUMENT) for each in (encode_level, decode_level) for value in (0, 3)),
    *((each, {"width": value}, ARGUMENT) for each in (encode_level, decode_level) for value in (0, 5)),
    *((each, {"height": value}, ARGUMENT) for each in (encode_level, decode_level) for value in (0, SIDE + 1)),
]


def name(case: Any) -> str:
    function = getattr(case[0], "function", case[0])
    return f"{getattr(function, '__name__', 'call')} {', '.join(f'{k}={v}' for k, v in case[1].items() if k != 'info')}"


@pytest.mark.parametrize("case", TAKEN, ids=name)
def test_what_lies_at_the_edge_of_a_range_is_taken(case: tuple[Callable[..., int], dict[str, Any]]) -> None:
    call, changed = case
    assert call(**changed) >= 0


@pytest.mark.parametrize("case", REFUSED, ids=name)
def test_what_lies_beyond_a_range_is_refused(case: tuple[Callable[..., int], dict[str, Any], int]) -> None:
    call, changed, error = case
    assert call(**changed) == error


WIDE = {"grid_x": 4, "grid_y": 1, "used_x": 3, "used_y": 1}


@pytest.mark.parametrize(
    ("call", "changed", "result"),
    [
        (quantise, WIDE, 4),
        (trellis, WIDE, 4),
        (count, WIDE, 3),
        (gather, WIDE, 3),
        (dc_cost, {}, 0),
        (forward, {}, 4),
        (halve, {"width": 3}, 4),
        (planes, {}, 4),
        (blocks, {}, 6),
        (render, {}, 256),
        *((each, {"levels": 1}, 1) for each in dwt),
        (load, {}, 4),
        (store, {}, 4),
        (dequantise, {"height": 3}, 12),
        (centres, {"height": 3}, 12),
        (huffman_lengths, {"symbols": 5}, 5),
        (huffman_lengths, {"symbols": 1}, 1),
        (huffman_lengths, {"symbols": 0}, 0),
    ],
)
def test_a_call_returns_the_size_or_the_count_that_it_documents(
    call: Callable[..., int], changed: dict[str, Any], result: int
) -> None:
    assert call(**changed) == result


def test_the_bounds_are_what_the_worst_data_needs_and_a_margin() -> None:
    assert lib.rs_rans_bound(1000) == 1500 + 128 + 1025 + 16
    assert lib.rs_ranx_bound(1000) == 7000 + 48 + 16
    assert lib.rs_huffman_bound(1000) == 1500 + 256 + 12 + 16
    assert lib.rs_binary_bound(1000) == 1375 + 8
    assert lib.rs_wavelet_bound(1000) == 8000 + 4096
    assert lib.rs_jpeg_write_bound(10, 7) == 4320 + 16384 + 7
    assert lib.rs_jpeg_write_scratch(10) == 4 * (72 * 10 + 256) + 10 * 3 * 8
    assert lib.rs_jpeg_render_scratch(INFO) == 64 * 4 + 4 * (16 + 8)
    assert [lib.rs_dwt_scratch(w, h) for w, h in ((5, 3), (193, 3), (1, 1))] == [192, 193, 64]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (0, "RS_OK"),
        (7, "RS_OK"),
        (-1, "RS_ERR_ARGUMENT"),
        (-2, "RS_ERR_SPACE"),
        (-3, "RS_ERR_TRUNCATED"),
        (-4, "RS_ERR_CORRUPT"),
        (-5, "RS_ERR_RANGE"),
        (-6, "RS_ERR_UNSUPPORTED"),
        (-7, "RS_ERR_UNKNOWN"),
    ],
)
def test_errors_keep_their_numbers_and_names(code: int, error: str) -> None:
    assert ffi.string(lib.rs_error_name(code)) == error.encode()
