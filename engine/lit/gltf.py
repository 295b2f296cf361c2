"""glTF 2.0 (Khronos, 2021), as far as a lightmap needs it: triangles, positions, two sets of texture coordinates, base
colours and node transforms; from GLB, from JSON with data URIs, or with buffers in files beside it.

Nothing that a file claims is believed: every offset, count and index is checked against what is there.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn
from urllib.parse import unquote

import numpy as np

from engine.errors import CorruptStream, LimitExceeded, Unsupported
from engine.io import read_bytes
from engine.lit.mesh import MAX_BYTES, MAX_TRIANGLES, MAX_VERTICES, Mesh, checked

_HEADER, _JSON, _BIN = 12, 0x4E4F534A, 0x004E4942
_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_MAX_NODES = 100_000
_CAN = {"KHR_mesh_quantization", "KHR_materials_unlit"}


def from_glb(data: bytes, folder: Path) -> Mesh:
    """The mesh of a binary file. folder: where buffers that are files of their own lie."""
    if len(data) < _HEADER + 8:
        _refuse("the file ends too early")
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise Unsupported(f"this is glTF {version}; 2.0 is read")
    if length > len(data):
        _refuse("the file ends too early")
    chunks: dict[int, bytes] = {}
    at = _HEADER
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        if size > length - at - 8:
            _refuse("a chunk reaches beyond the end of the file")
        chunks.setdefault(kind, data[at + 8 : at + 8 + size])
        at += 8 + size + -size % 4
    if _JSON not in chunks:
        _refuse("it has no JSON chunk")
    return _Reader(_document(chunks[_JSON]), chunks.get(_BIN), folder).mesh()


def from_json(data: bytes, folder: Path) -> Mesh:
    """The mesh of a text file."""
    return _Reader(_document(data), None, folder).mesh()


def _document(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CorruptStream("the mesh is damaged: its description is no JSON") from error
    if not isinstance(document, dict) or not isinstance(document.get("asset"), dict):
        _refuse("its description is no glTF")
    if not str(document["asset"].get("version", "")).startswith("2"):
        raise Unsupported("only glTF 2.0 is read")
    return document


@dataclass(frozen=True)
class _Part:
    """One primitive at one place."""

    primitive: dict[str, Any]
    matrix: np.ndarray


class _Reader:
    def __init__(self, document: dict[str, Any], binary: bytes | None, folder: Path) -> None:
        self.document, self._binary, self._folder = document, binary, folder
        self._buffers: dict[int, bytes] = {}
        self._unlit = self._skipped = 0
        needed = {str(each) for each in self._list("extensionsRequired")} - _CAN
        if needed:
            raise Unsupported(
                f"the mesh needs {', '.join(sorted(needed))}, which is not read here", hint="export it without"
            )

    def mesh(self) -> Mesh:
        """All triangles of the scene in one mesh, in the coordinates of the scene."""
        pieces = [piece for part in self._parts() if (piece := self._piece(part)) is not None]
        if not pieces:
            raise CorruptStream(
                "the mesh has no triangles with texture coordinates", hint="a lightmap needs a second UV set"
            )
        starts = np.cumsum([0, *(len(piece.positions) for piece in pieces[:-1])])
        notes = []
        if self._unlit:
            notes.append(f"{self._unlit} of its parts have no second UV set: their first is taken for the lightmap")
        if self._skipped:
            notes.append(f"{self._skipped} of its parts are left out: no triangles, or no texture coordinates")
        joined = {
            name: np.concatenate([getattr(piece, name) for piece in pieces])
            for name in ("positions", "light_uv", "albedo_uv", "colours", "two_sided")
        }
        triangles = [piece.triangles + np.int32(start) for piece, start in zip(pieces, starts, strict=True)]
        return checked(Mesh(triangles=np.concatenate(triangles), notes=tuple(notes), **joined))

    # --- the tree of nodes

    def _parts(self) -> Iterator[_Part]:
        """Every primitive of the scene, as often as it stands in it."""
        nodes, meshes = self._list("nodes"), self._list("meshes")
        waiting = [(index, np.eye(4), 0) for index in self._roots(len(nodes))]
        vertices = triangles = visited = 0
        while waiting:
            index, above, depth = waiting.pop()
            visited += 1
            if visited > _MAX_NODES or depth > 256:
                _refuse("its nodes go on for ever")
            node = _object(nodes[index], "a node")
            matrix = above @ _matrix(node)
            waiting += [(self._index(child, nodes), matrix, depth + 1) for child in _items(node, "children")]
            if "mesh" not in node:
                continue
            for each in _items(_object(meshes[self._index(node["mesh"], meshes)], "a mesh"), "primitives"):
                primitive = _object(each, "a primitive")
                count, corners = self._counts(primitive)
                vertices, triangles = vertices + count, triangles + corners
                if vertices > MAX_VERTICES or triangles > 3 * MAX_TRIANGLES:
                    raise LimitExceeded(f"the mesh has more than {MAX_VERTICES:,} vertices or triangles")
                yield _Part(primitive, matrix)

    def _roots(self, count: int) -> list[int]:
        scenes = self._list("scenes")
        if scenes:
            scene = _object(scenes[self._index(self.document.get("scene", 0), scenes)], "a scene")
            return [self._index(each, range(count)) for each in _items(scene, "nodes")]
        children = {each for node in self._list("nodes") for each in _items(_object(node, "a node"), "children")}
        return [index for index in range(count) if index not in children]

    def _counts(self, primitive: dict[str, Any]) -> tuple[int, int]:
        """Vertices, and corners of triangles (before strips are cut up), that a primitive claims."""
        attributes = _object(primitive.get("attributes", {}), "attributes")
        if "POSITION" not in attributes:
            return 0, 0
        vertices = _count(self._accessor(attributes["POSITION"]), "count")
        corners = _count(self._accessor(primitive["indices"]), "count") if "indices" in primitive else vertices
        return vertices, corners if primitive.get("mode", _TRIANGLES) == _TRIANGLES else 3 * corners

    # --- one primitive

    def _piece(self, part: _Part) -> Mesh | None:
        primitive, attributes = part.primitive, part.primitive.get("attributes", {})
        mode = primitive.get("mode", _TRIANGLES)
        first, second = attributes.get("TEXCOORD_0"), attributes.get("TEXCOORD_1")
        if "POSITION" not in attributes or first is second is None or mode not in (_TRIANGLES, _STRIP, _FAN):
            self._skipped += 1
            return None
        self._unlit += second is None
        positions = self._array(attributes["POSITION"], 3).astype(np.float64)
        light_uv = self._array(second if second is not None else first, 2)
        albedo_uv = self._array(first if first is not None else second, 2)
        if not len(positions) == len(light_uv) == len(albedo_uv):
            _refuse("a part has not as many texture coordinates as vertices")
        triangles = self._triangles(primitive, mode, len(positions))
        if np.linalg.det(part.matrix[:3, :3]) < 0:  # mirrored: what was the front would be the back
            triangles = np.ascontiguousarray(triangles[:, ::-1])
        colour, two_sided = self._material(primitive)
        placed = positions @ part.matrix[:3, :3].T + part.matrix[:3, 3]
        return Mesh(
            placed.astype(np.float32),
            triangles,
            light_uv,
            albedo_uv,
            np.tile(np.array(colour, np.float32), (len(triangles), 1)),
            np.full(len(triangles), two_sided, np.uint8),
        )

    def _triangles(self, primitive: dict[str, Any], mode: int, vertices: int) -> np.ndarray:
        if "indices" in primitive:
            order = self._array(primitive["indices"], 1, whole=True)[:, 0]
        else:
            order = np.arange(vertices, dtype=np.int64)
        if order.size and order.max() >= vertices:
            _refuse("a triangle names a vertex that is not there")
        if mode == _TRIANGLES:
            cut = order[: len(order) // 3 * 3].reshape(-1, 3)
        else:
            places = np.arange(max(0, len(order) - 2))
            if mode == _STRIP:  # every other triangle of a strip is turned
                corners = (places, places + 1 + places % 2, places + 2 - places % 2)
            else:
                corners = (places + 1, places + 2, 0 * places)
            cut = np.stack([order[each] for each in corners], axis=1)
        return np.ascontiguousarray(cut, np.int32)

    def _material(self, primitive: dict[str, Any]) -> tuple[tuple[float, ...], bool]:
        """Linear base colour, and whether both sides are drawn."""
        white = (1.0, 1.0, 1.0)
        if "material" not in primitive:
            return white, False
        materials = self._list("materials")
        material = _object(materials[self._index(primitive["material"], materials)], "a material")
        metal = _object(material.get("pbrMetallicRoughness", {}), "a material")
        factor = metal.get("baseColorFactor", [1, 1, 1, 1])
        colour = _numbers(factor, 4, "a base colour")[:3]
        return tuple(np.clip(colour, 0, 1).tolist()), material.get("doubleSided") is True

    # --- accessors and buffers

    def _array(self, index: Any, components: int, *, whole: bool = False) -> np.ndarray:
        """count×components of an accessor: f32, or as i64 if whole numbers are wanted."""
        accessor = self._accessor(index)
        kind, count = accessor.get("componentType"), _count(accessor, "count")
        if kind not in _TYPES or _COMPONENTS.get(str(accessor.get("type"))) != components:
            _refuse("an accessor is of a type that does not fit its use")
        if whole and kind not in (5121, 5123, 5125):
            _refuse("the vertices of triangles are not whole numbers")
        if "sparse" in accessor or "bufferView" not in accessor:
            raise Unsupported("the mesh has sparse accessors, which are not read here", hint="export it without")
        dtype = np.dtype(_TYPES[kind])
        view, start, length, stride = self._view(accessor["bufferView"])
        item = dtype.itemsize * components
        stride, offset = stride or item, _count(accessor, "byteOffset", 0)
        if stride < item or (count and offset + (count - 1) * stride + item > length):
            _refuse("an accessor reaches beyond its buffer")
        raw = np.lib.stride_tricks.as_strided(
            np.frombuffer(view, np.uint8, length, start)[offset:], (count, item), (stride, 1), writeable=False
        )
        values = np.ascontiguousarray(raw).view(dtype).reshape(count, components)
        if whole:
            return values.astype(np.int64)
        scaled = values.astype(np.float32)
        if accessor.get("normalized") is True and dtype.kind in "iu":
            scaled = np.maximum(scaled / np.float32(np.iinfo(dtype).max), -1)
        return scaled

    def _view(self, index: Any) -> tuple[bytes, int, int, int]:
        """Buffer, start, length and stride (0: none) of a buffer view, checked against the buffer."""
        views = self._list("bufferViews")
        view = _object(views[self._index(index, views)], "a buffer view")
        buffer = self._buffer(view.get("buffer"))
        start, length = _count(view, "byteOffset", 0), _count(view, "byteLength")
        if start + length > len(buffer):
            _refuse("a buffer view reaches beyond its buffer")
        return buffer, start, length, _count(view, "byteStride", 0)

    def _buffer(self, index: Any) -> bytes:
        buffers = self._list("buffers")
        number = self._index(index, buffers)
        if number not in self._buffers:
            self._buffers[number] = self._load(_object(buffers[number], "a buffer"), number)
        return self._buffers[number]

    def _load(self, buffer: dict[str, Any], number: int) -> bytes:
        uri, length = buffer.get("uri"), _count(buffer, "byteLength")
        if uri is None:
            data = self._binary if number == 0 else None
            if data is None:
                _refuse("a buffer is nowhere")
        elif not isinstance(uri, str):
            _refuse("a buffer is nowhere")
        elif uri.startswith("data:"):
            data = _inline(uri)
        else:
            data = self._beside(unquote(uri))
        if length > len(data):
            _refuse(f"a buffer is shorter than it claims: {len(data)} of {length} bytes")
        return data

    def _beside(self, name: str) -> bytes:
        """A file in the folder of the mesh, or below it: nothing else is opened."""
        way = PurePosixPath(name)
        if way.is_absolute() or ".." in way.parts or ":" in name or "\\" in name or "\0" in name:
            raise Unsupported(f"the mesh keeps a buffer at '{name[:80]}'; only files in its own folder are opened")
        data = read_bytes(self._folder / way)
        if len(data) > MAX_BYTES:
            raise LimitExceeded(f"{way}: at most {MAX_BYTES >> 20} MiB are read")
        return data

    def _accessor(self, index: Any) -> dict[str, Any]:
        accessors = self._list("accessors")
        return _object(accessors[self._index(index, accessors)], "an accessor")

    def _list(self, name: str) -> list[Any]:
        return _items(self.document, name)

    @staticmethod
    def _index(value: Any, of: Any) -> int:
        if type(value) is not int or not 0 <= value < len(of):
            _refuse("it refers to something that is not there")
        return value


def _matrix(node: dict[str, Any]) -> np.ndarray:
    """4×4: from the node's coordinates to those of its parent."""
    if "matrix" in node:
        return np.array(_numbers(node["matrix"], 16, "a matrix")).reshape(4, 4).T
    out = np.eye(4)
    x, y, z, w = _numbers(node.get("rotation", [0, 0, 0, 1]), 4, "a rotation")
    turn = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    out[:3, :3] = np.array(turn) * _numbers(node.get("scale", [1, 1, 1]), 3, "a scale")
    out[:3, 3] = _numbers(node.get("translation", [0, 0, 0]), 3, "a translation")
    return out


def _inline(uri: str) -> bytes:
    head, comma, text = uri.partition(",")
    if not comma or not head.endswith(";base64"):
        raise Unsupported("the mesh holds a buffer in a form that is not read here", hint="base64 is")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise CorruptStream("the mesh is damaged: a buffer is no base64") from error


def _items(holder: dict[str, Any], name: str) -> list[Any]:
    value = holder.get(name, [])
    if not isinstance(value, list):
        _refuse(f"'{name}' is not a list")
    return value


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(f"{what} is not an object")
    return value


def _count(holder: dict[str, Any], name: str, otherwise: int | None = None) -> int:
    value = holder.get(name, otherwise)
    if type(value) is not int or not 0 <= value < 1 << 40:
        _refuse(f"'{name}' is not a number of things")
    return value


def _numbers(value: Any, count: int, what: str) -> list[float]:
    good = isinstance(value, list) and len(value) == count
    if not good or not all(isinstance(each, int | float) and abs(each) < 1e12 for each in value):
        _refuse(f"{what} is not {count} numbers")
    return [float(each) for each in value]


def _refuse(what: str) -> NoReturn:
    raise CorruptStream(f"the mesh is damaged: {what}")
