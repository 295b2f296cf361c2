"""Wavelet transforms, the adaptive binary range coder, and the wavelet codec's coefficient coder."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.native._base import as_bytes, check, const, ffi, lib, mutable

MAX_LEVELS = 30
LEAST_BEGINNING = 33  # bytes of a stream from which coefficients come: the fast coder's states


def binary_encode(bits: np.ndarray, contexts: np.ndarray, context_count: int) -> bytes:
    """Code `bits` (u8, 0 or 1), each under the adaptive probability that `contexts` (u16) names."""
    if bits.shape != contexts.shape or bits.ndim != 1:
        raise ValueError("need one context per bit")
    out = np.empty(check(lib.rs_binary_bound(bits.size), "range coder"), np.uint8)
    models = np.empty(context_count, np.uint32)
    size = check(
        lib.rs_binary_encode(
            const("uint8_t", bits),
            const("uint16_t", contexts),
            bits.size,
            mutable("uint32_t", models),
            context_count,
            mutable("uint8_t", out),
            out.size,
        ),
        "range coder",
    )
    return out[:size].tobytes()


def binary_decode(data: bytes, contexts: np.ndarray, context_count: int) -> np.ndarray:
    """The bits (u8) that `binary_encode` coded under the same contexts; `CorruptStream` if they do not fit `data`."""
    stream, bits, models = as_bytes(data), np.empty(contexts.size, np.uint8), np.empty(context_count, np.uint32)
    check(
        lib.rs_binary_decode(
            const("uint8_t", stream),
            stream.size,
            const("uint16_t", contexts),
            contexts.size,
            mutable("uint32_t", models),
            context_count,
            mutable("uint8_t", bits),
        ),
        "range coder",
    )
    return bits


def dwt(plane: np.ndarray, levels: int, *, inverse: bool = False) -> None:
    """Transform H×W in place: f32 by the 9/7, i32 by the reversible 5/3 wavelet (csrc/dwt.c)."""
    height, width = plane.shape
    ctype, name = ("float", "97") if plane.dtype == np.float32 else ("int32_t", "53")
    scratch = np.empty(check(lib.rs_dwt_scratch(width, height), "wavelet transform"), plane.dtype)
    call = getattr(lib, f"rs_dwt{name}_{'inverse' if inverse else 'forward'}")
    check(call(mutable(ctype, plane), width, height, levels, mutable(ctype, scratch)), "wavelet transform")


def load_plane(pixels: np.ndarray, channel: int, offset: int) -> np.ndarray:
    """Channel of H×W×C u8 or u16 as H×W i32, less `offset`."""
    height, width, channels = pixels.shape
    plane = np.empty((height, width), np.int32)
    samples = const(_sample(pixels), pixels)
    code = lib.rs_plane_load(samples, pixels.itemsize, plane.size, channels, channel, offset, mutable("int32_t", plane))
    check(code, "load plane")
    return plane


def store_plane(plane: np.ndarray, pixels: np.ndarray, channel: int, offset: int, bits: int) -> None:
    """H×W i32 plus `offset`, clamped to 0…2^bits-1, into one channel of H×W×C u8 or u16."""
    if plane.shape != pixels.shape[:2]:
        raise ValueError(f"plane {plane.shape} does not fit {pixels.shape}")
    out = mutable(_sample(pixels), pixels)
    code = lib.rs_plane_store(
        const("int32_t", plane), plane.size, pixels.shape[2], channel, offset, bits, out, pixels.itemsize
    )
    check(code, "store plane")


def _sample(pixels: np.ndarray) -> str:
    return "uint8_t" if pixels.itemsize == 1 else "uint16_t"


def ycocg(planes: list[np.ndarray]) -> None:
    """R, G, B (i32) to Y, Co, Cg in place: the reversible YCoCg-R."""
    check(lib.rs_ycocg_forward(*(mutable("int32_t", p) for p in _alike(planes)), planes[0].size), "colour transform")


def store_ycocg(planes: list[np.ndarray], pixels: np.ndarray, offset: int, bits: int) -> None:
    """Y, Co, Cg (i32) as R, G, B plus `offset`, clamped to 0…2^bits-1, in the first channels of H×W×C u8 or u16."""
    given = (const("int32_t", p) for p in _alike(planes))
    _store(planes, pixels, bits, lambda *out: lib.rs_ycocg_store(*given, planes[0].size, offset, *out))


def _store(planes: list[np.ndarray], pixels: np.ndarray, bits: int, call: Callable[..., int]) -> None:
    if planes[0].shape != pixels.shape[:2]:
        raise ValueError(f"planes {planes[0].shape} do not fit {pixels.shape}")
    check(call(bits, pixels.shape[2], mutable(_sample(pixels), pixels), pixels.itemsize), "colour transform")


def gradient_products(rgb: list[np.ndarray]) -> np.ndarray:
    """Sums of products of neighbour differences (3×3 f64) of R, G, B (i32, at most 17 bits)."""
    height, width = _alike(rgb)[0].shape
    sums = np.empty(6, np.int64)
    given = (const("int32_t", p) for p in rgb)
    check(lib.rs_gradient_products(*given, width, height, mutable("int64_t", sums)), "colour transform")
    rr, rg, rb, gg, gb, bb = sums.astype(np.float64)
    return np.array([[rr, rg, rb], [rg, gg, gb], [rb, gb, bb]])


def rotate(rgb: list[np.ndarray], axes: np.ndarray) -> list[np.ndarray]:
    """R, G, B (i32) along `axes` (3×3 f32, rows orthonormal): three planes (f32)."""
    out = [np.empty(p.shape, np.float32) for p in _alike(rgb)]
    given = (const("int32_t", p) for p in rgb)
    code = lib.rs_rotate_forward(*given, out[0].size, _axes(axes), *(mutable("float", p) for p in out))
    check(code, "colour transform")
    return out


def store_rotated(planes: list[np.ndarray], axes: np.ndarray, pixels: np.ndarray, offset: int, bits: int) -> None:
    """Three planes (f32) along `axes` as the nearest R, G, B, stored as by `store_ycocg`."""
    given = (const("float", p) for p in _alike(planes))
    rows = _axes(axes)
    _store(planes, pixels, bits, lambda *out: lib.rs_rotate_store(*given, planes[0].size, rows, offset, *out))


def _axes(axes: np.ndarray) -> object:
    if axes.shape != (3, 3):
        raise ValueError("need three axes of three components")
    return const("float", axes)


def round_plane(plane: np.ndarray) -> np.ndarray:
    """Nearest integers (i32) of f32, half up."""
    out = np.empty(plane.shape, np.int32)
    check(lib.rs_plane_round(const("float", plane), plane.size, mutable("int32_t", out)), "round")
    return out


def _alike(planes: list[np.ndarray]) -> list[np.ndarray]:
    if len(planes) != 3 or any(p.shape != planes[0].shape for p in planes):
        raise ValueError("need three planes of one size")
    return planes


def weight(level: int, orientation: int) -> float:
    """Step of a subband relative to the stream's: orientation 0 LL, 1 HL, 2 LH, 3 HH; level 1 is the finest."""
    return float(lib.rs_wavelet_weight(level, orientation))


