"""The entropy coders: order-0 rANS and Huffman of bytes, rANS with a table a symbol."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.bench import peers
from engine.bench.work import Side, Work, clock
from engine.native import entropy

BYTES = 16_000_000  # at about 2.3 bits each
SYMBOLS = 1_000_000
TABLES = 64
_PRECISION = 1 << 16


def works() -> Iterator[Work]:
    """The suite."""
    data = skewed_bytes(BYTES)
    yield _bytes_work("rans-order0-u8", "order-0 rANS of 16 MB at 2.3 bits each", data, peers.htscodecs(data))
    yield _bytes_work("huffman-u8", "Huffman coding of 16 MB at 2.3 bits each", data, peers.zstd(data))
    yield _indexed_work()


def _bytes_work(name: str, what: str, data: bytes, peer: Side | peers.Missing) -> Work:
    encode, decode = {
        "rans-order0-u8": (entropy.rans_encode, entropy.rans_decode),
        "huffman-u8": (entropy.huffman_encode, entropy.huffman_decode),
    }[name]
    stream = encode(data)
    ours = Side(
        "ratescope",
        f"{8 * len(stream) / len(data):.3f} bit a symbol, one call",
        clock(lambda: encode(data)),
        clock(lambda: decode(stream, len(data))),
    )
    return peers.with_peer(Work(name, what, "MB/s", ours, amount=len(data) / 1e6), peer)


def _indexed_work() -> Work:
    values, index, deviations = gaussian_symbols(SYMBOLS)
    tables = gaussian_tables()
    stream = entropy.ranx_encode(values, index, tables)
    ours = Side(
        "ratescope",
        f"{8 * len(stream) / SYMBOLS:.3f} bit a symbol, arrays in and out",
        clock(lambda: entropy.ranx_encode(values, index, tables)),
        clock(lambda: entropy.ranx_decode(stream, index, tables)),
    )
    what = "rANS of 1 million integers, each under one of 64 Gaussian tables"
    work = Work("rans-indexed", what, "Msym/s", ours, amount=SYMBOLS / 1e6)
    return peers.with_peer(work, peers.indexed_rans(values, index, tables, deviations))


def skewed_bytes(count: int) -> bytes:
    """Bytes without order but for their frequencies: geometric, 2.3 bits each."""
    draws = np.random.default_rng(1).geometric(0.42, count) - 1
    return np.minimum(draws, 255).astype(np.uint8).tobytes()


def deviations() -> np.ndarray:
    """The standard deviations of the tables, 0.11 to 64 in equal ratios, as learned codecs have them."""
    return np.geomspace(0.11, 64.0, TABLES)


def gaussian_symbols(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """i32 values, the u16 number of each one's table, and f64 the deviation that it has."""
    rng = np.random.default_rng(2)
    index = rng.integers(0, TABLES, count).astype(np.uint16)
    scales = deviations()[index]
    return np.rint(rng.normal(0.0, scales)).astype(np.int32), index, scales


def gaussian_tables() -> entropy.Tables:
    """Tables of zero mean that hold what lies within five deviations, and an escape."""
    from scipy.stats import norm

    cdfs: list[np.ndarray] = []
    firsts = []
    for scale in deviations():
        reach = max(1, int(np.ceil(5 * scale)))
        edges = norm.cdf((np.arange(-reach, reach + 2) - 0.5) / scale)
        width = 2 * reach + 2  # values and the escape, each of which has to have a share
        starts = np.floor(edges * (_PRECISION - 2 * width)) + 1.5 * np.arange(edges.size)
        starts = np.floor(starts - starts[0])
        cdfs.append(starts.astype(np.uint16))
        firsts.append(-reach)
    rows = np.cumsum([0, *(row.size for row in cdfs)]).astype(np.uint32)
    return entropy.Tables(np.concatenate(cdfs), rows, np.array(firsts, np.int32))
