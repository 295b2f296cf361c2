"""Sampling textures, rasterising meshes and developing light, for the lit preview (csrc/lit.c)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.native._base import check, const, ffi, lib, mutable

MAX_LEVELS = int(lib.RS_LIT_LEVELS)
MAX_SIDE = int(lib.RS_LIT_SIDE)


def sample(
    texels: np.ndarray,
    sizes: Sequence[tuple[int, int]],
    uv: np.ndarray,
    lod: np.ndarray | None = None,
    owner: np.ndarray | None = None,
    *,
    cubic: bool = False,
    repeat: bool = False,
) -> np.ndarray:
    """…×3 f32 of light at uv (…×2 f32, 0 … 1 over the texture).

    texels: T×3 f32, the levels one behind the other; sizes: (width, height) of each. lod: … f32, None for level 0.
    owner: … i32; black where it is negative. cubic: cubic B-spline in level 0, whatever `lod` says.
    """
    places = uv.shape[:-1]
    for name, array in (("lod", lod), ("owner", owner)):
        if array is not None and array.shape != places:
            raise ValueError(f"{name} is {array.shape}, places are {places}")
    if uv.shape[-1] != 2 or texels.ndim != 2 or texels.shape[1] != 3:
        raise ValueError(f"places are …×2 and texels T×3, not {uv.shape} and {texels.shape}")
    out = np.empty((*places, 3), np.float32)
    flat_sizes = np.array(sizes, np.int32)
    check(
        lib.rs_lit_sample(
            const("float", texels),
            len(texels),
            const("int32_t", flat_sizes),
            len(sizes),
            const("float", uv),
            _or_null("float", lod),
            _or_null("int32_t", owner),
            out.size // 3,
            cubic,
            repeat,
            mutable("float", out),
        ),
        "sampling a texture",
    )
    return out


class ClippedMesh:
    """A mesh seen by a camera: what `cover` and `places` work on.

    clip: N×4 f32 in clip space, w the distance along the view. triangles: M×3 i32, counter-clockwise from the front.
    two_sided: M u8. ValueError if a triangle names no vertex.
    """

    def __init__(self, clip: np.ndarray, triangles: np.ndarray, two_sided: np.ndarray) -> None:
        if clip.shape[1:] != (4,) or triangles.shape[1:] != (3,) or two_sided.shape != triangles.shape[:1]:
            raise ValueError("a mesh is N×4 vertices, M×3 triangles and M sides")
        if triangles.size and not (triangles.min() >= 0 and triangles.max() < len(clip)):
            raise ValueError("a triangle names a vertex that is not there")
        self._kept = (clip, triangles, two_sided)  # the pointers below hold nothing alive
        self.vertices = len(clip)
        self.pointer: Any = ffi.new("rs_lit_mesh *")
        self.pointer.clip, self.pointer.vertex_count = const("float", clip), len(clip)
        self.pointer.triangles, self.pointer.triangle_count = const("int32_t", triangles), len(triangles)
        self.pointer.two_sided = const("uint8_t", two_sided)


def cover(mesh: ClippedMesh, near: float, width: int, height: int) -> np.ndarray:
    """height×width i32: the number of the triangle that each pixel sees, -1 for none."""
    depth, owner = np.empty((height, width), np.float32), np.empty((height, width), np.int32)
    check(
        lib.rs_lit_cover(mesh.pointer, near, width, height, mutable("float", depth), mutable("int32_t", owner)),
        "drawing a mesh",
    )
    return owner


def places(
    mesh: ClippedMesh, vertex_uv: np.ndarray, texels: tuple[int, int], owner: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of `cover` lies in a map of `texels` width × height (H×W×2 f32), and the level of detail there
    (H×W f32: log2 of the texels that a step of one pixel takes). vertex_uv: N×2 f32.
    """
    if vertex_uv.shape != (mesh.vertices, 2):
        raise ValueError(f"{mesh.vertices} vertices have places in a map, not {vertex_uv.shape}")
    height, width = owner.shape
    uv, lod = np.empty((height, width, 2), np.float32), np.empty((height, width), np.float32)
    check(
        lib.rs_lit_places(
            mesh.pointer,
            const("float", vertex_uv),
            const("float", np.array(texels, np.float32)),
            width,
            height,
            const("int32_t", owner),
            mutable("float", uv),
            mutable("float", lod),
        ),
        "drawing a mesh",
    )
    return uv, lod


def develop(light: np.ndarray, table: np.ndarray, albedo: np.ndarray | None = None) -> np.ndarray:
    """u8 codes like `light` (f32): the entry of `table` (65536 u8) for the half float nearest to light × albedo."""
    if table.shape != (1 << 16,) or (albedo is not None and albedo.shape != light.shape):
        raise ValueError("a table has 65536 entries, albedo the shape of the light")
    out = np.empty(light.shape, np.uint8)
    lit = _or_null("float", albedo)
    check(
        lib.rs_lit_develop(const("float", light), lit, light.size, const("uint8_t", table), mutable("uint8_t", out)),
        "developing light",
    )
    return out


def _or_null(ctype: str, array: np.ndarray | None) -> Any:
    return ffi.NULL if array is None else const(ctype, array)
