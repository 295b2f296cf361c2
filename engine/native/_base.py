"""What every module of this package needs: the extension, pointers to arrays, error codes as exceptions."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from engine._native import ffi, lib
from engine.errors import CorruptStream, EngineError, Unsupported

lib.rs_set_cpu(-1)  # all vector instructions that this machine has

_FAULTS: dict[int, type[EngineError]] = {
    lib.RS_ERR_TRUNCATED: CorruptStream,
    lib.RS_ERR_CORRUPT: CorruptStream,
    lib.RS_ERR_UNSUPPORTED: Unsupported,
}
_REASONS = {
    lib.RS_ERR_TRUNCATED: "the data ends too early",
    lib.RS_ERR_CORRUPT: "the data is damaged",
    lib.RS_ERR_UNSUPPORTED: "the stream uses a feature that is not supported",
}


def check(code: int, doing: str) -> int:
    """`code` if it is a size or count, else the exception that it stands for."""
    if code >= 0:
        return code
    name = ffi.string(lib.rs_error_name(code)).decode()
    raise _FAULTS.get(code, EngineError)(f"{doing}: {_REASONS.get(code, name)}")


def const(ctype: str, array: np.ndarray) -> Any:
    """A const pointer of `ctype` ("uint8_t", …) to `array`, which must be C-contiguous and of that very type."""
    if array.dtype != np.dtype(_DTYPES[ctype]) or not array.flags.c_contiguous:
        raise TypeError(f"need C-contiguous {ctype}, got {array.dtype} (contiguous: {array.flags.c_contiguous})")
    return ffi.cast(f"const {ctype} *", ffi.from_buffer(array))


def mutable(ctype: str, array: np.ndarray) -> Any:
    """A writable pointer of `ctype` to `array`, which must be C-contiguous, writable and of that very type."""
    if array.dtype != np.dtype(_DTYPES[ctype]) or not array.flags.c_contiguous or not array.flags.writeable:
        raise TypeError(f"need writable C-contiguous {ctype}, got {array.dtype}")
    return ffi.cast(f"{ctype} *", ffi.from_buffer(array, require_writable=True))


_DTYPES: dict[str, Any] = {
    "uint8_t": np.uint8,
    "int8_t": np.int8,
    "uint16_t": np.uint16,
    "int16_t": np.int16,
    "uint32_t": np.uint32,
    "int32_t": np.int32,
    "uint64_t": np.uint64,
    "int64_t": np.int64,
    "size_t": np.uintp,
    "float": np.float32,
    "double": np.float64,
}


_ROOM_LIMIT = 8 << 20


class _Rooms(threading.local):
    def __init__(self) -> None:
        self.by_name: dict[str, np.ndarray] = {}


_rooms = _Rooms()


def room(name: str, shape: int | tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
    """Uninitialised memory for what does not outlive a call; the next room of that `name` in this thread is the same.

    A system hands out fresh memory page by page, which takes longer than most of what is computed in it for a picture
    of everyday size. Beyond a limit memory is fresh all the same, so that little is kept.
    """
    count = shape if isinstance(shape, int) else math.prod(shape)
    size = count * np.dtype(dtype).itemsize
    if size > _ROOM_LIMIT:
        return np.empty(shape, dtype)
    kept = _rooms.by_name.get(name)
    if kept is None or kept.size < size:
        kept = _rooms.by_name[name] = np.empty(size, np.uint8)
    return kept[:size].view(dtype).reshape(shape)


def as_bytes(data: bytes | bytearray | memoryview) -> np.ndarray:
    """`data` as a read-only u8 array, without a copy."""
    return np.frombuffer(data, np.uint8)


def crc32c(data: bytes, crc: int = 0) -> int:
    """CRC-32C (Castagnoli) of `data`, continuing from `crc`."""
    array = as_bytes(data)
    return check(lib.rs_crc32c(const("uint8_t", array), array.size, crc), "checksum")


def processor() -> int:
    """The vector instructions that this machine has and the library knows: a sum of lib.RS_CPU_…"""
    return int(lib.rs_cpu())


def use_processor(mask: int) -> int:
    """Let the library use these of them only, in all threads; those in use. Results do not change, only times."""
    return int(lib.rs_set_cpu(mask))
