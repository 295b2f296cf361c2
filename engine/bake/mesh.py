"""The mesh of a scene, as a binary glTF file: positions in metres, y upwards; TEXCOORD_0 in metres, for an albedo that
repeats; TEXCOORD_1 the place in the lightmap; one material for each albedo. Surfaces without a chart are left out.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence

import numpy as np

from engine import __version__
from engine.bake.atlas import Place
from engine.bake.surfaces import Colour, Disc, Quad, Surface, Tube

_SIDES = 48  # of a tube and of a disc
_ARRAY, _ELEMENTS = 34962, 34963  # buffer view targets
_FLOAT, _SHORT = 5126, 5123


def to_glb(surfaces: Sequence[Surface], places: Sequence[Place | None], side: int) -> bytes:
    """A GLB file of the surfaces with a place in an atlas of side × side texels; the same scene, the same bytes."""
    albedos: dict[Colour, list[tuple[np.ndarray, ...]]] = {}
    for surface, place in zip(surfaces, places, strict=True):
        if place is not None:
            albedos.setdefault(surface.albedo, []).append(_piece(surface, place, side))
    document: dict[str, list] = {"accessors": [], "bufferViews": [], "materials": [], "primitives": []}
    binary = bytearray()
    for albedo, pieces in albedos.items():
        starts = np.cumsum([0, *(len(piece[0]) for piece in pieces[:-1])])
        indices = np.concatenate([piece[3] + start for piece, start in zip(pieces, starts, strict=True)])
        arrays = [np.concatenate([piece[k] for piece in pieces]).astype("<f4") for k in range(3)]
        names = ("POSITION", "TEXCOORD_0", "TEXCOORD_1")
        attributes = {name: _put(document, binary, array) for name, array in zip(names, arrays, strict=True)}
        elements = _put(document, binary, indices.reshape(-1, 1).astype("<u2"))
        primitive = {"attributes": attributes, "indices": elements, "material": len(document["materials"])}
        document["primitives"].append(primitive)
        metal = {"baseColorFactor": [*albedo, 1.0], "metallicFactor": 0.0}
        document["materials"].append({"pbrMetallicRoughness": metal})
    return _glb(document, bytes(binary))


def _piece(surface: Surface, place: Place, side: int) -> tuple[np.ndarray, ...]:
    """Positions N×3, places in metres N×2, in the lightmap N×2, triangles M×3."""
    u, v, triangles = _outline(surface)
    points = surface.at(u, v)[0]
    width, height = surface.size
    light = np.stack([place.x + u / width * place.width, place.y + v / height * place.height], axis=1) / side
    upright = np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)
    return upright, np.stack([u, v], axis=1), light, triangles


def _outline(surface: Surface) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of the chart and triangles between them, counter-clockwise from the lit side."""
    width, height = surface.size
    if isinstance(surface, Disc):
        angles = 2 * math.pi * np.arange(_SIDES) / _SIDES
        turn = 1 if surface.faces_up else -1
        u = surface.radius * (1 + np.append(0, np.cos(angles)))
        v = surface.radius * (1 + np.append(0, turn * np.sin(angles)))
        rim = np.arange(_SIDES)
        return u, v, np.stack([0 * rim, rim + 1, (rim + 1) % _SIDES + 1], axis=1)
    holes = surface.holes if isinstance(surface, Quad) else ()
    across = np.linspace(0, width, _SIDES + 1) if isinstance(surface, Tube) else np.array([0.0, width])
    columns = np.unique([*across, *(x for hole in holes for x in (hole[0], hole[2]))])
    rows = np.unique([0.0, height, *(y for hole in holes for y in (hole[1], hole[3]))])
    u, v = (axis.ravel() for axis in np.meshgrid(columns, rows))
    triangles = []
    for row in range(len(rows) - 1):
        for column in range(len(columns) - 1):
            middle = (columns[column : column + 2].mean(keepdims=True), rows[row : row + 2].mean(keepdims=True))
            if surface.inside(*middle)[0]:
                corner = row * len(columns) + column
                above = corner + len(columns)
                triangles += [(corner, corner + 1, above + 1), (corner, above + 1, above)]
    return u, v, np.array(triangles)


def _put(document: dict[str, list], binary: bytearray, values: np.ndarray) -> int:
    """Add an array to the file; its number as an accessor."""
    binary += bytes(-len(binary) % 4)
    whole = values.dtype.kind == "u"
    view = {"buffer": 0, "byteOffset": len(binary), "byteLength": values.nbytes}
    document["bufferViews"].append({**view, "target": _ELEMENTS if whole else _ARRAY})
    binary += values.tobytes()
    accessor = {
        "bufferView": len(document["bufferViews"]) - 1,
        "componentType": _SHORT if whole else _FLOAT,
        "count": len(values),
        "type": {1: "SCALAR", 2: "VEC2", 3: "VEC3"}[values.shape[1]],
    }
    if values.shape[1] == 3:  # the standard asks for the box of positions
        accessor |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
    document["accessors"].append(accessor)
    return len(document["accessors"]) - 1


def _glb(document: dict[str, list], binary: bytes) -> bytes:
    binary += bytes(-len(binary) % 4)
    whole = {
        "asset": {"version": "2.0", "generator": f"Ratescope {__version__}"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "room"}],
        "meshes": [{"primitives": document.pop("primitives")}],
        **document,
        "buffers": [{"byteLength": len(binary)}],
    }
    text = json.dumps(whole, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    length = 12 + 8 + len(text) + 8 + len(binary)
    head = struct.pack("<4sII", b"glTF", 2, length)
    return head + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