def weights(height: int, width: int, levels: int) -> np.ndarray:
    """`weight` of the subband of every coefficient of a plane: H×W f32."""
    out = np.empty((height, width), np.float32)
    out[: -(-height >> levels), : -(-width >> levels)] = weight(levels, 0)
    for level in range(levels, 0, -1):
        high, wide = -(-height >> level), -(-width >> level)
        bottom, right = -(-height >> (level - 1)), -(-width >> (level - 1))
        out[:high, wide:right] = weight(level, 1)
        out[high:bottom, :wide] = weight(level, 2)
        out[high:bottom, wide:right] = weight(level, 3)
    return out


def dequantise(q: np.ndarray, levels: int, step: float, centres: np.ndarray) -> np.ndarray:
    """Coefficients (f32) of H×W i32, in its place: sign·(|q| + centres[min(|q|, 3) - 1])·step·weight."""
    height, width = q.shape
    if centres.shape != (3,):
        raise ValueError("need three centres")
    out = q.view(np.float32)
    code = lib.rs_wavelet_dequantise(
        const("int32_t", q), width, height, levels, step, const("float", centres), mutable("float", out)
    )
    check(code, "dequantise")
    return out


def centres(q: np.ndarray, coefficients: np.ndarray, levels: int, step: float) -> tuple[np.ndarray, np.ndarray]:
    """For |q| = 1, 2 and more: how many there are, and their sum of |coefficient| / (step·weight) - |q| (f64)."""
    height, width = q.shape
    if coefficients.shape != q.shape:
        raise ValueError("coefficients do not fit q")
    count, excess = np.zeros(3), np.zeros(3)
    code = lib.rs_wavelet_centres(
        const("int32_t", q),
        const("float", coefficients),
        width,
        height,
        levels,
        step,
        mutable("double", count),
        mutable("double", excess),
    )
    check(code, "centres")
    return count, excess


