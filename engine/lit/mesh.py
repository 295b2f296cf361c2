"""A mesh with a place in the lightmap for every vertex, and the files that hold one: glTF, GLB and OBJ."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np

from engine.errors import CorruptStream, EngineError, LimitExceeded, UnknownFormat
from engine.io import read_bytes

MAX_BYTES = 256 << 20  # of a file
MAX_VERTICES = MAX_TRIANGLES = 4_000_000
SUFFIXES = (".glb", ".gltf", ".obj")


@dataclass(frozen=True, eq=False)
class Mesh:
    """positions: N×3 f32, y upwards. triangles: M×3 i32, counter-clockwise from the front.

    light_uv: N×2 f32, places in the lightmap, (0, 0) its upper left corner. albedo_uv: N×2 f32, in repeats of an
    albedo. colours: M×3 f32, each triangle's linear albedo. two_sided: M u8. notes: what was left out, in plain words.
    """

    positions: np.ndarray
    triangles: np.ndarray
    light_uv: np.ndarray
    albedo_uv: np.ndarray
    colours: np.ndarray
    two_sided: np.ndarray
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and highest coordinates of what triangles use."""
        used = self.positions[np.unique(self.triangles)].astype(np.float64)
        return used.min(axis=0), used.max(axis=0)

    @property
    def centre(self) -> np.ndarray:
        return (self.box[0] + self.box[1]) / 2

    @property
    def radius(self) -> float:
        """Half the diagonal of the box; never 0."""
        return max(float(np.linalg.norm(self.box[1] - self.box[0])) / 2, 1e-6)


def read_mesh(path: Path) -> Mesh:
    """The mesh in a file, told by its content. An `EngineError` names the file and says what is wrong with it."""
    from engine.lit import gltf, obj

    try:
        data = read_bytes(path)
        if len(data) > MAX_BYTES:
            raise LimitExceeded(f"a mesh of {len(data) >> 20} MiB is too large; at most {MAX_BYTES >> 20} MiB are read")
        if data[:4] == b"glTF":
            return gltf.from_glb(data, path.parent)
        if data.lstrip()[:1] == b"{":
            return gltf.from_json(data, path.parent)
        if path.suffix.lower() == ".obj":
            return obj.parse(data)
        raise UnknownFormat("is no mesh that is read here", hint="glTF (.glb, .gltf) and Wavefront (.obj) are")
    except EngineError as error:
        raise error.at(path) from error


def checked(mesh: Mesh) -> Mesh:
    """`mesh`, if there is something in it that can be drawn; `CorruptStream` if not."""
    if not len(mesh.triangles):
        raise CorruptStream("the mesh has no triangles")
    if not np.isfinite(mesh.positions).all() or np.abs(mesh.positions).max() > 1e12:
        raise CorruptStream("the mesh is damaged: a vertex lies nowhere")
    return mesh


def room_path() -> Path:
    """The mesh of the bundled `room_lightmap.exr`."""
    return Path(str(files("resources"))) / "samples" / "room.glb"
