"""Wavefront OBJ, as far as a lightmap needs it: vertices, faces, the one set of texture coordinates: the lightmap's."""

from __future__ import annotations

import itertools

import numpy as np

from engine.errors import CorruptStream, LimitExceeded
from engine.lit.mesh import MAX_TRIANGLES, MAX_VERTICES, Mesh, checked

_MAX_SIDES = 1000  # of a face


def parse(data: bytes) -> Mesh:
    """The mesh of a file. Both sides are drawn: OBJ does not say which is the front."""
    positions: list[tuple[float, ...]] = []
    places: list[tuple[float, ...]] = []
    corners: list[tuple[int, int]] = []  # vertex and place of each corner of each triangle
    bare = 0
    for number, line in enumerate(data.decode("utf-8", errors="replace").splitlines(), 1):
        word, _, rest = line.strip().partition(" ")
        try:
            if word == "v":
                positions.append(_floats(rest, 3))
            elif word == "vt":
                places.append(_floats(rest, 2))
            elif word == "f":
                face = [_corner(each, len(positions), len(places)) for each in rest.split()]
                if any(place is None for _, place in face):
                    bare += 1
                    continue
                if not 3 <= len(face) <= _MAX_SIDES:
                    raise ValueError
                whole = [(vertex, place) for vertex, place in face if place is not None]
                for second, third in itertools.pairwise(whole[1:]):
                    corners += [whole[0], second, third]
        except ValueError as error:
            raise CorruptStream(f"the mesh is damaged: line {number} makes no sense: '{line.strip()[:40]}'") from error
        if max(len(positions), len(places)) > MAX_VERTICES or len(corners) > 3 * MAX_TRIANGLES:
            raise LimitExceeded(f"the mesh has more than {MAX_VERTICES:,} vertices or triangles")
    if not corners:
        raise CorruptStream("the mesh has no faces with texture coordinates", hint="a lightmap needs them")
    return _joined(positions, places, corners, bare)


def _joined(
    positions: list[tuple[float, ...]], places: list[tuple[float, ...]], corners: list[tuple[int, int]], bare: int
) -> Mesh:
    pairs, order = np.unique(np.array(corners, np.int64), axis=0, return_inverse=True)
    triangles = np.ascontiguousarray(order.reshape(-1, 3), np.int32)
    uv = np.array(places, np.float32)[pairs[:, 1]]
    uv[:, 1] = 1 - uv[:, 1]  # OBJ counts from the lower edge
    notes = (f"{bare} of its faces are left out: they have no texture coordinates",) if bare else ()
    return checked(
        Mesh(
            np.array(positions, np.float64).astype(np.float32)[pairs[:, 0]],
            triangles,
            uv,
            uv,
            np.ones((len(triangles), 3), np.float32),
            np.ones(len(triangles), np.uint8),
            notes,
        )
    )


def _floats(text: str, count: int) -> tuple[float, ...]:
    values = tuple(float(each) for each in text.split()[:count])
    if len(values) < count or not all(abs(each) < 1e12 for each in values):
        raise ValueError
    return values


def _corner(text: str, vertices: int, places: int) -> tuple[int, int | None]:
    parts = text.split("/")
    place = _index(parts[1], places) if len(parts) > 1 and parts[1] else None
    return _index(parts[0], vertices), place


def _index(text: str, count: int) -> int:
    """From 0; the file counts from 1, or from the end below 0."""
    value = int(text)
    index = value - 1 if value > 0 else count + value
    if value == 0 or not 0 <= index < count:
        raise ValueError
    return index