class BandEncoder:
    """One stream of wavelet coefficients, resolution by resolution, by context mixing (csrc/wavelet_bands.c)."""

    def __init__(self, width: int, samples: int) -> None:
        """`width` of the planes, `samples` in all of them."""
        bound = check(lib.rs_wavelet_bound(samples), "wavelet encoder")
        self._set_up(_memory(lib.rs_wavelet_state(width)), bound)
        code = lib.rs_wavelet_encode_start(self._pointer, width, mutable("uint8_t", self._out), self._out.size)
        check(code, "wavelet encoder")
        self._level, self._finish = lib.rs_wavelet_encode_level, lib.rs_wavelet_encode_finish

    def _set_up(self, state: np.ndarray, bound: int) -> None:
        self._state, self._out = state, np.empty(bound, np.uint8)
        self._pointer = ffi.cast("void *", ffi.from_buffer(state))

    def level(
        self,
        number: int,
        q: np.ndarray,
        guides: list[np.ndarray],
        levels: int,
        level: int,
        *,
        coefficients: np.ndarray | None = None,
        step: float = 1.0,
        trade: float = 0.0,
        skip: bool = False,
    ) -> int:
        """Code `level` (levels + 1: LL) of plane `number`; bytes of the stream so far, about.

        With `coefficients` (f32, like `q`) they are first quantised into `q` at `step`, trading distortion
        for rate at `trade` step² a bit; `skip` zeroes the details of this level.
        """
        height, width = q.shape
        if coefficients is not None and coefficients.shape != q.shape:
            raise ValueError("coefficients do not fit q")
        given = ffi.NULL if coefficients is None else const("float", coefficients)
        code = self._level(
            self._pointer,
            number,
            given,
            step,
            trade,
            skip,
            mutable("int32_t", q),
            *_guides(guides, q),
            width,
            height,
            levels,
            level,
        )
        return check(code, "wavelet encoder")

    def finish(self) -> bytes:
        """The whole stream."""
        return self._out[: check(self._finish(self._pointer), "wavelet encoder")].tobytes()


class FastBandEncoder(BandEncoder):
    """The same by the fast coder (csrc/wavelet_nibble.c)."""

    def __init__(self, width: int, height: int, samples: int) -> None:
        bound = check(lib.rs_nibble_bound(samples), "wavelet encoder")
        self._set_up(_memory(lib.rs_nibble_state(width, height, True)), bound)
        out = mutable("uint8_t", self._out)
        check(lib.rs_nibble_encode_start(self._pointer, width, height, out, self._out.size), "wavelet encoder")
        self._level, self._finish = lib.rs_nibble_encode_level, lib.rs_nibble_encode_finish


