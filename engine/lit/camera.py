"""A camera that orbits around a point."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from engine.lit.mesh import Mesh

FIELD = 45.0  # degrees, of the smaller side of the view
STEEPEST = 89.0  # degrees
_CLOSEST, _FARTHEST = 0.01, 12.0  # radii of the mesh
_MARGIN = 1.04  # around the whole mesh
_ROUNDS = 6  # of finding the place from where that is seen largest


@dataclass(frozen=True)
class Camera:
    """target: what is looked at. distance to it, in the mesh's units. yaw: degrees around the vertical, 0 looks along
    −z; pitch: degrees above the horizon. radius: of the mesh, for limits.
    """

    target: tuple[float, float, float]
    distance: float
    yaw: float = -35.0
    pitch: float = 30.0
    radius: float = 1.0

    @staticmethod
    def seeing(mesh: Mesh, aspect: float = 1.0) -> Camera:
        """The whole mesh, from above and beside. aspect: width over height of the view."""
        x, y, z = mesh.centre.tolist()
        camera = Camera((x, y, z), mesh.radius, radius=mesh.radius)
        points = _facing(mesh, camera)
        room = np.array([max(1.0, aspect), max(1.0, 1 / aspect)]) * _slope()
        for _ in range(_ROUNDS):
            across = (points - np.array(camera.target)) @ camera._axes().T
            nearest = (np.abs(across[:, :2]) / room).max(axis=1) + across[:, 2]
            camera = replace(camera, distance=_MARGIN * float(nearest.max()))
            seen = across[:, :2] / (camera.distance - across[:, 2:])
            right, up = (seen.min(axis=0) + seen.max(axis=0)) / (4 * _slope())
            camera = camera.moved(float(right), float(up))
        return camera

    def orbited(self, yaw: float, pitch: float) -> Camera:
        """Turned by so many degrees."""
        steep = min(STEEPEST, max(-STEEPEST, self.pitch + pitch))
        return replace(self, yaw=(self.yaw + yaw) % 360.0, pitch=steep)

    def zoomed(self, factor: float) -> Camera:
        """`factor` times as near."""
        nearest, farthest = self.radius * _CLOSEST, self.radius * _FARTHEST
        return replace(self, distance=min(farthest, max(nearest, self.distance / factor)))

    def moved(self, right: float, up: float) -> Camera:
        """Moved across the view, in units of the height of what is seen at the target."""
        size = 2 * self.distance * _slope()
        axes = self._axes()
        place = np.array(self.target) + size * (right * axes[0] + up * axes[1])
        x, y, z = place.tolist()
        return replace(self, target=(x, y, z))

    @property
    def near(self) -> float:
        """What is nearer than this is not drawn."""
        return min(self.distance, self.radius) * 1e-2

    def clip(self, positions: np.ndarray, width: int, height: int) -> np.ndarray:
        """N×4 f32 of N×3 positions: clip space of a view of width × height pixels; w is the distance along the view."""
        right, up, back = self._axes()
        eye = np.array(self.target) + self.distance * back
        seen = (positions - eye) @ np.stack([right, up, -back], axis=1)
        scale = min(width, height) / _slope()
        clip = np.empty((len(positions), 4), np.float32)
        clip[:, 0] = seen[:, 0] * (scale / width)
        clip[:, 1] = seen[:, 1] * (scale / height)
        clip[:, 2] = 0
        clip[:, 3] = seen[:, 2]
        return clip

    def _axes(self) -> np.ndarray:
        """Right, up and back, as rows."""
        yaw, pitch = math.radians(self.yaw), math.radians(self.pitch)
        back = np.array([math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)])
        right = np.array([math.cos(yaw), 0.0, -math.sin(yaw)])
        return np.stack([right, np.cross(back, right), back])


def _slope() -> float:
    """Half the height of what is seen at a distance of 1."""
    return math.tan(math.radians(FIELD / 2))


def _facing(mesh: Mesh, camera: Camera) -> np.ndarray:
    """N×3: the vertices of triangles that turn their front to a camera far away; all, where none does."""
    corners = mesh.positions[mesh.triangles].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    turned = (normals @ camera._axes()[2] > 0) | (mesh.two_sided > 0)
    return corners[turned if turned.any() else slice(None)].reshape(-1, 3)
