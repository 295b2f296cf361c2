"""A mesh seen by a camera: which triangle and which place of the map each pixel sees, and what light comes from there.

The first depends on the camera alone (`Seen`), so that another codec, filter or albedo costs only the sampling.
"""

from __future__ import annotations

import numpy as np

from engine.lit.albedo import Albedo
from engine.lit.camera import Camera
from engine.lit.look import Lit
from engine.lit.mesh import Mesh
from engine.lit.texture import Texture
from engine.native import lit

Places = tuple[np.ndarray, np.ndarray]
"""uv H×W×2 f32 and level of detail H×W f32."""


class Seen:
    """What a camera sees of a mesh in width × height pixels. owner: H×W i32, the triangle, -1 for none."""

    def __init__(self, mesh: Mesh, camera: Camera, width: int, height: int) -> None:
        self.mesh, self.camera = mesh, camera
        clip = camera.clip(mesh.positions, width, height)
        self._clipped = lit.ClippedMesh(clip, mesh.triangles, mesh.two_sided)
        self.owner = lit.cover(self._clipped, camera.near, width, height)
        self._known: dict[tuple[str, tuple[int, int]], Places] = {}

    @property
    def covered(self) -> np.ndarray:
        """H×W bool: pixels that see the mesh."""
        return self.owner >= 0

    def places(self, of: str, texels: tuple[int, int]) -> Places:
        """Places in a map of so many texels across and down. of: "light_uv" or "albedo_uv" of the mesh."""
        key = (of, texels)
        if key not in self._known:
            self._known[key] = lit.places(self._clipped, getattr(self.mesh, of), texels, self.owner)
        return self._known[key]

    def light(self, texture: Texture, look: Lit, albedo: Albedo) -> np.ndarray:
        """H×W×3 f32: what each pixel sees; black where there is no mesh."""
        uv, lod = self.places("light_uv", texture.size)
        if look.level is not None:
            lod = np.full_like(lod, look.level)
        light = texture.sample(uv, lod, self.owner, cubic=look.cubic)
        paint = albedo.texture
        if paint is not None:
            light *= paint.sample(*self.places("albedo_uv", paint.size), self.owner)
        elif albedo.of_mesh:
            light *= self.mesh.colours[self.owner]  # -1 is the last triangle's, times black
        elif albedo.share != 1:
            light *= np.float32(albedo.share)
        return light