class BandDecoder:
    """The inverse of :class:`BandEncoder`; every call may raise `CorruptStream`."""

    def __init__(self, width: int, data: bytes | memoryview) -> None:
        self._set_up(_memory(lib.rs_wavelet_state(width)), data)
        code = lib.rs_wavelet_decode_start(self._pointer, width, const("uint8_t", self._data), self._data.size)
        check(code, "wavelet stream")
        self._level, self._finish = lib.rs_wavelet_decode_level, lib.rs_wavelet_decode_finish
        self._tell = lib.rs_wavelet_tell

    def _set_up(self, state: np.ndarray, data: bytes | memoryview) -> None:
        self._state, self._data = state, as_bytes(data)
        self._pointer = ffi.cast("void *", ffi.from_buffer(state))

    def level(self, number: int, q: np.ndarray, guides: list[np.ndarray], levels: int, level: int) -> int:
        """Decode `level` of plane `number` into `q`; bytes read so far."""
        return check(self._decode(number, q, guides, levels, level), "wavelet stream")

    def level_of_beginning(self, number: int, q: np.ndarray, guides: list[np.ndarray], levels: int, level: int) -> bool:
        """The same where the stream may end too early; whether it did not. Then the level is as it was: zero."""
        height, width = q.shape
        corner = q[: -(-height >> level), : -(-width >> level)] if level <= levels else q[:0, :0]
        kept, code = corner.copy(), self._decode(number, q, guides, levels, level)
        if code == lib.RS_ERR_CORRUPT and self._finish(self._pointer) == lib.RS_ERR_TRUNCATED:
            code = lib.RS_ERR_TRUNCATED  # the zeros past the end made a magnitude without one
        if code != lib.RS_ERR_TRUNCATED and check(code, "wavelet stream") <= self._data.size:
            return True
        q[: -(-height >> (level - 1)), : -(-width >> (level - 1))] = 0
        corner[:] = kept
        return False

    def tell(self, bits: np.ndarray) -> float:
        """Let `level` add to H×W f32 what each coefficient of its plane costs; bits of states so far besides."""
        self._told = bits
        return check(self._tell(self._pointer, mutable("float", bits)), "wavelet stream") / 256

    def _decode(self, number: int, q: np.ndarray, guides: list[np.ndarray], levels: int, level: int) -> int:
        height, width = q.shape
        return int(
            self._level(self._pointer, number, mutable("int32_t", q), *_guides(guides, q), width, height, levels, level)
        )

    def finish(self) -> None:
        """Check that the stream was used up exactly."""
        check(self._finish(self._pointer), "wavelet stream")


class FastBandDecoder(BandDecoder):
    """The inverse of :class:`FastBandEncoder`."""

    def __init__(self, width: int, height: int, data: bytes | memoryview) -> None:
        self._set_up(_memory(lib.rs_nibble_state(width, height, False)), data)
        given = const("uint8_t", self._data)
        check(lib.rs_nibble_decode_start(self._pointer, width, height, given, self._data.size), "wavelet stream")
        self._level, self._finish = lib.rs_nibble_decode_level, lib.rs_nibble_decode_finish
        self._tell = lib.rs_nibble_tell

    def level_of_beginning(self, number: int, q: np.ndarray, guides: list[np.ndarray], levels: int, level: int) -> bool:
        """The same where the stream may end too early; whether it did not. Then rows that it held are there."""
        code = self._decode(number, q, guides, levels, level)
        if code == lib.RS_ERR_TRUNCATED:
            return False
        check(code, "wavelet stream")
        return True


def _memory(size: int) -> np.ndarray:
    return np.empty(check(size, "wavelet coder") // 8 + 1, np.uint64)


def _guides(guides: list[np.ndarray], q: np.ndarray) -> list:
    if len(guides) > 2 or any(g.shape != q.shape for g in guides):
        raise ValueError("at most two guides, of the size of q")
    return [const("int32_t", g) for g in guides] + [ffi.NULL] * (2 - len(guides))
