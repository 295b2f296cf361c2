"""Peers of the entropy coders. None of them is needed to run the program: what is missing is said in its row."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.metadata
import importlib.util
import os
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from engine.bench.work import Side, Work, clock
from engine.native.entropy import Tables

HTSCODECS_VARIABLE = "RATESCOPE_HTSCODECS"  # names its shared library where it lies in no usual place


@dataclass(frozen=True)
class Missing:
    """No peer, and what would bring one."""

    advice: str


def with_peer(work: Work, peer: Side | Missing) -> Work:
    """`work` beside `peer`, or with the reason why it stands alone."""
    return replace(work, missing=peer.advice) if isinstance(peer, Missing) else replace(work, peer=peer)


def zstd(data: bytes) -> Side:
    """Huffman coding by huff0, the entropy stage of Zstandard; of bytes without order there is hardly a match."""
    import imagecodecs

    stream = imagecodecs.zstd_encode(data, level=1)
    return Side(
        f"huff0 in {imagecodecs.zstd_version()}",
        f"level 1, {8 * len(stream) / len(data):.3f} bit a symbol",
        clock(lambda: imagecodecs.zstd_encode(data, level=1)),
        clock(lambda: imagecodecs.zstd_decode(stream, out=len(data))),
    )


_X32 = 4  # order 0, 32 states abreast


def htscodecs(data: bytes) -> Side | Missing:
    """The rANS of CRAM by its authors' library, through its C interface."""
    name = os.environ.get(HTSCODECS_VARIABLE) or ctypes.util.find_library("htscodecs")
    if name is None:
        return Missing(f"install the library htscodecs (Debian: libhtscodecs2), or name it in {HTSCODECS_VARIABLE}")
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        return Missing(f"htscodecs does not load: {error}")
    library.rans_compress_bound_4x16.restype = ctypes.c_uint
    library.rans_compress_to_4x16.restype = ctypes.c_void_p
    library.rans_uncompress_to_4x16.restype = ctypes.c_void_p
    library.htscodecs_version.restype = ctypes.c_char_p
    coded = ctypes.create_string_buffer(library.rans_compress_bound_4x16(len(data), _X32))
    plain = ctypes.create_string_buffer(len(data))
    coded_size, plain_size = ctypes.c_uint(len(coded)), ctypes.c_uint(len(data))

    def encode() -> None:
        coded_size.value = len(coded)
        library.rans_compress_to_4x16(data, len(data), coded, ctypes.byref(coded_size), _X32)

    def decode() -> None:
        plain_size.value = len(data)
        library.rans_uncompress_to_4x16(coded, coded_size, plain, ctypes.byref(plain_size))

    encode()
    decode()
    if plain.raw != data:
        return Missing("the htscodecs that is installed does not give back what it was given")
    return Side(
        f"htscodecs {library.htscodecs_version().decode()}",
        f"order 0, 32 states, {8 * coded_size.value / len(data):.3f} bit a symbol, the vectors it chooses itself",
        clock(encode),
        clock(decode),
    )


def indexed_rans(values: np.ndarray, index: np.ndarray, tables: Tables, deviations: np.ndarray) -> Side | Missing:
    """The coder of CompressAI where it is installed, else that of constriction, which makes tables as it goes."""
    ans = _compressai_ans()
    if ans is not None:
        return _compressai(ans, values, index, tables)
    if importlib.util.find_spec("constriction") is not None:
        return _constriction(values, deviations)
    return Missing("pip install compressai, or constriction (the extra 'bench')")


def _compressai_ans() -> ModuleType | None:
    """Its compiled coder alone: the package around it loads torch and much else."""
    try:
        files = importlib.metadata.files("compressai") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        path = Path(str(file.locate()))
        if path.parent.name == "compressai" and path.name.startswith("ans.") and path.suffix in (".so", ".pyd"):
            spec = importlib.util.spec_from_file_location("compressai.ans", path)
            if spec is not None and spec.loader is not None:
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                return module
    return None


def _compressai(ans: Any, values: np.ndarray, index: np.ndarray, tables: Tables) -> Side:
    rows = [tables.cdfs[a:b] for a, b in zip(tables.rows, tables.rows[1:], strict=False)]
    cdfs = [[*row.tolist(), 1 << 16] for row in rows]
    model = cdfs, [len(cdf) for cdf in cdfs], tables.offsets.tolist()
    symbols, indexes = values.ravel().tolist(), index.ravel().tolist()
    stream = ans.RansEncoder().encode_with_indexes(symbols, indexes, *model)
    return Side(
        f"CompressAI {importlib.metadata.version('compressai')}",
        f"the same tables, {8 * len(stream) / values.size:.3f} bit a symbol, lists in and out, made outside the clock",
        clock(lambda: ans.RansEncoder().encode_with_indexes(symbols, indexes, *model)),
        clock(lambda: ans.RansDecoder().decode_with_indexes(stream, indexes, *model)),
    )


def _constriction(values: np.ndarray, deviations: np.ndarray) -> Side:
    import constriction

    reach = int(np.abs(values).max())
    family = constriction.stream.model.QuantizedGaussian(-reach, reach)
    means = np.zeros(values.size)
    coder = constriction.stream.stack.AnsCoder()
    coder.encode_reverse(values, family, means, deviations)
    stream = coder.get_compressed()
    return Side(
        f"constriction {importlib.metadata.version('constriction')}",
        f"AnsCoder, QuantizedGaussian of each symbol's deviation, {32 * stream.size / values.size:.3f} bit a symbol",
        clock(lambda: constriction.stream.stack.AnsCoder().encode_reverse(values, family, means, deviations)),
        clock(lambda: constriction.stream.stack.AnsCoder(stream).decode(family, means, deviations)),
    )
