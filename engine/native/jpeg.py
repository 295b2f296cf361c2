"""JPEG in stages: pixels → planes → halved chroma → coefficients → levels → file, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from engine.errors import CorruptStream, Unsupported
from engine.native._base import as_bytes, check, const, ffi, lib, mutable, room

Mode = Literal["sequential", "progressive", "smaller"]
_MODES = {
    "sequential": lib.RS_JPEG_SEQUENTIAL,
    "progressive": lib.RS_JPEG_PROGRESSIVE,
    "smaller": lib.RS_JPEG_SMALLER,
}


@dataclass(frozen=True)
class Layout:
    """Where the blocks of a picture are: `grids` holds (across, down) of each component, whole MCUs."""

    width: int
    height: int
    components: int
    h: int
    v: int
    grids: tuple[tuple[int, int], ...]

    @property
    def blocks(self) -> int:
        return sum(across * down for across, down in self.grids)

    @property
    def sampling(self) -> tuple[tuple[int, int], ...]:
        """Samples of each component across and down, as a JPEG's header counts them."""
        return ((self.h, self.v), (1, 1), (1, 1))[: self.components]

    def plane_size(self, component: int) -> tuple[int, int]:
        """Width and height in samples of a component's plane."""
        if component == 0:
            return self.width, self.height
        return -(-self.width // self.h), -(-self.height // self.v)

    def parts(self, array: np.ndarray) -> list[np.ndarray]:
        """Views of a (blocks, 64) array, one a component."""
        edges = np.cumsum([0, *(across * down for across, down in self.grids)])
        return [array[a:b] for a, b in pairwise(edges)]


def layout(width: int, height: int, components: int, h: int, v: int) -> Layout:
    """The block layout of a picture of 1 or 3 components, luma sampled h×v (1…4) times as densely as chroma."""
    grid = np.zeros(8, np.int32)
    check(lib.rs_jpeg_blocks(width, height, components, h, v, mutable("int32_t", grid)), "JPEG layout")
    pairs = grid[: 2 * components].reshape(-1, 2).tolist()
    return Layout(width, height, components, h, v, tuple((across, down) for across, down in pairs))


def planes(pixels: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """H×W×(1 or 3) u8 to (1 or 3)×H×W i16, `out`: luma, or Y, Cb, Cr (JFIF), with 4 fractional bits around 0."""
    height, width, channels = pixels.shape
    if out is None:
        out = np.empty((channels, height, width), np.int16)
    if out.shape != (channels, height, width):
        raise ValueError(f"{out.shape} is not room for the planes of {pixels.shape} pixels")
    count = height * width
    check(lib.rs_jpeg_planes(const("uint8_t", pixels), count, channels, mutable("int16_t", out)), "colour conversion")
    return out


def halve(plane: np.ndarray, h: int, v: int) -> np.ndarray:
    """An H×W i16 plane at 1/h by 1/v of its sides, as a decoder's interpolation can best undo it."""
    height, width = plane.shape
    out = np.empty((-(-height // v), -(-width // h)), np.int16)
    scratch = room("halving", height * width + 8 * width, np.float32)
    pointers = const("int16_t", plane), width, height, h, v, mutable("float", scratch), mutable("int16_t", out)
    check(lib.rs_jpeg_halve(*pointers), "chroma reduction")
    return out


def forward_dct(plane: np.ndarray, grid: tuple[int, int], out: np.ndarray) -> None:
    """Coefficients (×16, zig-zag) of an H×W i16 plane into `out`, (blocks, 64) i16."""
    height, width = plane.shape
    if out.shape != (grid[0] * grid[1], 64):
        raise ValueError(f"{out.shape} is not room for {grid[0]}×{grid[1]} blocks")
    source, target = const("int16_t", plane), mutable("int16_t", out)
    check(lib.rs_dct8_forward(source, width, height, target, *grid), "forward DCT")


def quantise(
    coefs: np.ndarray,
    grid: tuple[int, int],
    size: tuple[int, int],
    *,
    table: np.ndarray,
    rounding: np.ndarray,
    out: np.ndarray,
) -> None:
    """Levels of one component into `out`; all (blocks, 64) i16. `size`: the plane's width and height.

    table: 64 steps (u8), rounding: 64 offsets (f32, 0…0.5), both in zig-zag order.
    """
    if coefs.shape != out.shape or coefs.shape != (grid[0] * grid[1], 64) or table.size != 64 or rounding.size != 64:
        raise ValueError("arrays and block grid do not fit together")
    arrays = const("uint8_t", table), const("float", rounding), mutable("int16_t", out)
    check(lib.rs_jpeg_quantise(const("int16_t", coefs), *grid, *_used(size), *arrays), "quantisation")


def dc_coefficients(coefs: np.ndarray, grid: tuple[int, int], size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The DC coefficients (i16) of one component's blocks in raster order, and which blocks are flat (u8)."""
    if coefs.shape != (grid[0] * grid[1], 64):
        raise ValueError(f"{coefs.shape} coefficients are not those of {grid[0]}×{grid[1]} blocks")
    across, down = _used(size)
    dc, flat = np.empty(across * down, np.int16), np.empty(across * down, np.uint8)
    targets = mutable("int16_t", dc), mutable("uint8_t", flat)
    check(lib.rs_jpeg_dc_gather(const("int16_t", coefs), *grid, across, down, *targets), "DC statistics")
    return dc, flat


def dc_step(planes: Sequence[tuple[np.ndarray, np.ndarray]], trade: float) -> int:
    """The step, out of some 30 from 1 to 255, of least squared error + `trade` · bits for DC coefficients.

    planes: what :func:`dc_coefficients` gives, of up to four components that share the step.
    """
    dc, flat = (np.concatenate(parts) for parts in zip(*planes, strict=True))
    sizes = np.array([part.size for part, _ in planes], np.uintp)
    if dc.size != flat.size:
        raise ValueError("a flag for each DC is what is counted")
    arrays = const("int16_t", dc), const("uint8_t", flat), const("size_t", sizes)
    return check(lib.rs_jpeg_dc_step(*arrays, len(planes), trade), "DC statistics")


def count_symbols(levels: np.ndarray, grid: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """256 u32: how often each AC symbol occurs in a sequential scan of one component's (blocks, 64) i16 levels."""
    counts = np.zeros(256, np.uint32)
    if levels.shape != (grid[0] * grid[1], 64):
        raise ValueError(f"{levels.shape} levels are not those of {grid[0]}×{grid[1]} blocks")
    source, target = const("int16_t", levels), mutable("uint32_t", counts)
    check(lib.rs_jpeg_count(source, *grid, *_used(size), target), "symbol statistics")
    return counts


def trellis(
    coefs: np.ndarray,
    grid: tuple[int, int],
    size: tuple[int, int],
    *,
    table: np.ndarray,
    bits: np.ndarray,
    strength: float,
    out: np.ndarray,
    weights: np.ndarray | None = None,
) -> None:
    """Replace the AC levels in `out` by those of least distortion + strength · bits.

    Distortion is in squares of the steps of `table` (64 u8); `bits` (256 f32) is what each AC symbol of a
    sequential scan costs. weights: what the distortion of each block counts, in the shape of the block grid (f32, rows
    × columns; None: 1). Other arguments as for :func:`quantise`; the DC levels stay.
    """
    if coefs.shape != out.shape or coefs.shape != (grid[0] * grid[1], 64) or table.size != 64 or bits.size != 256:
        raise ValueError("arrays and block grid do not fit together")
    if weights is not None and weights.shape != grid[::-1]:
        raise ValueError("a weight for each block is what is needed")
    weighing = ffi.NULL if weights is None else const("float", weights)
    arrays = const("uint8_t", table), const("float", bits), strength, weighing, mutable("int16_t", out)
    check(lib.rs_jpeg_trellis(const("int16_t", coefs), *grid, *_used(size), *arrays), "quantisation")


def _used(size: tuple[int, int]) -> tuple[int, int]:
    """Blocks across and down that hold samples of a plane of this size."""
    return -(-size[0] // 8), -(-size[1] // 8)


@dataclass(frozen=True)
class Written:
    data: bytes
    header_bytes: int
    scans: int
    progressive: bool


def write(levels: np.ndarray, where: Layout, tables: np.ndarray, mode: Mode, extra: bytes = b"") -> Written:
    """A JFIF file of (blocks, 64) i16 levels; `tables`: (1 or 2, 64) u8; `extra`: marker segments to include."""
    if levels.shape != (where.blocks, 64) or tables.shape != (min(where.components, 2), 64):
        raise ValueError("levels, layout and tables do not fit together")
    scratch = room("tokens", check(lib.rs_jpeg_write_scratch(where.blocks), "JPEG writing") // 8, np.uint64)
    out = room("file", check(lib.rs_jpeg_write_bound(where.blocks, len(extra)), "JPEG writing"), np.uint8)
    stats = np.zeros(3, np.int64)
    frame = where.width, where.height, where.components, where.h, where.v
    segments = as_bytes(extra)
    size = lib.rs_jpeg_write(
        const("int16_t", levels),
        *frame,
        const("uint8_t", tables),
        _MODES[mode],
        const("uint8_t", segments),
        segments.size,
        mutable("uint64_t", scratch),
        scratch.nbytes,
        mutable("uint8_t", out),
        out.size,
        mutable("int64_t", stats),
    )
    data = out[: check(size, "JPEG writing")].tobytes()
    return Written(data, int(stats[0]), int(stats[1]), bool(stats[2]))


@dataclass(frozen=True)
class Header:
    """What a JPEG file says of itself. `info` is the C library's array of the same."""

    width: int
    height: int
    components: int
    progressive: bool
    sampling: tuple[tuple[int, int], ...]
    ycc: bool
    blocks: int
    info: np.ndarray

    @property
    def grids(self) -> tuple[tuple[int, int], ...]:
        """Blocks (across, down) of each component, whole MCUs."""
        across, down = (max(factors) for factors in zip(*self.sampling, strict=True))
        mcus = -(-self.width // (8 * across)), -(-self.height // (8 * down))
        return tuple((mcus[0] * h, mcus[1] * v) for h, v in self.sampling)


def probe(data: bytes) -> Header:
    """The header of a JPEG file. `CorruptStream` if it is none, `Unsupported` with the reason if not for us."""
    info = np.zeros(lib.RS_JPEG_FIELDS, np.int32)
    array = as_bytes(data)
    code = lib.rs_jpeg_probe(const("uint8_t", array), array.size, mutable("int32_t", info))
    if code == lib.RS_ERR_UNSUPPORTED:
        raise Unsupported(_why_unsupported(info))
    blocks = check(code, "JPEG")
    count = int(info[lib.RS_JPEG_COMPONENTS])
    pairs = info[lib.RS_JPEG_SAMPLING :][: 2 * count].reshape(-1, 2).tolist()
    return Header(
        width=int(info[lib.RS_JPEG_WIDTH]),
        height=int(info[lib.RS_JPEG_HEIGHT]),
        components=count,
        progressive=int(info[lib.RS_JPEG_PROCESS]) == 0xC2,
        sampling=tuple((h, v) for h, v in pairs),
        ycc=bool(info[lib.RS_JPEG_YCC]),
        blocks=blocks,
        info=info,
    )


def _why_unsupported(info: np.ndarray) -> str:
    process, precision = int(info[lib.RS_JPEG_PROCESS]), int(info[lib.RS_JPEG_PRECISION])
    components = int(info[lib.RS_JPEG_COMPONENTS])
    if process in (0xC3, 0xC7, 0xCB, 0xCF):
        return "this is a lossless JPEG, which is not supported"
    if process in (0xC5, 0xC6, 0xCD, 0xCE):
        return "this is a hierarchical JPEG, which is not supported"
    if process in (0, 0xC9, 0xCA):
        return "this JPEG uses arithmetic coding or a hierarchy, which are not supported"
    if precision != 8:
        return f"this JPEG has {precision}-bit samples; 8-bit ones are supported"
    if components not in (1, 3):
        return f"this JPEG has {components} colour components (CMYK?); grey and three-colour files are supported"
    if info[lib.RS_JPEG_HEIGHT] == 0:
        return "this JPEG gives its height only after the picture (DNL), which is not supported"
    return "this JPEG has sides above 65500 or uneven chroma sampling, which are not supported"


_MANY_SCANS = "this JPEG has more scans than are supported, or changes its height between them"


@dataclass(frozen=True)
class Levels:
    """Decoded scans: (blocks, 64) i16 levels, (4, 64) u16 tables by component, and the header they go with."""

    header: Header
    levels: np.ndarray
    tables: np.ndarray
    scans: int


def read(data: bytes, header: Header) -> Levels:
    """All scans of the file that `header` was read from; `CorruptStream` unless it is whole and consistent."""
    levels = np.empty((header.blocks, 64), np.int16)
    tables = np.zeros((4, 64), np.uint16)
    info = np.zeros(lib.RS_JPEG_FIELDS, np.int32)
    array = as_bytes(data)
    pointers = mutable("int16_t", levels), header.blocks, mutable("uint16_t", tables), mutable("int32_t", info)
    code = lib.rs_jpeg_read(const("uint8_t", array), array.size, *pointers)
    if code == lib.RS_ERR_UNSUPPORTED:
        raise Unsupported(_MANY_SCANS)
    check(code, "JPEG")
    if not np.array_equal(info[:6], header.info[:6]):
        raise CorruptStream("JPEG: the data does not belong to this header")
    return Levels(header, levels, tables, int(info[lib.RS_JPEG_SCANS]))


def costs(data: bytes, header: Header) -> list[np.ndarray]:
    """Bits of each block in the scans: rows×columns f32 a component, whole MCUs; their sum is that of the scans.

    `header` is that of the file; raises what :func:`read` raises.
    """
    levels = np.empty((header.blocks, 64), np.int16)
    out = np.empty(header.blocks, np.float32)
    array = as_bytes(data)
    pointers = mutable("int16_t", levels), header.blocks, mutable("float", out)
    code = lib.rs_jpeg_costs(const("uint8_t", array), array.size, *pointers)
    if code == lib.RS_ERR_UNSUPPORTED:
        raise Unsupported(_MANY_SCANS)
    check(code, "JPEG")
    grids = header.grids
    edges = np.cumsum([0, *(across * down for across, down in grids)])
    return [out[a:b].reshape(down, across) for (a, b), (across, down) in zip(pairwise(edges), grids, strict=True)]


def render(levels: Levels) -> np.ndarray:
    """H×W×(1 or 3) u8 pixels."""
    header = levels.header
    info = const("int32_t", header.info)
    scratch = room("rendering", check(lib.rs_jpeg_render_scratch(info), "JPEG rendering"), np.uint8)
    pixels = np.empty((header.height, header.width, header.components), np.uint8)
    sources = const("int16_t", levels.levels), const("uint16_t", levels.tables), info
    code = lib.rs_jpeg_render(*sources, mutable("uint8_t", scratch), scratch.size, mutable("uint8_t", pixels))
    check(code, "JPEG rendering")
    return pixels


def picture_of(levels: np.ndarray, where: Layout, tables: np.ndarray) -> np.ndarray:
    """H×W×(1 or 3) u8 pixels of (blocks, 64) i16 levels and (1 or 2, 64) u8 tables, luma then chroma."""
    pairs = where.sampling
    info = np.zeros(lib.RS_JPEG_FIELDS, np.int32)
    info[[lib.RS_JPEG_WIDTH, lib.RS_JPEG_HEIGHT, lib.RS_JPEG_COMPONENTS]] = where.width, where.height, where.components
    info[lib.RS_JPEG_YCC] = where.components == 3
    info[lib.RS_JPEG_SAMPLING :][: 2 * where.components] = np.ravel(pairs)
    each = np.zeros((4, 64), np.uint16)
    each[: where.components] = tables[[0, -1, -1][: where.components]]
    header = Header(
        where.width, where.height, where.components, False, pairs, where.components == 3, where.blocks, info
    )
    return render(Levels(header, levels, each, 0))
